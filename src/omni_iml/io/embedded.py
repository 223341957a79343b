"""What a file carries beside its pixels, collected within bounds: EXIF, colour profile, XMP, texts, credentials."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from PIL import Image

from omni_iml.io.tiff_directory import EMPTY, first_directory

EXIF_BYTES = ICC_BYTES = 2**20
XMP_BYTES = 2**18
TEXT_BYTES = 2**12
MOST_TEXTS = 32
_MOST_CHUNKS = 100_000
_XMP, _PHOTOSHOP, _ICC, _C2PA = 700, 34377, 34675, 52545
_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


@dataclass(frozen=True)
class Embedded:
    """What a file carries beside its pixels.

    Attributes:
        exif: EXIF data from their byte-order mark on, up to `EXIF_BYTES`; of a TIFF file empty, for it is its own.
        icc: the beginning of the colour profile.
        xmp: the beginning of the XMP packet.
        texts: key and beginning of the value of PNG text chunks, and JPEG comments under the key "comment".
        photoshop: True where a block of Photoshop's image resources is there.
        web_quality: quality setting that Photoshop's "Save for Web" notes, None without one.
        c2pa: True where a C2PA manifest store is there; None in formats that were not searched for one.
    """

    exif: bytes = b""
    icc: bytes = b""
    xmp: bytes = b""
    texts: tuple[tuple[str, bytes], ...] = ()
    photoshop: bool = False
    web_quality: int | None = None
    c2pa: bool | None = None


class Collector:
    """Gathers the parts of an `Embedded` as a walk over a file meets them, each up to its bound."""

    def __init__(self) -> None:
        self.exif, self.icc, self.xmp = bytearray(), bytearray(), bytearray()
        self.texts: list[tuple[str, bytes]] = []
        self.photoshop = False
        self.web_quality: int | None = None
        self.c2pa: bool | None = False

    def add_exif(self, data: bytes) -> None:
        """The next part of the EXIF data, with or without the head that JPEG files put before the byte-order mark."""
        _extend(self.exif, data.removeprefix(b"Exif\x00\x00"), EXIF_BYTES)

    def add_icc(self, data: bytes) -> None:
        """The next part of the colour profile."""
        _extend(self.icc, data, ICC_BYTES)

    def add_xmp(self, data: bytes) -> None:
        """The XMP packet; of several the first."""
        if self.xmp:
            return
        _extend(self.xmp, data, XMP_BYTES)

    def add_text(self, key: bytes, value: bytes) -> None:
        """A text by its key."""
        if len(self.texts) < MOST_TEXTS:
            self.texts.append((key[:80].decode("latin-1"), bytes(value[:TEXT_BYTES])))

    def add_segment(self, marker: int, payload: bytes) -> None:
        """What a JPEG segment carries that decoding does not need; ``payload`` is without the length field."""
        match marker:
            case 0xE1 if payload.startswith(b"Exif\x00\x00"):
                self.add_exif(payload)  # EXIF longer than one segment goes on in the next, under the same head
            case 0xE1 if payload.startswith(b"http://ns.adobe.com/xap/1.0/\x00"):
                self.add_xmp(payload[29:])
            case 0xE2 if payload.startswith(b"ICC_PROFILE\x00"):
                self.add_icc(payload[14:])
            case 0xEB if payload[:2] == b"JP" and payload[12:16] == b"jumb" and b"c2pa" in payload[16:80]:
                self.c2pa = True
            case 0xEC if payload.startswith(b"Ducky\x00\x01\x00\x04") and len(payload) >= 13:
                self.web_quality = int.from_bytes(payload[9:13], "big")
            case 0xED if payload.startswith(b"Photoshop 3.0\x00"):
                self.photoshop = True
            case 0xFE:
                self.add_text(b"comment", payload)

    def finish(self) -> Embedded:
        """What was gathered."""
        return Embedded(
            bytes(self.exif),
            bytes(self.icc),
            bytes(self.xmp),
            tuple(self.texts),
            self.photoshop,
            self.web_quality,
            self.c2pa,
        )


def embedded_in(stream: IO[bytes], kind: str) -> Embedded:
    """Walk over the chunks of a picture file that is not a JPEG.

    Args:
        stream: the file, at any position; left open.
        kind: its format, as `omni_iml.io.sniff.sniff` names it.

    Returns:
        What was found before the first damage; nothing for formats that are not walked.
    """
    walk = _WALKS.get(kind)
    if walk is None:
        return Embedded()
    found = Collector()
    with suppress(OSError, ValueError, struct.error, zlib.error):
        walk(stream, found)
    return found.finish()


def embedded_of(image: Image.Image) -> Embedded:
    """Take over what a decoder found, which in AVIF, HEIF and GIF files lies too deep for a walk over the chunks.

    Args:
        image: an open Pillow image.

    Returns:
        EXIF data, colour profile, XMP packet and comment, those that are there.
    """
    found = Collector()
    for key, add in (("exif", found.add_exif), ("icc_profile", found.add_icc), ("xmp", found.add_xmp)):
        if isinstance(value := image.info.get(key), bytes):
            add(value)
    if isinstance(comment := image.info.get("comment"), bytes):
        found.add_text(b"comment", comment)
    return found.finish()


def _png(stream: IO[bytes], found: Collector) -> None:
    looked = 0
    for name, size in _chunks(stream, 8, _png_head):
        match name:
            case b"eXIf":
                found.add_exif(stream.read(min(size, EXIF_BYTES)))
            case b"iCCP" if not found.icc:
                _, _, packed = stream.read(min(size, ICC_BYTES)).partition(b"\x00")
                found.add_icc(_inflate(packed[1:], ICC_BYTES))
            case b"caBX":
                found.c2pa = True
            case b"tEXt" | b"zTXt" | b"iTXt" if (looked := looked + 1) <= 2 * MOST_TEXTS:  # each may inflate
                key, _, value = stream.read(min(size, XMP_BYTES)).partition(b"\x00")
                value = _png_text(name, value)
                if key == b"XML:com.adobe.xmp":
                    found.add_xmp(value)
                else:
                    found.add_text(key, value)
            case b"IEND":
                return


def _png_head(stream: IO[bytes]) -> tuple[bytes, int, int] | None:
    """Name, size of the content and size with what follows it (a checksum) of the next chunk."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    size = int.from_bytes(head[:4], "big")
    return head[4:], size, size + 4


def _png_text(name: bytes, value: bytes) -> bytes:
    if name == b"zTXt":
        return _inflate(value[1:], XMP_BYTES)
    if name == b"tEXt":
        return value  # Latin-1 by the standard, in practice UTF-8 as often
    packed, rest = value[:1] == b"\x01", value[2:]
    _, _, rest = rest.partition(b"\x00")  # language
    _, _, rest = rest.partition(b"\x00")  # the key translated
    return _inflate(rest, XMP_BYTES) if packed else rest


def _webp(stream: IO[bytes], found: Collector) -> None:
    for name, size in _chunks(stream, 12, _riff_head):
        match name:
            case b"EXIF":
                found.add_exif(stream.read(min(size, EXIF_BYTES)))
            case b"ICCP":
                found.add_icc(stream.read(min(size, ICC_BYTES)))
            case b"XMP ":
                found.add_xmp(stream.read(min(size, XMP_BYTES)))
            case b"C2PA":
                found.c2pa = True


def _riff_head(stream: IO[bytes]) -> tuple[bytes, int, int] | None:
    head = stream.read(8)
    if len(head) < 8:
        return None
    size = int.from_bytes(head[4:], "little")
    return head[:4], size, size + size % 2


def _boxes(stream: IO[bytes], found: Collector) -> None:
    """The outer boxes of AVIF, HEIF and JPEG 2000 files; their EXIF data lie deeper and come from the decoder."""
    for name, size in _chunks(stream, 0, _box_head):
        head = stream.read(min(size, 64))
        found.c2pa = (
            found.c2pa or (name == b"uuid" and head[:16] == _C2PA_UUID) or (name == b"jumb" and b"c2pa" in head)
        )


def _box_head(stream: IO[bytes]) -> tuple[bytes, int, int] | None:
    head = stream.read(8)
    if len(head) < 8:
        return None
    size = int.from_bytes(head[:4], "big")
    if size == 1:
        size = int.from_bytes(stream.read(8), "big") - 8
    if size < 8:  # 0: to the end of the file
        size = 2**62
    return head[4:], size - 8, size - 8


def _tiff(stream: IO[bytes], found: Collector) -> None:
    def read(offset: int, size: int) -> bytes:
        stream.seek(offset)
        return stream.read(size)

    directory = first_directory(read, {_XMP, _PHOTOSHOP, _ICC, _C2PA}, ICC_BYTES)[0]
    tags = directory.entries
    if _XMP in tags:
        found.add_xmp(tags[_XMP].value)
    if _ICC in tags:
        found.add_icc(tags[_ICC].value)
    found.photoshop = _PHOTOSHOP in tags
    found.c2pa = None if directory is EMPTY else _C2PA in tags  # BigTIFF, or damaged: not searched


def _chunks(
    stream: IO[bytes], start: int, head: Callable[[IO[bytes]], tuple[bytes, int, int] | None]
) -> Iterator[tuple[bytes, int]]:
    """Name and size of each chunk, the stream at its content; one that runs past the end of the file is the last."""
    end = stream.seek(0, io.SEEK_END)
    stream.seek(start)
    for _ in range(_MOST_CHUNKS):
        chunk = head(stream)
        if chunk is None:
            return
        name, size, whole = chunk
        content = stream.tell()
        yield name, size
        if content + whole >= end:
            return
        stream.seek(content + whole)


def _inflate(data: bytes, most: int) -> bytes:
    return zlib.decompressobj().decompress(data, most)


def _extend(kept: bytearray, data: bytes, most: int) -> None:
    kept += data[: max(0, most - len(kept))]


_WALKS: dict[str, Callable[[IO[bytes], Collector], None]] = {
    "PNG": _png,
    "WEBP": _webp,
    "TIFF": _tiff,
    "AVIF": _boxes,
    "HEIF": _boxes,
    "JPEG2000": _boxes,
}
