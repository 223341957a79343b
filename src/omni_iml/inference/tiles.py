"""Where tiles lie, and how one is cut: pure functions of sizes and arrays.

Tiles start on the 8-pixel grid, because the JPEG blocks do, and nothing is resampled or cropped away. A picture is
covered up to the end of its last JPEG block: pixels past its edge repeat the edge, and past the last block (in a
picture smaller than a tile) the coefficients are zero. A model that takes any size gets tiles no larger than needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from omni_iml.types import Box, EvidenceImage, JpegTrace, ModelInfo

BLOCK = 8
OVERLAP = 64
"""Pixels that neighbouring tiles share at the least."""

LEAST = 2 / 3
"""Of S: sides of the tiles of a picture that needs several, at the least."""

STRIDE = 32
"""Sides of the network's input are multiples of this."""

MAX_COEFFICIENT = 20
MAX_STEP = 63


@dataclass(frozen=True)
class TileInputs:
    """One tile as the network takes it, with a batch axis of one.

    Attributes:
        image: uint8 ``(1, 3, H, W)`` RGB.
        coefficients: uint8 ``(1, H, W)``, ``min(|c|, 20)``.
        table: uint8 ``(1, 8, 8)``, ``min(q, 63)``.
    """

    image: NDArray[np.uint8]
    coefficients: NDArray[np.uint8]
    table: NDArray[np.uint8]


def tile_side(length: int, info: ModelInfo) -> int:
    """Side of the tiles along one axis.

    Args:
        length: pixels along the axis, at least 1.
        info: the model.

    Returns:
        The model's S. A model that takes any size gets the least multiple of 32 with which one tile, or as many tiles
        as S needs, cover the axis; several are no smaller than `LEAST` of S, since a rim has little around it to go by.
    """
    if not info.free_size:
        return info.tile
    overlap = overlap_for(info.tile)
    count = len(tile_starts(length, info.tile, overlap))
    needed = -(-(length + (count - 1) * overlap) // (STRIDE * count)) * STRIDE
    return needed if count == 1 else max(needed, round(LEAST * info.tile / STRIDE) * STRIDE)


def tile_starts(length: int, tile: int, overlap: int = OVERLAP) -> tuple[int, ...]:
    """Where tiles start along one axis: evenly spread, on the 8-pixel grid.

    Args:
        length: pixels along the axis, at least 1.
        tile: side of a tile, a multiple of 8.
        overlap: pixels that neighbours share at the least, a multiple of 8 below ``tile``.

    Returns:
        Increasing multiples of 8. The first is 0. Where ``length > tile`` the last tile ends with the last 8-pixel
        block, at most 7 pixels past the edge; otherwise one tile covers the axis.

    Raises:
        ValueError: an argument is out of range or off the grid.
    """
    if length < 1:
        raise ValueError(f"length must be at least 1, not {length}")
    if tile < BLOCK or tile % BLOCK or overlap % BLOCK or not 0 <= overlap < tile:
        raise ValueError(f"tile {tile} and overlap {overlap} must be multiples of 8 with 0 <= overlap < tile")
    spare = -(-length // BLOCK) - tile // BLOCK  # blocks that one tile leaves uncovered
    if spare <= 0:
        return (0,)
    stride = (tile - overlap) // BLOCK
    steps = -(-spare // stride)
    # Rounding down keeps two starts at most ceil(spare / steps) <= stride blocks apart: the overlap is never undercut.
    return tuple(BLOCK * (step * spare // steps) for step in range(steps + 1))


def overlap_for(tile: int) -> int:
    """The overlap used with tiles of side ``tile``: `OVERLAP`, or half of a tile that is too small for it.

    Args:
        tile: side of a tile in pixels, a multiple of 16.

    Returns:
        Pixels, a multiple of 8.
    """
    return min(OVERLAP, tile // 2 // BLOCK * BLOCK)


@dataclass(frozen=True)
class Grid:
    """Where the tiles of one picture lie, in stored orientation; they are numbered from 0, row by row.

    Attributes:
        height: of the picture in pixels.
        width: likewise.
        tall: rows of a tile.
        wide: columns of a tile.
        rows: first pixel row of each row of tiles.
        columns: first pixel column of each column of tiles.
    """

    height: int
    width: int
    tall: int
    wide: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def origin(self, index: int) -> tuple[int, int]:
        """First row and first column of tile ``index``."""
        return self.rows[index // len(self.columns)], self.columns[index % len(self.columns)]

    def box(self, index: int) -> Box:
        """The tile's part of the picture in stored pixels, half-open; padding left out."""
        top, left = self.origin(index)
        return left, top, min(left + self.wide, self.width), min(top + self.tall, self.height)


def grid_of(height: int, width: int, info: ModelInfo) -> Grid:
    """The tiles of a picture.

    Args:
        height: rows of the picture in pixels, at least 1.
        width: columns, likewise.
        info: the model.

    Returns:
        The grid.
    """
    tall, wide = tile_side(height, info), tile_side(width, info)
    rows = tile_starts(height, tall, overlap_for(tall))
    return Grid(height, width, tall, wide, rows, tile_starts(width, wide, overlap_for(wide)))


def axis_weights(starts: tuple[int, ...], length: int, tile: int) -> tuple[NDArray[np.float64], ...]:
    """How much each tile counts at each of its pixels along one axis.

    A tile counts fully where it is alone; where two overlap, one's weight falls off linearly as the other's rises.
    The weights of two axes multiply to those of the picture, so they never have to be kept as a map.

    Args:
        starts: from `tile_starts`.
        length: pixels along the axis.
        tile: side of a tile.

    Returns:
        For each tile the weights of its pixels inside the picture, all above 0; at every pixel of the axis the tiles'
        weights sum to 1.
    """
    ends = [min(start + tile, length) for start in starts]
    weights = [np.ones(end - start) for start, end in zip(starts, ends, strict=True)]
    for left, right in pairwise(range(len(starts))):
        shared = starts[left] + tile - starts[right]
        rise = (np.arange(shared) + 0.5) / shared
        weights[right][:shared] *= rise
        weights[left][tile - shared :] *= 1 - rise
    total = np.zeros(length)
    for start, end, weight in zip(starts, ends, weights, strict=True):
        total[start:end] += weight
    return tuple(weight / total[start:end] for start, end, weight in zip(starts, ends, weights, strict=True))


def cut(image: EvidenceImage, top: int, left: int, height: int, width: int | None = None) -> TileInputs:
    """Cut one tile out of a picture and clip the trace to the range the network embeds.

    Args:
        image: the picture in stored orientation.
        top: first row, a multiple of 8.
        left: first column, a multiple of 8.
        height: rows of the tile.
        width: columns of the tile; as many as rows where it is left out.

    Returns:
        The tile's inputs; what lies outside the picture is padded.
    """
    width = height if width is None else width
    pixels = image.pixels[top : top + height, left : left + width]  # (h, w, 3)
    missing = ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]))
    if missing != ((0, 0), (0, 0)):
        pixels = np.pad(pixels, (*missing, (0, 0)), mode="edge")
    coefficients = np.zeros((1, height, width), np.uint8)
    part = image.trace.coefficients[top : top + height, left : left + width]
    # Clipping comes before the absolute value: |-32768| does not fit into int16.
    coefficients[0, : part.shape[0], : part.shape[1]] = np.abs(np.clip(part, -MAX_COEFFICIENT, MAX_COEFFICIENT))
    return TileInputs(
        image=np.ascontiguousarray(pixels.transpose(2, 0, 1)[None]),
        coefficients=coefficients,
        table=clipped_table(image.trace),
    )


def clipped_table(trace: JpegTrace) -> NDArray[np.uint8]:
    """The quantization table as the network takes it.

    Args:
        trace: the picture's JPEG trace.

    Returns:
        uint8 ``(1, 8, 8)``, ``min(q, 63)``.
    """
    return np.minimum(trace.table, MAX_STEP).astype(np.uint8)[None]
