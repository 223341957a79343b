"""The connected regions of a mask as one picture of numbers, so that forty thousand specks take no longer than ten."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.explain.refine.areas import Area, Mask
from omni_iml.regions import label_sums, position
from omni_iml.types import Box

Numbers = NDArray[np.int64]


class Labelled:
    """The connected regions of a mask, from the top, pixels that touch at a corner being connected.

    Args:
        mask: bool ``(H, W)``, displayed orientation.

    Attributes:
        boxes: ``(x0, y0, x1, y1)`` of each of the N regions, half-open.
        sizes: int64 ``(N,)``, how many pixels each has.
    """

    def __init__(self, mask: Mask) -> None:
        _, labels, stats, centroids = cv2.connectedComponentsWithStats(
            mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
        )
        left, top, wide, high, pixels = stats[1:].T  # the first is what is not set
        self._labels, self._centroids = np.asarray(labels, np.int32), centroids[1:]
        self.boxes: list[Box] = list(
            zip(left.tolist(), top.tolist(), (left + wide).tolist(), (top + high).tolist(), strict=True)
        )
        self.sizes: Numbers = pixels.astype(np.int64)

    def __len__(self) -> int:
        return len(self.boxes)

    def means(self, probability: NDArray[np.floating]) -> NDArray[np.float64]:
        """Mean of a map ``(H, W)`` over each region, ``(N,)``."""
        return label_sums(probability, self._labels, len(self) + 1)[1:] / self.sizes

    def overlaps(self, areas: Sequence[Area]) -> tuple[Numbers, Numbers]:
        """Shared pixels with some areas.

        Args:
            areas: inside the picture.

        Returns:
            The numbers of the regions that share a pixel with any area, ``(T,)``, rising, and how many each of them
            shares with each area, ``(T, areas)``.
        """
        met: list[Numbers] = []
        counts: list[Numbers] = []
        for area in areas:
            count = self._counts(area)
            met.append(np.flatnonzero(count))
            counts.append(count[met[-1]])
        touched = np.unique(np.concatenate([np.zeros(0, np.int64), *met]))
        found = np.zeros((len(touched), len(areas)), np.int64)
        for at, (own, count) in enumerate(zip(met, counts, strict=True)):
            found[np.searchsorted(touched, own), at] = count
        return touched, found

    def shared(self, chosen: Numbers, area: Area) -> int:
        """How many pixels the chosen regions, by their numbers, have in common with an area."""
        count = self._counts(area)
        return int(count[chosen[chosen < len(count)]].sum())

    def position(self, number: int) -> str:
        """Which of the nine positions a region's centroid has."""
        # OpenCV averages pixel indices; the middle of a pixel lies half a pixel further.
        x, y = (self._centroids[number] + 0.5).tolist()
        height, width = self._labels.shape
        return position(x, y, width, height)

    def painted(self, chosen: Mask) -> Mask:
        """The regions that are chosen, bool ``(N,)``, as a mask ``(H, W)``."""
        return np.asarray(np.concatenate([[False], chosen])[self._labels])

    def _counts(self, area: Area) -> Numbers:
        """Pixels of an area in each region, as far as the last region that it touches."""
        return np.bincount(self._labels[area.where][area.pixels])[1:]
