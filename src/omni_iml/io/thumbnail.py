"""Does the small picture inside a file show what the large one shows?"""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from omni_iml.io.segments import sanitise
from omni_iml.types import UnreadableImage

AGREE_ABOVE = 0.9
"""Correlation at and above which the two are said to agree."""

_MAX_PIXELS = 1_000_000
_SIDE = 64
_DARK = 32


def compare_thumbnail(data: bytes, pixels: NDArray[np.uint8]) -> dict[str, Any]:
    """Decode an embedded thumbnail within bounds and compare it with its picture.

    Black bars, which cameras put around a thumbnail of another shape, are cut off first. Both pictures are then brought
    to 64x64 luma samples, and the thumbnail is tried in the four quarter turns.

    Args:
        data: bytes of the thumbnail, a JPEG file.
        pixels: uint8 ``(H, W, 3)`` RGB, stored orientation.

    Returns:
        ``readable``; and where it is: ``width`` and ``height`` in pixels, ``turned`` in degrees clockwise from the
        picture as stored, ``aspect_difference`` (relative, 0 = the same shape), ``correlation`` (-1 to 1, of the best
        turn), and ``agrees``: the correlation is at or above `AGREE_ABOVE`. A flat picture has no correlation: it is
        null then, and so is ``agrees``.
    """
    try:
        clean = sanitise(data, max_pixels=_MAX_PIXELS, source="thumbnail")
        with JpegImageFile(io.BytesIO(clean.stream)) as image:
            small = np.asarray(image.convert("L"))
    except (UnreadableImage, OSError, ValueError, SyntaxError):
        return {"readable": False}
    height, width = small.shape
    inner = _without_bars(small)
    picture = _shrunk(_luma(pixels))
    turns = [_correlation(picture, np.rot90(_shrunk(inner), turn)) for turn in range(4)]
    # Straight wins unless another turn is clearly better: a picture of sky looks the same all round.
    best = max(range(4), key=lambda turn: turns[turn] - 0.1 * (turn > 0))
    correlation = None if np.isnan(turns[best]) else turns[best]
    aspect = pixels.shape[1] / pixels.shape[0]
    shape = inner.shape[1] / inner.shape[0] if best % 2 == 0 else inner.shape[0] / inner.shape[1]
    return {
        "readable": True,
        "width": width,
        "height": height,
        "turned": 90 * best,
        "aspect_difference": round(max(shape / aspect, aspect / shape) - 1, 3),
        "correlation": None if correlation is None else round(correlation, 3),
        "agrees": None if correlation is None else correlation >= AGREE_ABOVE,
    }


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma of every nth pixel, about 512 along the longer side: what follows averages over far more."""
    step = max(1, max(pixels.shape[:2]) // 512)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels[::step, ::step]), cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _shrunk(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(luma.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Pearson's correlation; NaN where a picture is flat, that is, deviates by one level or less."""
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > _SIDE * _SIDE else float("nan")


def _without_bars(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture without black bars of equal height (or width) at both ends, of up to a quarter each."""
    for axis in (0, 1):
        dark = luma.max(axis=1 - axis) < _DARK
        lit = np.flatnonzero(~dark)
        if lit.size == 0:
            return luma
        first, last = int(lit[0]), len(dark) - 1 - int(lit[-1])
        if min(first, last) > 0 and abs(first - last) <= 2 and max(first, last) <= len(dark) // 4:
            luma = luma.take(range(first, len(dark) - last), axis=axis)
    return luma
