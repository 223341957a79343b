"""A bounded sample of a picture's luma for measurements of its history: small windows from everywhere, or one crop."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 16
"""Side of a window in pixels: it holds a block at each of the 64 places of the 8-pixel grid."""

MOST_WINDOWS = 2048


@dataclass(frozen=True)
class BlockSample:
    """Windows on the 8-pixel grid of a picture.

    Attributes:
        luma: float32 ``(N, 16, 16)``, 0..255.
        rows: block row of each window's corner, ``(N,)``.
        columns: block column of each window's corner, ``(N,)``.
        flat_share: share of the windows looked at whose pixels are all exactly equal, 0..1.
    """

    luma: NDArray[np.float32]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    flat_share: float


def sample_blocks(pixels: NDArray[np.uint8], most: int = 1024) -> BlockSample:
    """Take windows on a regular lattice and keep those that can tell something.

    Windows with clipped samples are left out, for clipping moves the coefficients off the quantizer's lattice; so are
    windows without texture.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB, stored orientation.
        most: windows that are kept at most, of up to `MOST_WINDOWS` looked at.

    Returns:
        The windows; none for a picture smaller than one.
    """
    rows, columns = (pixels.shape[0] - SIDE) // 8 + 1, (pixels.shape[1] - SIDE) // 8 + 1
    if rows < 1 or columns < 1:
        return BlockSample(np.zeros((0, SIDE, SIDE), np.float32), np.zeros(0, np.intp), np.zeros(0, np.intp), 0.0)
    step = max(1.0, float(np.sqrt(rows * columns / MOST_WINDOWS)))
    row, column = (np.arange(0, count, step).astype(np.intp) for count in (rows, columns))
    lattice = np.lib.stride_tricks.sliding_window_view(pixels, (SIDE, SIDE), axis=(0, 1))[::8, ::8]
    windows = lattice[row[:, None], column[None, :]].reshape(-1, 3, SIDE, SIDE)  # (N, 3, 16, 16)
    flat = (windows == windows[:, :, :1, :1]).all(axis=(1, 2, 3))
    luma = np.tensordot(windows.astype(np.float32), _WEIGHTS, axes=(1, 0))  # (N, 16, 16)
    low, high = luma.min(axis=(1, 2)), luma.max(axis=(1, 2))
    useful = np.flatnonzero((low > 2) & (high < 253) & (luma.std(axis=(1, 2)) > 1))
    useful = useful[np.linspace(0, useful.size - 1, min(most, useful.size)).astype(np.intp)]
    return BlockSample(luma[useful], row[useful // column.size], column[useful % column.size], float(flat.mean()))


def center_luma(pixels: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Luma of the middle of a picture.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB.
        side: longest side of the crop in pixels.

    Returns:
        float32, up to ``(side, side)``.
    """
    top, left = (max(0, (length - side) // 2) for length in pixels.shape[:2])
    crop = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), dtype=np.float32)


_WEIGHTS = np.array([0.299, 0.587, 0.114], dtype=np.float32)
