"""The regions of a mask, and the pixels of each, without a picture's memory for every one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.io.orientation import to_stored
from omni_iml.regions import find_regions
from omni_iml.types import Region

Mask = NDArray[np.bool_]


class Masks(Sequence[Mask]):
    """One mask a region, each made when it is asked for: a hundred of a large picture would take gigabytes.

    Args:
        numbers: unsigned ``(H, W)``, which region each pixel belongs to, from 1; 0 for none.
        count: how many regions there are.
    """

    def __init__(self, numbers: NDArray[np.unsignedinteger], count: int) -> None:
        self._numbers, self._count = numbers, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Mask: ...
    @overload
    def __getitem__(self, index: slice) -> list[Mask]: ...
    def __getitem__(self, index: int | slice) -> Mask | list[Mask]:
        """The mask of a region, bool ``(H, W)``."""
        if isinstance(index, slice):
            return [self[at] for at in range(self._count)[index]]
        return np.asarray(self._numbers == range(self._count)[index] + 1)


class Instances(Sequence[tuple[Region, Mask]]):
    """Regions of a mask, each with a mask of its own, bool ``(H, W)``, that is made when it is asked for.

    Args:
        regions: in displayed pixels.
        numbers: unsigned ``(H, W)``, which of them each pixel belongs to, from 1; 0 for none.
        left_out: how many regions the mask has besides.

    Attributes:
        regions: as given.
        masks: of the regions, displayed orientation.
        left_out: as given.
    """

    def __init__(self, regions: Sequence[Region], numbers: NDArray[np.unsignedinteger], left_out: int = 0) -> None:
        self.regions, self.left_out = tuple(regions), left_out
        self.masks = Masks(numbers, len(self.regions))
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self.regions)

    @overload
    def __getitem__(self, index: int) -> tuple[Region, Mask]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[Region, Mask]]: ...
    def __getitem__(self, index: int | slice) -> tuple[Region, Mask] | list[tuple[Region, Mask]]:
        """A region and its mask."""
        if isinstance(index, slice):
            return list(zip(self.regions[index], self.masks[index], strict=True))
        return self.regions[index], self.masks[index]

    def stored(self, orientation: int) -> Masks:
        """The masks in the orientation that the picture is stored in, by its EXIF orientation, 1 to 8."""
        return Masks(to_stored(self._numbers, orientation), len(self.regions))


def instances_of(mask: Mask) -> Instances:
    """The connected regions of a mask, the largest first, at most `omni_iml.regions.MAX_REGIONS`.

    Args:
        mask: bool ``(H, W)``, displayed orientation.
    """
    return masks_of(mask, find_regions(mask.astype(np.float32), 0.5))


def masks_of(mask: Mask, regions: Sequence[Region]) -> Instances:
    """The pixels of each region.

    Args:
        mask: bool ``(H, W)``, displayed orientation, of which the regions are connected parts.
        regions: some or all of them.

    Returns:
        The regions that are parts of the mask, with their masks.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    known: dict[tuple[int, ...], list[int]] = {}
    for label in range(1, len(stats)):
        left, top, wide, high, area = map(int, stats[label])
        known.setdefault((left, top, left + wide, top + high, area), []).append(label)
    found: list[Region] = []
    number_of = np.zeros(len(stats), np.min_scalar_type(len(regions)))
    for region in regions:
        labels_here = known.get((*region.box, round(region.area_share * mask.size)))
        if labels_here:
            found.append(region)
            number_of[labels_here.pop(0)] = len(found)
    return Instances(found, number_of[labels], len(stats) - 1 - len(found))
