"""DocTamper's test compression, in the four ways that are in use under one name (see `Protocol.compression`).

The authors' lists give each picture one to three JPEG qualities, in order of application. Their script saves again and
again into one open temporary file, so that the streams stand one after the other and every reader sees the first one.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.evaluation.protocol import Compression
from omni_iml.io import load
from omni_iml.types import EvidenceImage, JpegTrace


def compressed(pixels: NDArray[np.uint8], qualities: Sequence[int], how: Compression) -> EvidenceImage:
    """A document picture as a model is shown it under one of DocTamper's protocols.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB.
        qualities: libjpeg's, one to three, in order of application.
        how: which of the four ways.

    Returns:
        Pixels, coefficients and table; under "official-asrun" these need not belong together.

    Raises:
        ValueError: no quality, more than three, or one outside 1..100.
    """
    if not 1 <= len(qualities) <= 3 or not all(1 <= q <= 100 for q in qualities):
        raise ValueError(f"DocTamper compresses one to three times with 1 to 100, not {list(qualities)}.")
    if how == "first":
        return load(_jpeg(Image.fromarray(pixels), qualities[0]))  # in colour, as FFDN's configuration has it
    gray = Image.fromarray(pixels).convert("L")
    if how == "final":
        return load(_jpeg(gray, qualities[-1]))
    if how == "intended":
        for quality in qualities[:-1]:
            gray = Image.open(io.BytesIO(_jpeg(gray, quality)))
        return load(_jpeg(gray, qualities[-1]))
    first = load(_jpeg(gray, qualities[0]))
    # With one save, the script never reads the picture back from the file.
    shown = np.asarray(gray.convert("RGB")) if len(qualities) == 1 else first.pixels
    trace = JpegTrace(first.trace.coefficients, table_of(qualities[-1]))
    digest = hashlib.sha256(shown.tobytes() + trace.table.tobytes()).hexdigest()
    return EvidenceImage(
        np.ascontiguousarray(shown), trace, "JPEG", 1, "<DocTamper, as run>", digest, fitness=first.fitness
    )


def table_of(quality: int) -> NDArray[np.uint16]:
    """The luma table of a quality of libjpeg's, uint16 ``(8, 8)`` in natural order, as ``qt_table.pk`` lists it."""
    return load(_jpeg(Image.new("L", (8, 8)), quality)).trace.table


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
