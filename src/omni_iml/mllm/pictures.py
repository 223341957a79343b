"""Pictures as models take them: reduced where they are larger than a model would look at, and coded without loss."""

from __future__ import annotations

import base64

import cv2
import numpy as np
from numpy.typing import NDArray


def as_data_url(pixels: NDArray[np.uint8], max_side: int) -> str:
    """A picture as the chat protocol takes it.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB.
        max_side: longest side in pixels.

    Returns:
        ``data:image/png;base64,...``; PNG, so that no new compression covers what the old one left.
    """
    return "data:image/png;base64," + base64.b64encode(as_png(reduced(pixels, max_side))).decode()


def reduced(pixels: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """A picture that is no larger than asked.

    Args:
        pixels: uint8 ``(H, W, 3)`` or ``(H, W)``.
        max_side: longest side in pixels.

    Returns:
        The picture itself, or its reduction by averaging.
    """
    height, width = pixels.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def as_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode as PNG.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB.

    Returns:
        The file's bytes.
    """
    return cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()
