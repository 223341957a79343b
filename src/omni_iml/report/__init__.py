"""A `Detection` for people and for programs: JSON, pictures, files, HTML."""

from omni_iml.report.html import to_html
from omni_iml.report.json import to_json
from omni_iml.report.overlay import heatmap, overlay
from omni_iml.report.save import save

__all__ = ["heatmap", "overlay", "save", "to_html", "to_json"]
