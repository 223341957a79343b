"""Pixels and stored coefficients of a picture file, without the facts and judgements that `omni_iml.io.load` adds."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omni_iml.io.frames import format_of
from omni_iml.io.jpeg import empty_tail, trace_of_clean
from omni_iml.io.jpeg_quality import estimate_quality
from omni_iml.io.rasters import Decoder, decode_jpeg, decode_raster
from omni_iml.io.segments import sanitise
from omni_iml.types import MAX_PIXELS, JpegTrace, UnreadableImage


@dataclass(frozen=True)
class Decoded:
    """A picture as training takes it, in stored orientation.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` RGB.
        trace: of a JPEG file, where it was asked for; None of any other, whose stand-in is cheaper to compute from what
            is cut out of it.
        kind: Pillow's name of the format.
        quality: of a JPEG file, the quality whose tables are nearest; None of any other.
    """

    pixels: NDArray[np.uint8]
    trace: JpegTrace | None
    kind: str
    quality: int | None = None


def decode(data: bytes, source: str, *, trace: bool = True) -> Decoded:
    """Decode the first picture of a file; the pixels are those that `omni_iml.io.load` gives.

    Args:
        data: the file's bytes.
        source: how to name it in errors.
        trace: read the coefficients of a JPEG file too.

    Raises:
        UnreadableImage: it is no picture, damaged, cut short, or larger than is read here.
    """
    stream = io.BytesIO(data)
    kind = format_of(stream, source)
    if kind != "JPEG":
        raster = decode_raster(Decoder(stream, kind, source), 0, max_pixels=MAX_PIXELS)
        return Decoded(raster.pixels, None, kind)
    clean = sanitise(data, source=source)
    if clean.cut:
        raise UnreadableImage(source, "was cut short", "fetch it again")
    stored = trace_of_clean(clean, source=source) if trace else None
    if stored is not None and (tail := empty_tail(stored.coefficients)):
        raise UnreadableImage(source, f"holds no data in its last {tail} rows", "fetch it again")
    quality = estimate_quality(clean.tables or (clean.table,)).quality
    return Decoded(decode_jpeg(clean, source=source).pixels, stored, kind, quality)
