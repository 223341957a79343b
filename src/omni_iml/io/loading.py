"""From whatever the caller has to an `EvidenceImage`."""

from __future__ import annotations

import hashlib
import io
from contextlib import AbstractContextManager, ExitStack
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.io.claims import Claims
from omni_iml.io.facts import jpeg_facts, pixel_digest, pixel_facts, raster_facts
from omni_iml.io.fitness import assessed
from omni_iml.io.frames import check_frame, format_of, frame_note, survey
from omni_iml.io.limits import BYTES_A_PIXEL, SLACK_BYTES, check_length, check_size
from omni_iml.io.missing import decode_present
from omni_iml.io.multipicture import picture_places
from omni_iml.io.opening import opened, private_copy, read_up_to
from omni_iml.io.pixels import UnknownSamples, to_rgb, trace_of_pixels
from omni_iml.io.rasters import Decoder, check_claims, decode_raster, read_orientation
from omni_iml.io.segments import sanitise
from omni_iml.types import MAX_PIXELS, EvidenceImage, UnreadableImage


def load(source: object, *, max_pixels: int = MAX_PIXELS, frame: int = 0) -> EvidenceImage:
    """Read a picture with its JPEG trace, in stored orientation.

    Files are told apart by their content, never by their name: JPEG and multi-picture JPEG (MPO), PNG and APNG, WebP,
    TIFF, BMP, GIF, JPEG 2000, AVIF, and HEIC with the extra ``omni-iml[heic]``. A JPEG file that was cut short is read
    as far as it goes, with a warning; see `omni_iml.io.missing`. A file object is read from its beginning and left
    open. A file is read once: digest and pixels are of the same bytes even if it changes meanwhile. A PIL image gives
    its pixels only: the JPEG data that it was decoded from are gone, so its format is "array" if it came from a JPEG
    file.

    Args:
        source: a path (``str`` or ``Path``), the file's ``bytes``, a binary file object, a ``PIL.Image``, or a uint8
            array ``(H, W)`` gray, ``(H, W, 3)`` RGB or ``(H, W, 4)`` RGBA.
        max_pixels: refuse pictures with more pixels; memory stays below 40 bytes a pixel and 200 MB.
        frame: which frame, page or picture of the file, from 0; see `omni_iml.io.frames.count_frames`. Each picture of
            an MPO file has JPEG traces of its own. Arrays and PIL images are one picture, as they stand.

    Returns:
        Pixels, trace, facts about the file, and its fitness: whether traces of an edit can still be there.

    Raises:
        UnreadableImage: nothing can be read from the source, or it has no such frame; the message says why and what to
            do.
    """
    if isinstance(source, np.ndarray):
        check_frame(frame, Claims(), "<array>")
        return assessed(_from_array(source, "<array>", max_pixels))
    if isinstance(source, Image.Image):
        return assessed(_from_pil(source, max_pixels, frame))
    with opened(source, max_pixels=max_pixels) as (stream, name), FrameReader(stream, name, max_pixels) as reader:
        return reader.read(frame)


class FrameReader(AbstractContextManager["FrameReader"]):
    """Reads several frames or pages of one file, those of an animation in one pass where they come in order.

    Args:
        stream: the file, seekable; left open.
        source: how to name the file in errors.
        max_pixels: as for `load`.

    Raises:
        UnreadableImage: the file is of no format that is read here.
    """

    def __init__(self, stream: IO[bytes], source: str, max_pixels: int) -> None:
        self._stream = stream
        self._source = source
        self._max_pixels = max_pixels
        self._kind = format_of(stream, source)
        self._copies = ExitStack()
        self._decoder: Decoder | None = None
        self._digest = ""

    def __exit__(self, *_: object) -> None:
        self._copies.close()

    def count(self) -> int:
        """How many frames there are, as far as `omni_iml.io.claims.MAX_FRAMES`; one more stands for more."""
        return survey(self._stream, self._kind, 0, self._source).frames

    def read(self, frame: int = 0) -> EvidenceImage:
        """Read one frame, as `load` does.

        Args:
            frame: from 0.

        Returns:
            The picture.

        Raises:
            UnreadableImage: it cannot be read, or there is no such frame; others may be.
        """
        if self._kind == "JPEG":
            return assessed(_from_jpeg(self._stream, self._source, self._max_pixels, frame))
        if self._decoder is None:
            self._decoder = self._copied(frame)
        return assessed(_from_raster(self._decoder, self._digest, self._max_pixels, frame))

    def _copied(self, frame: int) -> Decoder:
        most = SLACK_BYTES
        if self._stream.seek(0, io.SEEK_END) > most:  # what will be refused need not be copied first
            claims = check_claims(self._stream, self._kind, frame, max_pixels=self._max_pixels, source=self._source)
            most += BYTES_A_PIXEL * (claims.pixels or self._max_pixels)
        copy, self._digest = self._copies.enter_context(private_copy(self._stream, most, self._source))
        return Decoder(copy, self._kind, self._source)


def _from_raster(decoder: Decoder, digest: str, max_pixels: int, frame: int) -> EvidenceImage:
    raster = decode_raster(decoder, frame, max_pixels=max_pixels)
    facts = raster_facts(decoder.stream, decoder.kind, digest, raster.pixels, raster.embedded)
    return EvidenceImage(
        pixels=raster.pixels,
        trace=trace_of_pixels(raster.pixels),
        format=decoder.kind,
        orientation=raster.orientation,
        source=decoder.source,
        sha256=digest,
        warnings=raster.warnings,
        facts=facts,
    )


def _from_jpeg(stream: IO[bytes], name: str, max_pixels: int, frame: int) -> EvidenceImage:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    data = read_up_to(stream, SLACK_BYTES)
    if size > len(data):
        first = sanitise(data, max_pixels=max_pixels, source=name).frame
        check_length(size, first.width * first.height, name)
        data += read_up_to(stream, size - len(data))
    digest = hashlib.sha256(data).hexdigest()
    places = picture_places(io.BytesIO(data))
    claims = Claims(frames=len(places))
    check_frame(frame, claims, name)
    if frame:
        start, length = places[frame]
        data = data[start : start + length]
    clean = sanitise(data, max_pixels=max_pixels, source=name)
    del data
    decoded = decode_present(clean, source=name)
    raster = decoded.raster
    notes = raster.warnings + frame_note(frame, claims)
    if not clean.cut and decoded.missing_rows:
        rows = f"the last {decoded.missing_rows} rows of pixels"
        notes = (f"{rows} hold no data, as in a file that was cut short", *notes)
    kind = "MPO" if clean.multi_picture or frame else "JPEG"
    return EvidenceImage(
        pixels=raster.pixels,
        trace=decoded.trace,
        format=kind,
        orientation=raster.orientation,
        source=name,
        sha256=digest,
        warnings=notes,
        facts=jpeg_facts(stream, kind, clean, digest, raster.pixels),
        missing_rows=decoded.missing_rows,
        missing_scans=decoded.missing_scans,
    )


def _from_pil(image: Image.Image, max_pixels: int, frame: int) -> EvidenceImage:
    name = getattr(image, "filename", None)
    name = name if isinstance(name, str) and name else "<PIL image>"
    check_frame(frame, Claims(), name)
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
    digest = pixel_digest(pixels)
    return EvidenceImage(
        pixels=pixels,
        trace=trace_of_pixels(pixels),
        format=kind,
        orientation=orientation,
        source=name,
        sha256=digest,
        warnings=notes,
        facts=pixel_facts(digest),
    )
