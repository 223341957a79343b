"""Scenes of authentic tiles, with the word boxes that are known in them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.framing import draw_start
from omni_iml.data.synthesis.pixels import Pixels
from omni_iml.data.synthesis.scene import Scene
from omni_iml.data.tile_cache import TileEntry
from omni_iml.data.words import rescaled
from omni_iml.types import Box

_AIMED = 0.75  # of the crops from a tile with known faces or signs; the rest keeps what is unknown or cut in use
_FILLED = (0.45, 0.85)  # share of the crop's side that a thing takes that is too large for it


def draw_crop(rng: Generator, tile: Pixels, entry: TileEntry, side: int, rescale: float, enough: int) -> Scene:
    """A crop of ``side`` pixels on the source's own 8 grid, sometimes rescaled.

    Photographers frame what they photograph: where faces or signs are known, most crops show one of them whole, on a
    smaller scale if it must be. Whether the crop will be edited has no part in that.

    What a small tile lacks is filled by mirroring, so that every operation finds pixels; the sample is cut back to the
    tile's own part in the end.

    Args:
        rng: source of all choices.
        tile: the tile's pixels.
        entry: what is known of the tile.
        side: of the crop in pixels, a multiple of 8, so that a mirrored crop keeps the grid too.
        rescale: probability of rescaling a tile that is large enough without.
        enough: pixels that a small tile is enlarged to, as far as that goes, even if ``side`` is more.
    """
    scale = float(np.exp(rng.uniform(-0.7, 0.4))) if rng.random() < rescale else 1.0
    aim = _aim(rng, entry)
    length = max(aim[2] - aim[0], aim[3] - aim[1])
    if length * scale > _FILLED[1] * side:
        scale = float(rng.uniform(*_FILLED)) * side / length
    if min(entry.height, entry.width) * scale < enough:
        # Upsample a little at most: enlarged pixels do not have the source's statistics.
        scale = min(max(scale, enough / min(entry.height, entry.width)), 1.25)
    wanted = int(np.ceil(side / scale))
    height, width = min(wanted, entry.height), min(wanted, entry.width)
    y = draw_start(rng, entry.height, height, aim[1], aim[3])
    x = draw_start(rng, entry.width, width, aim[0], aim[2])
    crop = Scene(tile, entry.words, entry.faces).window(y, x, height, width)
    if scale != 1.0:
        crop = _resized(crop, scale)
    tall, wide = crop.pixels.shape[:2]
    crop = crop.window(0, 0, min(tall, side), min(wide, side))
    if entry.domain in ("natural", "face") and rng.random() < 0.5:
        tall, wide = crop.pixels.shape[:2]
        # Whole blocks, so that the grid stays; words, which these domains have none of, would turn to nonsense.
        wide -= wide % 8
        faces = tuple((wide - x1, y0, wide - x0, y1) for x0, y0, x1, y1 in crop.window(0, 0, tall, wide).faces)
        crop = Scene(np.ascontiguousarray(crop.pixels[:, :wide][:, ::-1]), faces=faces)
    tall, wide = crop.pixels.shape[:2]
    if tall < side or wide < side:
        below, beside = side - tall, side - wide
        padded = cv2.copyMakeBorder(crop.pixels, 0, below, 0, beside, cv2.BORDER_REFLECT)
        crop = Scene(np.asarray(padded, np.uint8), crop.words, crop.faces, (below, beside))
    return crop


def _aim(rng: Generator, entry: TileEntry) -> Box:
    """The box that the crop shall show, an empty one in the tile's corner for none."""
    signs = entry.words if entry.domain == "scene_text" else ()
    things = (*entry.faces, *((word.x0, word.y0, word.x1, word.y1) for word in signs))
    if not things or rng.random() >= _AIMED:
        return 0, 0, 0, 0
    return things[int(rng.integers(len(things)))]


def _resized(crop: Scene, scale: float) -> Scene:
    height, width = crop.pixels.shape[:2]
    tall, wide = max(8, round(height * scale)), max(8, round(width * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels = np.asarray(cv2.resize(crop.pixels, (wide, tall), interpolation=method), np.uint8)
    down, across = tall / height, wide / width
    faces = tuple(
        (round(x0 * across), round(y0 * down), round(x1 * across), round(y1 * down)) for x0, y0, x1, y1 in crop.faces
    )
    return Scene(pixels, rescaled(crop.words, down, across), faces)
