"""Decode picture files through Pillow, in stored orientation and within the pixel limit."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, NoReturn

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from omni_iml.io.claims import Claims
from omni_iml.io.deep import deep_colours
from omni_iml.io.embedded import Embedded, embedded_of
from omni_iml.io.frames import check_frame, frame_note, survey
from omni_iml.io.heif import open_heif, place_of
from omni_iml.io.limits import check_length, check_size
from omni_iml.io.orientation import to_stored
from omni_iml.io.pixels import PALETTE_NOTE, UnknownSamples, to_rgb
from omni_iml.io.profiles import profile_note
from omni_iml.io.segments import CleanJpeg
from omni_iml.io.tiff import put_first
from omni_iml.types import UnreadableImage

# The classes are called directly: Image.open would guess among all of Pillow's formats and consult its pixel limit, a
# global variable that belongs to the program around us. Those of TIFF, WebP and GIF consult it all the same.
_READERS: dict[str, type[ImageFile]] = {
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
    "JPEG2000": Jpeg2KImageFile,
    "AVIF": AvifImageFile,
}
_ORIENTATION = 274
_BITS_PER_SAMPLE = 258
_AGAIN = "fetch or copy the file again"
_SMALLER = "raise that as well, or cut the picture into parts"


@dataclass(frozen=True)
class Raster:
    """Decoded pixels of a file.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` RGB, stored orientation.
        orientation: EXIF orientation, 1 to 8.
        warnings: what decoding and flattening changed.
        embedded: what the decoder found beside the pixels.
    """

    pixels: NDArray[np.uint8]
    orientation: int
    warnings: tuple[str, ...]
    embedded: Embedded = field(default_factory=Embedded)


class Decoder:
    """The reader of one file that is no JPEG. That of an animation stays open: frames read in order are painted once.

    Args:
        stream: a copy of the file that is ours alone (a TIFF's header is changed in it for a while), seekable; left
            open.
        kind: its format, as `omni_iml.io.sniff.sniff` names it.
        source: how to name the file in errors.
    """

    def __init__(self, stream: IO[bytes], kind: str, source: str) -> None:
        self.stream = stream
        self.kind = kind
        self.source = source
        self._open: ImageFile | None = None

    def painted(self, frame: int) -> int:
        """How many frames up to this one are painted already."""
        return self._open.tell() + 1 if self._open is not None and self._open.tell() <= frame else 0

    @contextmanager
    def at(self, frame: int, *, several: bool) -> Iterator[ImageFile]:
        """The Pillow image at a frame or page.

        Args:
            frame: from 0.
            several: whether the file has other frames, for which the reader is kept.

        Yields:
            The image, its pixels not loaded.

        Raises:
            Exception: whatever Pillow raises when the file is damaged.
        """
        if self.kind == "TIFF":
            with put_first(self.stream, frame, self.source):
                self.stream.seek(0)
                yield TiffImageFile(self.stream)
        elif self.kind == "HEIF":
            with open_heif(self.stream, self.source) as heif:
                heif.seek(place_of(frame, heif.tell()))
                yield heif
        else:
            image, self._open = self._open, None  # one that has stumbled is not used again
            if image is None or image.tell() > frame:
                self.stream.seek(0)
                image = _READERS[self.kind](self.stream)
            if frame:
                image.seek(frame)
            yield image
            self._open = image if several else None


def check_claims(stream: IO[bytes], kind: str, frame: int, *, max_pixels: int, source: str, painted: int = 0) -> Claims:
    """Ask a file that is no JPEG what it claims, and refuse what is too much before anything is decoded.

    Args:
        stream: the file, seekable.
        kind: its format, as `omni_iml.io.sniff.sniff` names it.
        frame: which frame or page, from 0.
        max_pixels: refuse larger pictures.
        source: how to name the file in errors.
        painted: how many frames of an animation are painted already.

    Returns:
        What it claims.

    Raises:
        UnreadableImage: too large, far longer than its pictures explain, or there is no such frame.
    """
    claims = survey(stream, kind, frame, source)
    if claims.size is not None:
        check_size(*claims.size, max_pixels, source)
        check_length(stream.seek(0, io.SEEK_END), claims.pixels, source)
    check_frame(frame, claims, source, painted=painted)
    return claims


def decode_raster(decoder: Decoder, frame: int = 0, *, max_pixels: int) -> Raster:
    """Decode one frame or page of a file that is no JPEG.

    Args:
        decoder: the file's reader.
        frame: which frame or page, from 0. A frame of an animation is what a viewer shows then, composed over the
            frames before it.
        max_pixels: refuse larger pictures before anything is decoded.

    Returns:
        Pixels, orientation and warnings.

    Raises:
        UnreadableImage: damaged, cut short, too large, of samples that have no plain conversion to 8 bits, or there is
            no such frame.
    """
    stream, kind, source = decoder.stream, decoder.kind, decoder.source
    painted = decoder.painted(frame)
    claims = check_claims(stream, kind, frame, max_pixels=max_pixels, source=source, painted=painted)
    length = stream.seek(0, io.SEEK_END)
    try:
        with decoder.at(frame, several=claims.frames > 1) as image:
            check_size(*image.size, max_pixels, source)
            check_length(length, claims.pixels or image.width * image.height, source)
            orientation = read_orientation(image)
            embedded = embedded_of(image)
            bits = _bits(image)
            notes = frame_note(frame, claims) + _notes(image, kind, max(claims.bits, bits))
            if kind == "JPEG2000" and claims.bits > 8 and not image.mode.startswith("I;16"):
                pixels, more = to_rgb(deep_colours(stream, claims.bits))
            else:
                image.load()
                pixels, more = to_rgb(image, bits=bits or 16)
    except UnreadableImage:
        raise
    except Exception as error:  # the readers raise whatever a damaged file makes them stumble over
        _refuse(source, error)
    if kind == "TIFF":
        # Pillow turns TIFF pictures, and no others, while it loads them.
        pixels = to_stored(pixels, orientation)
    return Raster(pixels, orientation, notes + more, embedded)


def decode_jpeg(clean: CleanJpeg, *, source: str) -> Raster:
    """Decode the pixels of a rebuilt JPEG stream, as far as they go.

    Args:
        clean: what `omni_iml.io.segments.sanitise` returned.
        source: how to name the file in errors.

    Returns:
        Pixels, orientation and warnings. Blocks after a cut are gray or a guess from coarser scans.

    Raises:
        UnreadableImage: the coded data cannot be decoded.
    """
    notes: tuple[str, ...] = ()
    try:
        with JpegImageFile(io.BytesIO(clean.stream)) as image:
            if image.size != (clean.frame.width, clean.frame.height):
                raise UnreadableImage(source, "its headers disagree on its size", _AGAIN)
            image.load()
            pixels, notes = to_rgb(image)
    except UnreadableImage:
        raise
    except Exception as error:  # see decode_raster
        _refuse(source, error)
    if clean.cut:
        notes = (
            "the file is cut short: it has no end-of-image marker, and what lies after the cut is not evidence",
            *notes,
        )
    if len(clean.frame.components) < 4:
        notes += profile_note(clean.embedded.icc)
    if clean.first_component != "luma":
        notes += (f"the file stores no luma; the JPEG trace is that of its {clean.first_component} component",)
    orientation = 1
    if clean.embedded.exif:
        exif = Image.Exif()
        try:
            exif.load(clean.embedded.exif)
            orientation = _valid(exif.get(_ORIENTATION))
        except Exception:  # Pillow's EXIF reader raises a dozen kinds
            notes += ("the EXIF data are damaged; the picture is taken as it is stored",)
    return Raster(pixels, orientation, notes)


def read_orientation(image: Image.Image) -> int:
    """EXIF orientation of a Pillow image, 1 where there is none or it is not valid."""
    try:
        return _valid(image.getexif().get(_ORIENTATION))
    except Exception:  # Pillow's EXIF reader raises a dozen kinds
        return 1


def _valid(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _bits(image: Image.Image) -> int:
    """Significant bits of a sample, where a TIFF file says so; 0 otherwise."""
    if not isinstance(image, TiffImageFile):
        return 0
    bits = image.tag_v2.get(_BITS_PER_SAMPLE, (0,))
    return int(bits[0] if isinstance(bits, tuple) else bits)


def _notes(image: ImageFile, kind: str, bits: int) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if bits > 8 and not image.mode.startswith("I;16"):
        notes += (f"{bits}-bit samples were reduced to 8 bits",)
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and image.mode != "CMYK":
        notes += profile_note(profile)
    if kind == "GIF" and image.mode not in ("P", "PA"):
        notes += (PALETTE_NOTE,)
    return notes


def _refuse(source: str, error: Exception) -> NoReturn:
    if isinstance(error, UnknownSamples):
        raise UnreadableImage(source, str(error), "convert it to 8 bits a sample first") from error
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        limit = f"Pillow's own limit, PIL.Image.MAX_IMAGE_PIXELS ({Image.MAX_IMAGE_PIXELS})"
        raise UnreadableImage(source, f"its pixels are more than twice {limit}", _SMALLER) from error
    detail = " ".join(str(error).split()).rstrip(".")[:120] or type(error).__name__
    raise UnreadableImage(
        source, f"it is damaged, cut short or of a kind that is not read ({detail})", _AGAIN
    ) from error
