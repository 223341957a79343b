"""EXIF data -> camera, software, dates, and the thumbnail. Where it was taken is said to be known, never told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omni_iml.io.tiff_directory import Directory, Entry, Read, first_directory, read_directory
from omni_iml.text import plain

_TEXTS = {271: "make", 272: "model", 305: "software", 306: "changed", 316: "host"}
_CAMERA_TEXTS = {36867: "taken", 36868: "digitized", 42036: "lens"}
_EXIF_POINTER, _GPS_POINTER = 34665, 34853
_LATITUDE, _LONGITUDE = 2, 4
_MAKER_NOTE, _USER_COMMENT = 37500, 37510
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 513, 514
_VALUE_BYTES = 2048
_THUMBNAIL_BYTES = 2**17


@dataclass(frozen=True)
class Exif:
    """What EXIF data say.

    Attributes:
        facts: make, model, lens, software, host, taken, digitized, changed, comment (text); maker_note and position
            ("present"); only the keys that are there.
        comment: the user comment, up to 2,048 bytes without its character-code prefix.
        thumbnail: bytes of the JPEG thumbnail, empty where there is none.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    comment: bytes = b""
    thumbnail: bytes = b""


def read_exif(read: Read) -> Exif:
    """Read EXIF data within bounds: a few known tags, 2,048 bytes of each, and a thumbnail of up to 128 kB.

    Args:
        read: access to the TIFF structure, from its byte-order mark on; of a TIFF file, the file itself.

    Returns:
        What was found; nothing where the data are damaged.
    """
    first, order = first_directory(read, {*_TEXTS, _EXIF_POINTER, _GPS_POINTER}, _VALUE_BYTES)
    camera = _behind(read, first, _EXIF_POINTER, order, {*_CAMERA_TEXTS, _MAKER_NOTE, _USER_COMMENT})
    place = _behind(read, first, _GPS_POINTER, order, {_LATITUDE, _LONGITUDE})
    facts: dict[str, Any] = {}
    for names, directory in ((_TEXTS, first), (_CAMERA_TEXTS, camera)):
        for tag, name in names.items():
            if text := _text(directory.entries.get(tag)):
                facts[name] = text
    if _MAKER_NOTE in camera.entries:
        facts["maker_note"] = "present"
    comment = _comment(camera.entries.get(_USER_COMMENT))
    if text := plain(comment):
        facts["comment"] = text
    if _LATITUDE in place.entries and _LONGITUDE in place.entries:
        facts["position"] = "present"
    return Exif(facts, comment, _thumbnail(read, first, order))


def _behind(read: Read, directory: Directory, pointer: int, order: str, wanted: set[int]) -> Directory:
    entry = directory.entries.get(pointer)
    return read_directory(read, entry.number if entry else 0, order, wanted, _VALUE_BYTES)


def _text(entry: Entry | None) -> str:
    return plain(entry.value) if entry is not None and entry.kind in (1, 2, 7, 129) else ""


def _comment(entry: Entry | None) -> bytes:
    """The user comment in UTF-8; its first eight bytes name the character code."""
    if entry is None or entry.kind not in (1, 2, 7, 129):
        return b""
    code, text = entry.value[:8], entry.value[8:]
    if code == b"UNICODE\x00":
        return text.decode("utf-16-le" if entry.order == "<" else "utf-16-be", "replace").encode("utf-8", "replace")
    return text if code in (b"ASCII\x00\x00\x00", bytes(8)) else entry.value


def _thumbnail(read: Read, first: Directory, order: str) -> bytes:
    small = read_directory(read, first.following, order, {_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH}, 8)
    if not {_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH} <= small.entries.keys():
        return b""
    offset, length = small.entries[_THUMBNAIL_OFFSET].number, small.entries[_THUMBNAIL_LENGTH].number
    return read(offset, length) if 0 < length <= _THUMBNAIL_BYTES else b""
