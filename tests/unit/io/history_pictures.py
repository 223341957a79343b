"""Example pictures without a history of their own, and histories to give them."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = ("pagoda", "mountains", "bowl")


@cache
def clean(name: str) -> np.ndarray:
    """An example at half its size, by area averaging: that leaves nothing of its JPEG compression."""
    pixels = np.asarray(Image.open(EXAMPLES / f"{name}.jpg").convert("RGB"))
    height, width = pixels.shape[:2]
    pixels = pixels[: height // 2 * 2, : width // 2 * 2]
    return cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def jpeg(pixels: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def saved(pixels: np.ndarray, quality: int) -> np.ndarray:
    """The pixels after a JPEG compression."""
    return np.asarray(Image.open(io.BytesIO(jpeg(pixels, quality))))


def enlarged(pixels: np.ndarray, factor: float) -> np.ndarray:
    size = round(pixels.shape[1] * factor), round(pixels.shape[0] * factor)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
