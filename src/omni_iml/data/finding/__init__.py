"""What is found in source pictures when their tiles are cut: faces, and text in scenes."""

from omni_iml.data.finding.faces import faces_through, find_faces
from omni_iml.data.finding.scene_text import find_scene_text

__all__ = ["faces_through", "find_faces", "find_scene_text"]
