"""Tiles' masks -> one probability map, in as much memory as the map itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from omni_iml.inference.tiles import axis_weights


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logistic function without overflow at either end.

    Args:
        logits: float32, any shape.

    Returns:
        float32 of the same shape, 0..1.
    """
    return np.asarray(np.float32(0.5) * (np.float32(1) + np.tanh(np.float32(0.5) * logits)), np.float32)


class Canvas:
    """The probability map of one picture while its tiles come in.

    Overlapping tiles are averaged with weights that fall off linearly across the overlap. The weights are known before
    the first tile arrives and sum to 1 at every pixel, so the map is complete once each tile has been added once:
    4 bytes a pixel, nothing to divide by at the end.

    Args:
        height: rows of the picture.
        width: columns of the picture.
        tile: rows and columns of a tile.
        rows: first row of each row of tiles, from `omni_iml.inference.tiles.tile_starts`.
        columns: first column of each column of tiles.
    """

    def __init__(
        self, height: int, width: int, tile: tuple[int, int], rows: tuple[int, ...], columns: tuple[int, ...]
    ) -> None:
        self._rows = dict(zip(rows, axis_weights(rows, height, tile[0]), strict=True))
        self._columns = dict(zip(columns, axis_weights(columns, width, tile[1]), strict=True))
        self._map = np.zeros((height, width), np.float32)

    def add(self, top: int, left: int, probability: NDArray[np.float32]) -> None:
        """Add one tile's map; what lies in the padding is left out.

        Args:
            top: first row of the tile, one of ``rows``.
            left: first column of the tile, one of ``columns``.
            probability: float32 of the tile's size, 0..1.
        """
        down, across = self._rows[top], self._columns[left]
        part = probability[: len(down), : len(across)]
        weight = np.outer(down, across).astype(np.float32)
        self._map[top : top + len(down), left : left + len(across)] += part * weight

    def finish(self) -> NDArray[np.float32]:
        """The blended map.

        Returns:
            float32 ``(height, width)``, 0..1. It is the canvas's own array: the canvas is not to be used again.
        """
        return np.clip(self._map, 0, 1, out=self._map)  # rounding may leave 1 + 1e-7
