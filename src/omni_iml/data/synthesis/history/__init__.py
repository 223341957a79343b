"""What happened to a file before and after the edit: compressions, grids, sizes, channels."""

from omni_iml.data.synthesis.history.draw import CHANNELS, draw_after, draw_before, draw_jpeg
from omni_iml.data.synthesis.history.history import History
from omni_iml.data.synthesis.history.steps import Blur, Jpeg, Png, PrintScan, Resize, Shift

__all__ = [
    "CHANNELS",
    "Blur",
    "History",
    "Jpeg",
    "Png",
    "PrintScan",
    "Resize",
    "Shift",
    "draw_after",
    "draw_before",
    "draw_jpeg",
]
