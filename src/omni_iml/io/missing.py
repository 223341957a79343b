"""Of a JPEG file that was cut short: what is missing, told from what is there.

The missing end-of-image marker does not tell: a file may lack nothing but that marker, or have one put after a cut. Nor
do empty blocks: a picture may end in exactly middle gray. So the decoder is asked. It is given more data after the last
of the file's; where it takes them for part of the picture, it had come to the end of the data before the end of the
picture, and the first pixel that they change is the first that depends on what is missing.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from omni_iml.io.jpeg import empty_tail, trace_of_clean
from omni_iml.io.rasters import Raster, decode_jpeg
from omni_iml.io.scans import code_everything
from omni_iml.io.segments import CleanJpeg
from omni_iml.types import EvidenceImage, JpegTrace, UnreadableImage

_BLOCK = 8
_RST0 = 0xD0
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")

# Without FF, which would be a marker. A kilobyte: were all of it swallowed by one run of empty blocks, nothing would
# be seen to change.
_FILLER = bytes(random.Random(0).choices(range(255), k=1024))


@dataclass(frozen=True)
class Decoded:
    """A JPEG file as far as it goes.

    Attributes:
        trace: as `omni_iml.io.jpeg.trace_of_clean` gives it.
        raster: as `omni_iml.io.rasters.decode_jpeg` gives it.
        missing_rows: as in `EvidenceImage`.
        missing_scans: as in `EvidenceImage`.
    """

    trace: JpegTrace
    raster: Raster
    missing_rows: int = 0
    missing_scans: bool = False


def decode_present(clean: CleanJpeg, *, source: str) -> Decoded:
    """Decode what a file holds, and tell what it lacks.

    Of the last scan of several, a part is left out: it would leave a border between refined rows and coarse ones.

    Args:
        clean: what `omni_iml.io.segments.sanitise` returned.
        source: how to name the file in errors.

    Returns:
        Trace and pixels of the whole frame, and which of its rows and scans are missing.

    Raises:
        UnreadableImage: the coded data cannot be decoded, or end in the first row of blocks.
    """
    trace, raster = trace_of_clean(clean, source=source), decode_jpeg(clean, source=source)
    tail = empty_tail(trace.coefficients)
    if not clean.cut and not tail:
        return Decoded(trace, raster)
    height = clean.frame.height
    begin = first_missing_row(clean, raster, source=source)
    rows, partial = 0, False
    if begin is not None and _has_coarser_scans(clean):
        clean, partial = _without_last_scan(clean), True
        trace, raster = trace_of_clean(clean, source=source), decode_jpeg(clean, source=source)
        rows = height - min(height, trace.coefficients.shape[0] - empty_tail(trace.coefficients))
    elif begin is not None:
        rows = height - begin
    if rows >= height:
        raise UnreadableImage(
            source, "its data end in the first row of 8-pixel blocks", "fetch or copy the whole file again"
        )
    identifiers = [component[0] for component in clean.frame.components]
    # A file that has its end-of-image marker may leave out the last bits on purpose.
    scans = partial or (clean.cut and not code_everything(clean.scans, identifiers, clean.frame.progressive))
    return Decoded(trace, raster, rows, scans)


def first_missing_row(clean: CleanJpeg, raster: Raster, *, source: str) -> int | None:
    """Where the pixels begin that depend on data after the end of the last scan's.

    Args:
        clean: the file.
        raster: its pixels.
        source: how to name the file in errors.

    Returns:
        A row, rounded down to a multiple of 8; None where the last scan is all there.

    Raises:
        UnreadableImage: the coded data cannot be decoded.
    """
    last = clean.scans[-1]
    filler = _FILLER
    if clean.restart_interval:
        # Data may end right before a restart marker; the decoder waits for the next in turn and skips all else.
        passed = _RESTART.findall(clean.stream, last.start, last.stop)
        turn = (passed[-1][0] - _RST0 + 1) % 8 if passed else 0
        filler += bytes([0xFF, _RST0 + turn]) + _FILLER
    longer = replace(clean, stream=clean.stream[: last.stop] + filler + clean.stream[last.stop :])
    changed = (decode_jpeg(longer, source=source).pixels != raster.pixels).any(axis=(1, 2))
    return int(np.argmax(changed)) // _BLOCK * _BLOCK if changed.any() else None


def present(image: EvidenceImage) -> EvidenceImage:
    """The picture without its missing rows, as if it ended where they begin.

    Args:
        image: in stored orientation.

    Returns:
        A picture whose arrays are views of the other's; the picture itself where no row is missing.
    """
    if not image.missing_rows:
        return image
    rows = image.pixels.shape[0] - image.missing_rows
    coefficients = image.trace.coefficients[: -(-rows // _BLOCK) * _BLOCK]
    trace = replace(image.trace, coefficients=coefficients)
    return replace(image, pixels=image.pixels[:rows], trace=trace, missing_rows=0)


def completed(probability: NDArray[np.float32], image: EvidenceImage) -> NDArray[np.float32]:
    """A map of `present` as one of the whole picture.

    Args:
        probability: float32 ``(H - missing rows, W)``, stored orientation.
        image: the whole picture.

    Returns:
        float32 ``(H, W)``, 0 over the missing rows; the map itself where there are none.
    """
    if not image.missing_rows:
        return probability
    return np.pad(probability, ((0, image.missing_rows), (0, 0)))


def _has_coarser_scans(clean: CleanJpeg) -> bool:
    """Whether the first component, without which there is no picture, is coded before the last scan too."""
    identifier = clean.frame.components[0][0]
    return any(identifier in scan.components for scan in clean.scans[:-1])


def _without_last_scan(clean: CleanJpeg) -> CleanJpeg:
    last = clean.scans[-1]
    return replace(clean, stream=clean.stream[: last.start] + clean.stream[last.stop :], scans=clean.scans[:-1])
