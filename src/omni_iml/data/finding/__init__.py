"""What is found in source pictures when their tiles are cut: faces, text in scenes, and words of documents."""

from omni_iml.data.finding.faces import faces_through, find_faces
from omni_iml.data.finding.scene_text import find_scene_text
from omni_iml.data.finding.words import find_words

__all__ = ["faces_through", "find_faces", "find_scene_text", "find_words"]
