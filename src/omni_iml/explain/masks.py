"""Masks that are given rather than found, and the instances of a mask."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.io.paths import openable
from omni_iml.regions import find_regions
from omni_iml.types import MAX_PIXELS, OmniError, Region


class UnreadableMask(OmniError):  # noqa: N818 - twin of UnreadableImage
    """A mask file that is no picture, or not as large as its picture."""


def read_mask(path: Path, width: int, height: int) -> NDArray[np.bool_]:
    """Read a mask as `omni-iml detect` writes it.

    Args:
        path: a picture file, white where tampered.
        width: of the picture as displayed, in pixels.
        height: likewise.

    Returns:
        bool ``(height, width)``, displayed orientation.

    Raises:
        UnreadableMask: the file is no picture or of another size.
    """
    try:
        with openable(path).open("rb") as stream, Image.open(stream, formats=("PNG", "BMP", "TIFF", "GIF")) as picture:
            if picture.size != (width, height) or width * height > MAX_PIXELS:
                found = f"{picture.size[0]}x{picture.size[1]}"
                raise UnreadableMask(
                    f"{path}: the mask has {found} pixels and its picture {width}x{height}; give one of the same size."
                )
            return np.asarray(picture.convert("L")) > 127
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableMask(f"{path}: the mask cannot be read ({error}); give a PNG file.") from error


def instances_of(mask: NDArray[np.bool_]) -> list[tuple[Region, NDArray[np.bool_]]]:
    """The connected regions of a mask, the largest first, each with a mask of its own.

    Args:
        mask: bool ``(H, W)``, displayed orientation.
    """
    return masks_of(mask, find_regions(mask.astype(np.float32), 0.5))


def masks_of(
    mask: NDArray[np.bool_], regions: tuple[Region, ...] | list[Region]
) -> list[tuple[Region, NDArray[np.bool_]]]:
    """The pixels of each region.

    Args:
        mask: bool ``(H, W)``, displayed orientation, of which the regions are connected parts.
        regions: some or all of them.

    Returns:
        Each region with its mask, bool ``(H, W)``.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    known: dict[tuple[int, ...], list[int]] = {}
    for label in range(1, len(stats)):
        left, top, wide, high, area = map(int, stats[label])
        known.setdefault((left, top, left + wide, top + high, area), []).append(label)
    found = []
    for region in regions:
        labels_here = known.get((*region.box, round(region.area_share * mask.size)))
        if labels_here:
            found.append((region, np.asarray(labels == labels_here.pop(0))))
    return found
