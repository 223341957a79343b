"""Tell a file's format, and its claimed size where a decoder would spend memory first, from its first bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

HEAD_BYTES = 64

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"},
)
"""Suffixes, in lower case, of the files that a folder is searched for."""

_READ = (
    (b"\xff\xd8", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II\x2a\x00", "TIFF"),
    (b"MM\x00\x2a", "TIFF"),
    (b"II\x2b\x00", "TIFF"),
    (b"MM\x00\x2b", "TIFF"),
)
_NOT_READ = (
    (0, b"%PDF", "a PDF document"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"\x00\x00\x00\x0cjP", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cJXL", "a JPEG XL picture"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftypheic", "a HEIC picture"),
    (4, b"ftypheix", "a HEIC picture"),
    (4, b"ftypmif1", "a HEIF picture"),
    (4, b"ftyp", "a video"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
)

_TIFF_ENTRIES = 4096
_TIFF_WIDTH, _TIFF_HEIGHT, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 322, 323
_MANY_VALUES = 200_000


def sniff(head: bytes) -> str | None:
    """Name the format that the first bytes of a file announce.

    Args:
        head: at least the first 12 bytes.

    Returns:
        "JPEG", "PNG", "WEBP", "TIFF", "BMP" or "GIF"; None for anything else.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return next((name for magic, name in _READ if head.startswith(magic)), None)


def describe(head: bytes) -> str:
    """Say in words what a file that `sniff` does not know seems to be.

    Args:
        head: the first bytes.

    Returns:
        For example "a PDF document" or "text".
    """
    for offset, magic, name in _NOT_READ:
        if head[offset : offset + len(magic)] == magic:
            return name
    text = all(byte in b"\t\n\r\f" or 32 <= byte < 127 or byte >= 128 for byte in head)
    return "text" if text else "no picture format that is known here"


def claimed_size(kind: str, head: bytes) -> tuple[int, int] | None:
    """Read width and height from the head of a file whose decoder would spend memory before we could ask it.

    Args:
        kind: the format, as `sniff` names it.
        head: at least the first 30 bytes.

    Returns:
        Width and height in pixels for PNG and WebP; None for other formats or where the head is cut off.
    """
    if len(head) < 30:
        return None
    if kind == "PNG" and head[12:16] == b"IHDR":
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if kind == "WEBP":
        match head[12:16]:
            case b"VP8X":
                return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
            case b"VP8L":
                bits = int.from_bytes(head[21:25], "little")
                return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
            case b"VP8 ":
                width, height = struct.unpack("<HH", head[26:30])
                return width & 0x3FFF, height & 0x3FFF
    return None


@dataclass(frozen=True)
class TiffClaims:
    """What the first directory of a TIFF file claims.

    Attributes:
        width: pixels, 0 where it is not said.
        height: pixels, 0 where it is not said.
        tile_pixels: pixels of one tile, 0 for a file in strips.
        most_values: the largest number of values of a numeric tag.
    """

    width: int
    height: int
    tile_pixels: int
    most_values: int


def read_tiff_claims(stream: IO[bytes]) -> TiffClaims | None:
    """Read the first directory of a TIFF file without following any of its pointers.

    Args:
        stream: the file, at any position.

    Returns:
        The claims; None when the directory is damaged, cut off or longer than any real one.
    """
    stream.seek(0)
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = 43 in head[2:4]
    # Entries are tag, type, number of values, and a value or pointer: 12 bytes, in BigTIFF 20.
    size, counted, value_at = (20, "HHQ", 12) if big else (12, "HHL", 8)
    try:
        (start,) = struct.unpack_from(order + ("Q" if big else "L"), head, 8 if big else 4)
        stream.seek(start)
        (count,) = struct.unpack(order + ("Q" if big else "H"), stream.read(8 if big else 2))
        if count > _TIFF_ENTRIES:
            return None
        entries = stream.read(size * count)
        most = 0
        values: dict[int, int] = {}
        for offset in range(0, len(entries) - size + 1, size):
            tag, kind, number = struct.unpack_from(order + counted, entries, offset)
            if kind not in (1, 2, 6, 7):  # bytes and text stay one object in memory
                most = max(most, number)
            wide = {3: "H", 4: "L", 16: "Q" if big else ""}.get(kind)
            if wide and number == 1:
                (values[tag],) = struct.unpack_from(order + wide, entries, offset + value_at)
    except (struct.error, OSError, OverflowError, ValueError):
        return None
    tile = values.get(_TILE_WIDTH, 0) * values.get(_TILE_HEIGHT, 0)
    return TiffClaims(values.get(_TIFF_WIDTH, 0), values.get(_TIFF_HEIGHT, 0), tile, most)


def tiff_flaw(claims: TiffClaims) -> str | None:
    """Name a claim that would cost memory out of proportion to the picture; None when there is none."""
    pixels = claims.width * claims.height
    if claims.most_values > _MANY_VALUES + pixels // 64:
        return f"one of its tags claims {claims.most_values} values"
    if claims.tile_pixels > 1_000_000 + 2 * pixels:
        return "its tiles claim to be far larger than the picture"
    return None
