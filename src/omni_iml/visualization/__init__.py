"""What a checkpoint does on whole data sets, drawn: gate, filters, enhancement, masks. Needs torch and matplotlib."""

from omni_iml.visualization.contrast import Contrast
from omni_iml.visualization.looking import Look, Maps, look_at, maps_of
from omni_iml.visualization.summary import Group, contrast_rows, filter_rows, gate_rows, groups
from omni_iml.visualization.visualizing import Done, Request, visualize

__all__ = [
    "Contrast",
    "Done",
    "Group",
    "Look",
    "Maps",
    "Request",
    "contrast_rows",
    "filter_rows",
    "gate_rows",
    "groups",
    "look_at",
    "maps_of",
    "visualize",
]
