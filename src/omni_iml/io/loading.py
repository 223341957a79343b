"""From whatever the caller has to an `EvidenceImage`."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.io.jpeg import empty_tail, trace_of_clean
from omni_iml.io.limits import BYTES_A_PIXEL, SLACK_BYTES, check_length, check_size
from omni_iml.io.pixels import UnknownSamples, to_rgb, trace_of_pixels
from omni_iml.io.rasters import decode_jpeg, decode_raster, read_orientation
from omni_iml.io.segments import sanitise
from omni_iml.io.sniff import HEAD_BYTES, describe, sniff
from omni_iml.types import MAX_PIXELS, EvidenceImage, UnreadableImage

_CHUNK = 2**20

_KINDS = "give a path, bytes, a binary file object, a PIL image or a numpy array"


def load(source: object, *, max_pixels: int = MAX_PIXELS) -> EvidenceImage:
    """Read a picture with its JPEG trace, in stored orientation.

    Files are told apart by their content, never by their name: JPEG (of MPO the first picture), PNG, WebP, TIFF, BMP
    and GIF (first page or frame). A JPEG file that was cut short is read as far as it goes, with a warning. A file
    object is read from its beginning and left open. A PIL image gives its pixels only: the JPEG data that it was
    decoded from are gone, so its format is "array" if it came from a JPEG file.

    Args:
        source: a path (``str`` or ``Path``), the file's ``bytes``, a binary file object, a ``PIL.Image``, or a uint8
            array ``(H, W)`` gray, ``(H, W, 3)`` RGB or ``(H, W, 4)`` RGBA.
        max_pixels: refuse pictures with more pixels; memory stays below 40 bytes a pixel and 200 MB.

    Returns:
        Pixels, trace and what is known of the file.

    Raises:
        UnreadableImage: nothing can be read from the source; the message says why and what to do.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, "<array>", max_pixels)
    if isinstance(source, Image.Image):
        return _from_pil(source, max_pixels)
    if isinstance(source, str | os.PathLike):
        return _from_path(os.fsdecode(source), max_pixels)
    if isinstance(source, bytes | bytearray | memoryview):
        data = source if isinstance(source, bytes) else bytes(source)
        return _from_stream(io.BytesIO(data), f"<{len(data)} bytes>", max_pixels)
    if hasattr(source, "read"):
        return _from_file_object(source, max_pixels)
    raise UnreadableImage(f"<{type(source).__name__}>", "it is no kind of picture source", _KINDS)


def _from_path(name: str, max_pixels: int) -> EvidenceImage:
    with _reading(name):
        if not name:
            raise UnreadableImage("<empty name>", "no file is named", _KINDS)
        path = Path(name)
        # Asked before opening: to open a named pipe would wait for a writer.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UnreadableImage(name, "it is a folder", "name a picture in it, or expand it with find_sources")
        if not stat.S_ISREG(mode):
            raise UnreadableImage(name, "it is a pipe or a device", "copy its content to a file first")
        with path.open("rb") as stream:
            return _from_stream(stream, name, max_pixels)


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Turn what the operating system says into the package's own error."""
    try:
        yield
    except FileNotFoundError as error:
        raise UnreadableImage(name, "there is no such file", "check the name and the current folder") from error
    except PermissionError as error:
        raise UnreadableImage(name, "reading it is not permitted", "change its permissions or copy it") from error
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise UnreadableImage(
            name, f"it cannot be read ({cause})", "check the name, the disk and the network"
        ) from error


def _from_file_object(source: Any, max_pixels: int) -> EvidenceImage:
    given = getattr(source, "name", None)
    name = given if isinstance(given, str) and given else "<file object>"
    with _reading(name):
        if not isinstance(source.read(0), bytes):
            raise UnreadableImage(name, "the file object is opened as text", "open it in binary mode")
        seekable = getattr(source, "seekable", None)
        if seekable is not None and seekable():
            return _from_stream(source, name, max_pixels)
        most = SLACK_BYTES + BYTES_A_PIXEL * max_pixels
        with tempfile.SpooledTemporaryFile(max_size=SLACK_BYTES) as spool:
            while chunk := source.read(_CHUNK):
                spool.write(chunk)
                if spool.tell() > most:
                    raise UnreadableImage(name, f"it goes on after {most} bytes", "save the picture to a file first")
            return _from_stream(spool, name, max_pixels)


def _from_stream(stream: IO[bytes], name: str, max_pixels: int) -> EvidenceImage:
    size = stream.seek(0, io.SEEK_END)
    if not size:
        raise UnreadableImage(name, "the file is empty", "fetch or copy it again")
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    kind = sniff(head)
    if kind is None:
        raise UnreadableImage(name, f"its content is {describe(head)}", "give a JPEG, PNG, WebP, TIFF, BMP or GIF file")
    if kind == "JPEG":
        return _from_jpeg(stream, size, name, max_pixels)
    raster = decode_raster(stream, kind, max_pixels=max_pixels, source=name)
    return EvidenceImage(
        pixels=raster.pixels,
        trace=trace_of_pixels(raster.pixels),
        format=kind,
        orientation=raster.orientation,
        source=name,
        sha256=_digest(stream),
        warnings=raster.warnings,
    )


def _from_jpeg(stream: IO[bytes], size: int, name: str, max_pixels: int) -> EvidenceImage:
    stream.seek(0)
    data = stream.read(SLACK_BYTES)
    if size > len(data):
        frame = sanitise(data, max_pixels=max_pixels, source=name).frame
        check_length(size, frame.width * frame.height, name)
        data += stream.read(size - len(data))
    clean = sanitise(data, max_pixels=max_pixels, source=name)
    digest = hashlib.sha256(data).hexdigest()
    del data
    trace = trace_of_clean(clean, source=name)
    raster = decode_jpeg(clean, source=name)
    notes = raster.warnings
    if not clean.cut and (tail := empty_tail(trace.coefficients)):
        notes = (f"the last {tail} rows of pixels hold no data, as in a file that was cut short", *notes)
    return EvidenceImage(
        pixels=raster.pixels,
        trace=trace,
        format="MPO" if clean.multi_picture else "JPEG",
        orientation=raster.orientation,
        source=name,
        sha256=digest,
        warnings=notes,
    )


def _digest(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _from_pil(image: Image.Image, max_pixels: int) -> EvidenceImage:
    name = getattr(image, "filename", None)
    name = name if isinstance(name, str) and name else "<PIL image>"
    check_size(*image.size, max_pixels, name)
    try:
        image.load()
        orientation = read_orientation(image)
        pixels, notes = to_rgb(image)
    except UnknownSamples as error:
        raise UnreadableImage(name, str(error), "convert it to 8 bits a sample first") from error
    except Exception as error:  # Pillow raises whatever a damaged file makes it stumble over
        raise UnreadableImage(name, f"its pixels cannot be loaded ({error})", "give the file itself") from error
    kind = image.format or "array"
    if kind in ("JPEG", "MPO"):
        kind = "array"
        notes += ("a PIL image has no JPEG data any more; give the file itself so that its traces count",)
    return _of_pixels(pixels, kind, orientation, name, notes)


def _from_array(array: NDArray[Any], name: str, max_pixels: int) -> EvidenceImage:
    shapes = "give uint8 values 0 to 255 of shape (H, W), (H, W, 3) or (H, W, 4)"
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise UnreadableImage(name, f"the array has the shape {array.shape}", shapes)
    if array.dtype != np.uint8:
        nan = np.issubdtype(array.dtype, np.floating) and bool(np.isnan(array).any())
        raise UnreadableImage(name, f"the array holds {array.dtype}{' with NaN' if nan else ''}", shapes)
    check_size(array.shape[1], array.shape[0], max_pixels, name)
    pixels, notes = to_rgb(Image.fromarray(np.ascontiguousarray(array)))
    return _of_pixels(pixels, "array", 1, name, notes)


def _of_pixels(
    pixels: NDArray[np.uint8], kind: str, orientation: int, name: str, notes: tuple[str, ...]
) -> EvidenceImage:
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return EvidenceImage(
        pixels=pixels,
        trace=trace_of_pixels(pixels),
        format=kind,
        orientation=orientation,
        source=name,
        sha256=digest.hexdigest(),
        warnings=notes,
    )
