"""A `Detection` for people and for programs: JSON, pictures, files, HTML."""

from omni_iml.report.drawing import heatmap, overlay
from omni_iml.report.files import save
from omni_iml.report.html import to_html
from omni_iml.report.json import to_json

__all__ = ["heatmap", "overlay", "save", "to_html", "to_json"]
