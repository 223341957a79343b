"""How far a feature map sets tampered places apart from authentic ones (Figure 10), counted tile by tile."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]


@dataclass(frozen=True)
class Contrast:
    """Of one map on one picture; both are in standard deviations, and nan where either side has under two places.

    Attributes:
        energy: mean energy of tampered places minus that of authentic ones; its sign says which are the stronger.
        separation: root mean square over the channels of the same difference; 0 and above.
    """

    energy: float
    separation: float


def energy(features: Map) -> Map:
    """Root mean square over the channels.

    Args:
        features: ``(C, h, w)``.

    Returns:
        float32 ``(h, w)``, 0 and above.
    """
    return np.asarray(np.sqrt((features.astype(np.float64) ** 2).mean(0)), np.float32)


def places(mask: NDArray[np.bool_], valid: NDArray[np.bool_], height: int, width: int) -> NDArray[np.int8]:
    """What each place of a feature map stands for.

    Args:
        mask: ``(H, W)``, True = tampered.
        valid: ``(H, W)``, True where the picture is, False in the padding.
        height: of the feature map; it divides H.
        width: likewise.

    Returns:
        int8 ``(height, width)``: 1 where at least half of the place's pixels are tampered, 0 where none is, -1 between
        the two and where less than half of it is in the picture.
    """
    down, across = mask.shape[0] // height, mask.shape[1] // width

    def share(of: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.asarray(of.reshape(height, down, width, across).mean((1, 3)))

    tampered, inside = share(mask & valid), share(valid)
    found = np.where(tampered >= 0.5, 1, np.where(tampered > 0, -1, 0))
    return np.where(inside >= 0.5, found, -1).astype(np.int8)


class ContrastCounter:
    """Takes in a map's tiles and gives its `Contrast`. Where tiles overlap, a place counts in each of them."""

    def __init__(self) -> None:
        self._sums: dict[int, list[NDArray[np.float64]]] = {0: [], 1: []}

    def add(self, features: Map, where: NDArray[np.int8]) -> None:
        """Count one tile.

        Args:
            features: ``(C, h, w)``.
            where: int8 ``(h, w)``, from `places`.
        """
        rows = np.concatenate([features, energy(features)[None]]).astype(np.float64)  # (C + 1, h, w)
        for side, sums in self._sums.items():
            chosen = rows[:, where == side]  # (C + 1, places)
            count = np.full(len(rows), float(chosen.shape[1]))
            sums.append(np.stack([count, chosen.sum(1), (chosen**2).sum(1)]))

    def finish(self) -> Contrast:
        """The contrast of all tiles together."""
        if not self._sums[1]:
            return Contrast(math.nan, math.nan)
        (n0, mean0, var0), (n1, mean1, var1) = (_moments(sum(self._sums[side])) for side in (0, 1))
        if min(n0, n1) < 2:
            return Contrast(math.nan, math.nan)
        spread = np.sqrt((var0 + var1) / 2)
        level = 1e-6 * (1 + np.abs(mean0) + np.abs(mean1))  # constant but for rounding: says nothing
        difference = np.where(spread > level, (mean1 - mean0) / np.where(spread > level, spread, 1), 0)
        return Contrast(float(difference[-1]), float(np.sqrt((difference[:-1] ** 2).mean())))


def _moments(sums: NDArray[np.float64] | int) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Count, means and variances ``(C + 1,)``."""
    count, first, second = np.asarray(sums)
    n = float(count[0])
    mean = first / max(n, 1)
    return n, mean, np.maximum(second / max(n, 1) - mean**2, 0)
