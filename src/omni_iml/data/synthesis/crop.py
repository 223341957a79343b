"""Crops of authentic tiles, with the word boxes that are known in them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.sources import TileEntry
from omni_iml.data.synthesis.pixels import Pixels
from omni_iml.data.words import WordBox, rescaled, seen_through


@dataclass(frozen=True)
class Crop:
    """A piece of a source picture.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` RGB.
        words: known word boxes in it, in its own coordinates.
        filled: rows and columns at the bottom and right that are mirrored, because the source is smaller.
    """

    pixels: Pixels
    words: tuple[WordBox, ...] = ()
    filled: tuple[int, int] = (0, 0)

    @property
    def extent(self) -> tuple[int, int]:
        """Height and width of the part that is the source's own."""
        height, width = self.pixels.shape[:2]
        return height - self.filled[0], width - self.filled[1]

    def window(self, y: int, x: int, height: int, width: int) -> Crop:
        """The part of ``height`` by ``width`` pixels from row ``y`` and column ``x`` on; it must lie inside."""
        pixels = np.ascontiguousarray(self.pixels[y : y + height, x : x + width])
        own_height, own_width = self.extent
        filled = max(0, y + height - own_height), max(0, x + width - own_width)
        return Crop(pixels, seen_through(self.words, y, x, height, width), filled)


def draw_crop(rng: Generator, tile: Pixels, entry: TileEntry, side: int, rescale: float) -> Crop:
    """A crop of ``side`` pixels on the source's own 8 grid, sometimes rescaled.

    What a small tile lacks is filled by mirroring, so that every operation finds pixels; the sample is cut back to the
    tile's own part in the end.

    Args:
        rng: source of all choices.
        tile: the tile's pixels.
        entry: what is known of the tile.
        side: of the crop in pixels, a multiple of 8, so that a mirrored crop keeps the grid too.
        rescale: probability of rescaling a tile that is large enough without.
    """
    scale = float(np.exp(rng.uniform(-0.7, 0.4))) if rng.random() < rescale else 1.0
    if min(entry.height, entry.width) * scale < side:
        # Upsample a little at most: enlarged pixels do not have the source's statistics.
        scale = min(max(scale, side / min(entry.height, entry.width)), 1.25)
    wanted = int(np.ceil(side / scale))
    height, width = min(wanted, entry.height), min(wanted, entry.width)
    y = int(rng.integers(0, (entry.height - height) // 8 + 1)) * 8
    x = int(rng.integers(0, (entry.width - width) // 8 + 1)) * 8
    crop = Crop(tile, entry.words).window(y, x, height, width)
    if scale != 1.0:
        crop = _resized(crop, scale)
    tall, wide = crop.pixels.shape[:2]
    crop = crop.window(0, 0, min(tall, side), min(wide, side))
    if entry.domain in ("natural", "face") and rng.random() < 0.5:
        tall, wide = crop.pixels.shape[:2]
        # Whole blocks, so that the grid stays; words, which these domains have none of, would turn to nonsense.
        crop = Crop(np.ascontiguousarray(crop.pixels[:, : wide - wide % 8][:, ::-1]))
    tall, wide = crop.pixels.shape[:2]
    if tall < side or wide < side:
        below, beside = side - tall, side - wide
        padded = cv2.copyMakeBorder(crop.pixels, 0, below, 0, beside, cv2.BORDER_REFLECT)
        crop = Crop(np.asarray(padded, np.uint8), crop.words, (below, beside))
    return crop


def _resized(crop: Crop, scale: float) -> Crop:
    height, width = crop.pixels.shape[:2]
    tall, wide = max(8, round(height * scale)), max(8, round(width * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels = np.asarray(cv2.resize(crop.pixels, (wide, tall), interpolation=method), np.uint8)
    return Crop(pixels, rescaled(crop.words, tall / height, wide / width))
