"""Step 0: a picture and its mask, and the instances in it by connected components (section 4.1, H.8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.io import load
from omni_iml.io.orientation import to_displayed
from omni_iml.regions import position
from omni_iml.types import MAX_PIXELS, Box, OmniError

MAX_INSTANCES = 100
"""More connected regions than this are noise, or a bill that nobody meant to pay."""
SMALLEST = 16
"""Pixels of the smallest region that counts; smaller ones are left over from an editor's brush or from compression."""


class UnusableMask(OmniError):  # noqa: N818 - named for what is wrong
    """A mask that no instance can be taken from."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture and its tampered regions, in displayed orientation.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` RGB.
        labels: int32 ``(H, W)``: 0 for authentic, n + 1 for region n.
        boxes: of each region, half-open.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int32]
    boxes: tuple[Box, ...]

    def mask(self, regions: Sequence[int]) -> NDArray[np.bool_]:
        """Where some of the regions are.

        Args:
            regions: indices.

        Returns:
            bool ``(H, W)``.
        """
        return np.asarray(np.isin(self.labels, [index + 1 for index in regions]))

    def box(self, regions: Sequence[int]) -> Box:
        """The box around some of the regions.

        Args:
            regions: indices, at least one.

        Returns:
            ``(x0, y0, x1, y1)``, half-open.
        """
        x0, y0, x1, y1 = zip(*(self.boxes[index] for index in regions), strict=True)
        return min(x0), min(y0), max(x1), max(y1)

    def position(self, regions: Sequence[int]) -> str:
        """Which of the nine positions the regions' common centroid has.

        Args:
            regions: indices, at least one.

        Returns:
            One of `omni_iml.types.POSITIONS`.
        """
        rows, columns = np.nonzero(self.mask(regions))
        height, width = self.labels.shape
        return position(float(columns.mean()) + 0.5, float(rows.mean()) + 0.5, width, height)


def read_scene(picture: Path, mask: Path, *, max_instances: int = MAX_INSTANCES, max_pixels: int = MAX_PIXELS) -> Scene:
    """Read a picture and its mask.

    Args:
        picture: the tampered picture.
        mask: grey or RGB picture of the same displayed size, above 127 where it was tampered with.
        max_instances: more regions than this are refused.
        max_pixels: larger pictures are refused.

    Returns:
        The scene; its regions come from the top, then from the left.

    Raises:
        UnreadableImage: one of the two cannot be read.
        UnusableMask: their sizes differ, or the mask has no region, or too many.
    """
    image, drawn = (load(path, max_pixels=max_pixels) for path in (picture, mask))
    pixels = to_displayed(image.pixels, image.orientation)
    marked = to_displayed(drawn.pixels, drawn.orientation).max(axis=2) > 127
    if marked.shape != pixels.shape[:2]:
        height, width = pixels.shape[:2]
        raise UnusableMask(
            f"{mask}: is {marked.shape[1]} x {marked.shape[0]}, but {picture.name} is {width} x {height}; "
            "give the mask that belongs to it."
        )
    return scene_of(pixels, marked, str(mask), max_instances)


def scene_of(pixels: NDArray[np.uint8], marked: NDArray[np.bool_], name: str, max_instances: int) -> Scene:
    """Split a mask into its connected regions; pixels that touch at a corner are connected.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB.
        marked: bool ``(H, W)``.
        name: of the mask, for errors.
        max_instances: more regions than this are refused.

    Returns:
        The scene, without regions of fewer than `SMALLEST` pixels unless there are no others.

    Raises:
        UnusableMask: there is no region, or too many.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(marked.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not len(areas):
        raise UnusableMask(f"{name}: marks no pixel; give a mask that is white where the picture was tampered with.")
    large = np.flatnonzero(areas >= min(SMALLEST, areas.max())) + 1
    if len(large) > max_instances:
        raise UnusableMask(
            f"{name}: has {len(large)} separate regions, more than {max_instances}; clean it, or raise --max-instances."
        )
    order = large[np.lexsort((stats[large, cv2.CC_STAT_LEFT], stats[large, cv2.CC_STAT_TOP]))]
    renamed = np.zeros(len(areas) + 1, np.int32)
    renamed[order] = np.arange(1, len(order) + 1)
    boxes = [tuple(int(value) for value in stats[label, :4]) for label in order]
    return Scene(pixels, renamed[labels], tuple((x, y, x + wide, y + high) for x, y, wide, high in boxes))
