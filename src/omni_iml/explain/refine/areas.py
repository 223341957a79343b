"""Sets of pixels as a box and what is set inside it, so that fifty of them need no fifty pictures' memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.regions import position
from omni_iml.types import Box

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Area:
    """Some pixels of a picture.

    Attributes:
        box: ``(x0, y0, x1, y1)`` in displayed pixels, half-open, inside the picture.
        pixels: bool ``(y1 - y0, x1 - x0)``, at least one of them set.

    Raises:
        ValueError: the pixels are not as large as the box, or none is set.
    """

    box: Box
    pixels: Mask

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.box
        if self.pixels.shape != (y1 - y0, x1 - x0):
            raise ValueError(f"the box {self.box} has other pixels, {self.pixels.shape}; give as many as it holds.")
        if not self.pixels.any():
            raise ValueError(f"the box {self.box} holds no pixel that is set; leave such an area out.")

    @property
    def size(self) -> int:
        """How many pixels are set."""
        return int(np.count_nonzero(self.pixels))

    @property
    def where(self) -> tuple[slice, slice]:
        """The box as an index of ``(H, W)`` arrays."""
        x0, y0, x1, y1 = self.box
        return slice(y0, y1), slice(x0, x1)

    def position(self, height: int, width: int) -> str:
        """Which of the nine positions its centroid has in a picture of that size."""
        rows, columns = np.nonzero(self.pixels)
        return position(self.box[0] + columns.mean() + 0.5, self.box[1] + rows.mean() + 0.5, width, height)


def areas_of(mask: Mask) -> list[Area]:
    """The connected regions of a mask, from the top, pixels that touch at a corner being connected.

    Args:
        mask: bool ``(H, W)``.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    found = []
    for label in range(1, len(stats)):
        left, top, wide, high = (int(value) for value in stats[label, : cv2.CC_STAT_AREA])
        pixels = np.asarray(labels[top : top + high, left : left + wide] == label)
        found.append(Area((left, top, left + wide, top + high), pixels))
    return found


def whole(box: Box, height: int, width: int) -> Area | None:
    """All pixels of a box, cut at the picture's edges; None where nothing of it lies in the picture."""
    x0, y0, x1, y1 = max(0, box[0]), max(0, box[1]), min(width, box[2]), min(height, box[3])
    return Area((x0, y0, x1, y1), np.ones((y1 - y0, x1 - x0), bool)) if x0 < x1 and y0 < y1 else None


def union(areas: Iterable[Area]) -> Area:
    """All pixels of some areas, of which there is at least one."""
    some = list(areas)
    edges = np.array([area.box for area in some])
    x0, y0 = (int(edge) for edge in edges[:, :2].min(0))
    x1, y1 = (int(edge) for edge in edges[:, 2:].max(0))
    pixels = np.zeros((y1 - y0, x1 - x0), bool)
    for area in some:
        left, top, right, bottom = area.box
        pixels[top - y0 : bottom - y0, left - x0 : right - x0] |= area.pixels
    return Area((x0, y0, x1, y1), pixels)


def painted(areas: Iterable[Area], height: int, width: int) -> Mask:
    """Areas as a mask, bool ``(height, width)``."""
    mask = np.zeros((height, width), bool)
    for area in areas:
        mask[area.where] |= area.pixels
    return mask
