"""Small pictures for the tests of omni_iml.io."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

ORIENTATION = 274


def picture(height: int = 64, width: int = 96, channels: int = 3, seed: int = 0) -> np.ndarray:
    """A smooth coloured field with some grain: compresses like a photograph."""
    rng = np.random.default_rng(seed)
    shape = (height // 8 + 2, width // 8 + 2, 3)
    coarse = Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = rng.normal(0, 6, (height, width, 3))
    pixels = np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)
    return pixels if channels == 3 else pixels[:, :, 0]


def encode(image: np.ndarray | Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    return tags


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


def insert(data: bytes, extra: bytes) -> bytes:
    """The JPEG file with ``extra`` right after its start-of-image marker."""
    return data[:2] + extra + data[2:]


def with_size(data: bytes, width: int, height: int) -> bytes:
    """The JPEG file with another size in its frame header."""
    at = next(i for i in range(len(data)) if data[i] == 0xFF and data[i + 1] in (0xC0, 0xC1, 0xC2))
    return data[: at + 5] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[at + 9 :]


def replace_frame(data: bytes, marker: int) -> bytes:
    """The JPEG file with another coding process in its frame header."""
    at = next(i for i in range(len(data)) if data[i] == 0xFF and data[i + 1] in (0xC0, 0xC1, 0xC2))
    return data[: at + 1] + bytes([marker]) + data[at + 2 :]
