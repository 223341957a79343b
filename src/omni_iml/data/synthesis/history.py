"""JPEG histories: what happened to a file before and after the edit."""

from __future__ import annotations

import io

import numpy as np
from numpy.random import Generator
from PIL import Image

from omni_iml.data.synthesis.pixels import Pixels
from omni_iml.io import trace_of_pixels
from omni_iml.io.jpeg import read_trace
from omni_iml.types import JpegTrace

SUBSAMPLINGS = (0, 2)
"""Pillow's names of 4:4:4 and 4:2:0."""


def encode(pixels: Pixels, quality: int, subsampling: int) -> bytes:
    """JPEG bytes by Pillow (libjpeg-turbo), standard tables.

    Args:
        pixels: what to compress.
        quality: libjpeg's, 1 to 100.
        subsampling: one of `SUBSAMPLINGS`.
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return buffer.getvalue()


def decode(data: bytes) -> Pixels:
    """The RGB pixels that Pillow reads from an image file's bytes."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def any_subsampling(rng: Generator) -> int:
    """4:2:0 three times out of four, as in files in circulation."""
    return SUBSAMPLINGS[int(rng.random() < 0.75)]


def recompress(pixels: Pixels, quality: int, rng: Generator) -> Pixels:
    """Pixels after one JPEG round."""
    return decode(encode(pixels, quality, any_subsampling(rng)))


def finish_as_jpeg(pixels: Pixels, quality: int, rng: Generator) -> tuple[Pixels, JpegTrace]:
    """The last save as JPEG: the pixels a reader decodes and the coefficients and table in the file."""
    data = encode(pixels, quality, any_subsampling(rng))
    return decode(data), read_trace(data)


def finish_as_png(pixels: Pixels) -> tuple[Pixels, JpegTrace]:
    """The last save without loss: the pixels as they are, the DCT of their luma."""
    return pixels, trace_of_pixels(pixels)
