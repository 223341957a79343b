"""Feature maps, heat maps and filter activations as pictures. Pure functions of arrays; no torch.

One palette throughout, *cividis*, which reads the same with and without colour blindness: dark blue low, yellow high.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from omni_iml.report.drawing import palette_rgb

RGB = NDArray[np.uint8]
Map = NDArray[np.float32]

_INK, _PAPER, _QUIET = (20, 20, 20), (255, 255, 255), (236, 236, 236)
_LOWEST, _HIGHEST = 1, 99
"""Percentiles between which colours run where a map has no range of its own: single extremes would flatten the rest."""


def deviation(features: Map) -> Map:
    """How far each place lies from the map's average: the root mean square over channels of their z-scores.

    Channels differ in scale by orders of magnitude; a plain mean would show the two or three largest of them.

    Args:
        features: ``(C, h, w)``.

    Returns:
        float32 ``(h, w)``, 0 and above; 1 is usual. Channels that are constant over the map count as 0.
    """
    mean, spread = features.mean((1, 2), keepdims=True), features.std((1, 2), keepdims=True)
    scores = (features - mean) / np.where(spread > 1e-6 * (1 + np.abs(mean)), spread, np.inf)  # (C, h, w)
    return np.asarray(np.sqrt((scores**2).mean(0)), np.float32)


def components(features: Map) -> RGB:
    """The first three principal components of the channels as red, green and blue.

    Places with like features get like colours. A component's sign is free; it is chosen so that its largest loading is
    positive, which makes the picture repeatable, not comparable between maps.

    Args:
        features: ``(C, h, w)``.

    Returns:
        uint8 ``(h, w, 3)``; black where there are fewer than three components.
    """
    count, height, width = features.shape
    flat = features.reshape(count, -1).astype(np.float64)  # (C, h*w)
    flat -= flat.mean(1, keepdims=True)
    _, directions = np.linalg.eigh(flat @ flat.T)  # ascending
    axes = directions[:, ::-1][:, :3]  # (C, up to 3)
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), range(axes.shape[1])])
    shown = np.zeros((height, width, 3), np.uint8)
    for i, scores in enumerate(axes.T @ flat):
        low, high = np.percentile(scores, (_LOWEST, _HIGHEST))
        if high > low:
            shown[..., i] = _bytes(scores, low, high).reshape(height, width)
    return shown


def colours(values: Map, low: float, high: float) -> RGB:
    """A map in the palette.

    Args:
        values: ``(h, w)``.
        low: shown as dark blue, with all below.
        high: shown as yellow, with all above; where it is not above ``low``, all is dark blue.

    Returns:
        uint8 ``(h, w, 3)`` RGB.
    """
    if not high > low:
        return np.broadcast_to(palette_rgb()[0], (*values.shape, 3)).copy()
    return np.asarray(palette_rgb()[_bytes(values, low, high)], np.uint8)


def robust_range(values: Map) -> tuple[float, float]:
    """The 1st and the 99th percentile."""
    low, high = np.percentile(values, (_LOWEST, _HIGHEST))
    return float(low), float(high)


def enlarged(picture: RGB, height: int, width: int) -> RGB:
    """A map at another size: its cells become blocks, so that nothing between them is made up."""
    way = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def filter_matrix(activations: Mapping[str, Sequence[float]], width: int, height: int) -> RGB:
    """Cells of Figure 8: a row for each dynamic weight filter, a column for each static filter W_i, A written in.

    Args:
        activations: A by the filter's name, 0..1; at least one filter.
        width: of the picture in pixels.
        height: likewise.

    Returns:
        uint8 ``(height, width, 3)`` RGB; colours run from A = 0 to A = 1.
    """
    canvas = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(canvas)
    rows, columns = len(activations), max(len(values) for values in activations.values())
    label = min(width // 3, 68)
    cell_width, cell_height = (width - label) // columns, (height - 18) // rows
    size = max(9, min(13, cell_width // 3, cell_height // 2))
    for j in range(columns):
        draw.text((label + j * cell_width + cell_width // 2, 9), f"W{j + 1}", _INK, font(size), anchor="mm")
    for i, (name, values) in enumerate(activations.items()):
        y = 18 + i * cell_height
        draw.text((2, y + cell_height // 2), name, _INK, font(size), anchor="lm")
        for j, value in enumerate(values):
            x = label + j * cell_width
            colour = tuple(int(c) for c in colours(np.full((1, 1), value, np.float32), 0, 1)[0, 0])
            draw.rectangle((x, y, x + cell_width - 2, y + cell_height - 2), fill=colour)
            ink = _INK if value > 0.5 else _PAPER
            draw.text((x + cell_width // 2, y + cell_height // 2), f"{value:.2f}", ink, font(size), anchor="mm")
    return np.asarray(canvas)


def sheet(title: str, rows: Sequence[tuple[str, Sequence[tuple[str, RGB]]]], side: int) -> Image.Image:
    """A contact sheet: rows of captioned panels.

    Args:
        title: one line at the top.
        rows: for each row its heading and its panels, each a caption and a picture.
        side: longer side of a panel in pixels.

    Returns:
        RGB picture.
    """
    gap, caption, heading = 8, 18, 24
    across = max(len(panels) for _, panels in rows)
    width = gap + across * (side + gap)
    height = 34 + len(rows) * (heading + side + caption + gap)
    canvas = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(canvas)
    draw.text((gap, 17), title, _INK, font(17), anchor="lm")
    y = 34
    for name, panels in rows:
        draw.rectangle((0, y, width, y + heading - 6), fill=_QUIET)
        draw.text((gap, y + (heading - 6) // 2), name, _INK, font(13), anchor="lm")
        y += heading
        for i, (words, picture) in enumerate(panels):
            x = gap + i * (side + gap)
            scale = side / max(picture.shape[:2])
            tall, wide = (max(1, round(scale * length)) for length in picture.shape[:2])
            canvas.paste(Image.fromarray(enlarged(picture, tall, wide)), (x, y))
            draw.text((x, y + side + caption // 2), words, _INK, font(12), anchor="lm")
        y += side + caption + gap
    return canvas


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, which needs no file of the system."""
    return ImageFont.load_default(size)


def _bytes(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    scaled = (np.clip(values, low, high) - low) * (255 / (high - low))
    return np.asarray(np.rint(scaled), np.uint8)
