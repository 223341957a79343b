"""Means of 8x8 blocks, and how far a block is from the rest of its picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 8


def block_means(values: NDArray[Any]) -> NDArray[np.float64]:
    """Mean of every 8x8 block; the last row and column of blocks may be cut off by the picture's edge.

    Args:
        values: numbers ``(H, W)``.

    Returns:
        float64 ``(ceil(H/8), ceil(W/8))``.
    """
    rows, columns = (np.arange(0, side, SIDE) for side in values.shape)
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows, 0), columns, 1)
    heights, widths = (
        np.diff(np.append(starts, side)) for starts, side in zip((rows, columns), values.shape, strict=True)
    )
    return np.asarray(sums / (heights[:, None] * widths))


def spread_out(blocks: NDArray[np.float64], height: int, width: int) -> NDArray[np.float32]:
    """One value a block, brought to ``(height, width)`` pixels."""
    return np.asarray(blocks, np.float32).repeat(SIDE, 0).repeat(SIDE, 1)[:height, :width]


def block_numbers(height: int, width: int) -> NDArray[np.int32]:
    """Which block each pixel lies in, pixels and blocks both counted row by row: ``(H * W,)``."""
    rows, columns = np.arange(height, dtype=np.int32) // SIDE, np.arange(width, dtype=np.int32) // SIDE
    return np.asarray((rows[:, None] * -(-width // SIDE) + columns).ravel(), np.int32)


def stands_out(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of every value's logarithm from their median: a smoother place and a rougher one both stand out."""
    levels = np.log(blocks + 0.1)
    return np.asarray(np.abs(levels - np.median(levels)))
