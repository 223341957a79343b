"""The probability map as pictures: laid over the photo, and alone in grey."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.types import Box, Detection

_BAND = 256
"""Rows blended at a time: floating-point copies of a whole 12 Mpx photo would take half a gigabyte."""

_COLOUR_LEFT = 0.35
"""How much of its own colour the photo keeps, so that the map's colours stand out and the motif stays readable."""

_STRONGEST = 0.6
"""Opacity of the map where the probability is 1."""


def heatmap(detection: Detection) -> Image.Image:
    """The probability map in grey.

    Args:
        detection: the result.

    Returns:
        8-bit greyscale picture of the displayed size, 0 = probability 0, 255 = probability 1.
    """
    return Image.fromarray(_to_byte(detection.probability))


def overlay(detection: Detection) -> Image.Image:
    """The photo, its colours muted, under the probability map, with a box around each region.

    The map runs through *cividis*, from blue over grey to yellow, which reads the same with and without colour
    blindness; it is transparent where the probability is 0.

    Args:
        detection: the result.

    Returns:
        RGB picture of the displayed size.
    """
    palette = palette_rgb()
    canvas = np.empty_like(detection.pixels, order="C")
    for top in range(0, detection.height, _BAND):
        rows = slice(top, top + _BAND)
        canvas[rows] = blend(detection.pixels[rows], detection.probability[rows], palette)
    thickness = max(1, round(max(detection.width, detection.height) / 500))
    for region in detection.regions:
        _draw_box(canvas, region.box, thickness)
    return Image.fromarray(canvas)


def palette_rgb() -> NDArray[np.uint8]:
    """The colours of the map.

    Returns:
        uint8 ``(256, 3)`` RGB, from probability 0 to 1.
    """
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    bgr = cv2.applyColorMap(ramp, cv2.COLORMAP_CIVIDIS)  # (256, 1, 3)
    return np.asarray(bgr[:, 0, ::-1], np.uint8)


def blend(pixels: NDArray[np.uint8], probability: NDArray[np.float32], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a map over pixels; memory for floating-point copies of both is needed.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB.
        probability: float32 ``(H, W)``, 0..1.
        palette: from `palette_rgb`.

    Returns:
        uint8 ``(H, W, 3)`` RGB.
    """
    photo = pixels.astype(np.float32)
    luma = photo @ np.array([0.299, 0.587, 0.114], np.float32)
    muted = luma[..., None] + np.float32(_COLOUR_LEFT) * (photo - luma[..., None])
    opacity = np.float32(_STRONGEST) * probability[..., None]
    mixed = muted + opacity * (palette[_to_byte(probability)] - muted)
    return np.asarray(np.rint(mixed), np.uint8)


def _to_byte(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(probability * np.float32(255)), np.uint8)


def _draw_box(canvas: NDArray[np.uint8], box: Box, thickness: int) -> None:
    """A white line inside a black one: seen on any photo."""
    x0, y0, x1, y1 = box
    for width, colour in ((3 * thickness, (0, 0, 0)), (thickness, (255, 255, 255))):
        cv2.rectangle(canvas, (x0, y0), (x1 - 1, y1 - 1), colour, width)
