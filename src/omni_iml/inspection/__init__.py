"""What the network saw and decided, tile by tile: values in between as arrays and pictures. Needs torch."""

from omni_iml.inference.tiles import Grid
from omni_iml.inspection.files import MOST_UNASKED, ForeignFolder, Saved, save_inspection
from omni_iml.inspection.picture import (
    BUNDLED,
    Gathering,
    Inspector,
    PictureInspection,
    TileInspection,
    TileSummary,
)
from omni_iml.models.inspection import FilterActivations, Inspection, inspect_tiles, recording

__all__ = [
    "BUNDLED",
    "MOST_UNASKED",
    "FilterActivations",
    "ForeignFolder",
    "Gathering",
    "Grid",
    "Inspection",
    "Inspector",
    "PictureInspection",
    "Saved",
    "TileInspection",
    "TileSummary",
    "inspect_tiles",
    "recording",
    "save_inspection",
]
