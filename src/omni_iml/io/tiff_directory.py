"""Read tags of a TIFF structure (a TIFF file, or EXIF) within hard bounds.

Pillow reads a directory whole, however long its values claim to be, and warns on standard error. Here only the tags
that are asked for are read, a little of each, and no chain of directories is followed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass

Read = Callable[[int, int], bytes]
"""``read(offset, size)``: up to ``size`` bytes at ``offset``; fewer at the end."""

MAX_ENTRIES = 1000
"""Entries of a directory that are looked at; cameras write a few dozen."""

_UNITS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 18: 8, 129: 1}
_WHOLE = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}


@dataclass(frozen=True)
class Entry:
    """One tag.

    Attributes:
        kind: TIFF data type.
        count: how many values it claims.
        value: the first bytes of the values, in the file's byte order.
        offset: where the values lie.
        order: "<" or ">".
    """

    kind: int
    count: int
    value: bytes
    offset: int
    order: str

    @property
    def number(self) -> int:
        """The first value as a whole number; 0 where it is none."""
        code = _WHOLE.get(self.kind)
        size = _UNITS.get(self.kind, 0)
        if code is None or len(self.value) < size:
            return 0
        return int(struct.unpack(self.order + code, self.value[:size])[0])


@dataclass(frozen=True)
class Directory:
    """The tags that were asked for.

    Attributes:
        entries: by tag number; a tag that occurs twice counts once, the first time.
        following: offset of the directory after this one, 0 where there is none.
    """

    entries: dict[int, Entry]
    following: int


EMPTY = Directory({}, 0)
"""What is returned where there is no directory that can be read."""


def first_directory(read: Read, wanted: Collection[int], longest: int) -> tuple[Directory, str]:
    """Read the first directory of a TIFF structure.

    Args:
        read: access to the structure, from its byte-order mark on.
        wanted: tag numbers.
        longest: bytes of a tag's values that are read.

    Returns:
        The directory, `EMPTY` where there is none, and the byte order, "<" or ">"; BigTIFF is not read.
    """
    head = read(0, 8)
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(head[:4])
    if order is None or len(head) < 8:
        return EMPTY, "<"
    return read_directory(read, struct.unpack(order + "L", head[4:])[0], order, wanted, longest), order


def read_directory(read: Read, start: int, order: str, wanted: Collection[int], longest: int) -> Directory:
    """Read one directory.

    Args:
        read: access to the structure.
        start: offset of the directory.
        order: "<" or ">".
        wanted: tag numbers.
        longest: bytes of a tag's values that are read.

    Returns:
        The tags found whose values lie inside the structure; `EMPTY` where the directory is damaged.
    """
    counted = read(start, 2) if start else b""
    if len(counted) < 2:
        return EMPTY
    (count,) = struct.unpack(order + "H", counted)
    table = read(start + 2, 12 * min(count, MAX_ENTRIES) + 4)
    entries: dict[int, Entry] = {}
    for at in range(0, min(12 * count, len(table) - 11), 12):
        tag, kind, number, pointer = struct.unpack_from(order + "HHLL", table, at)
        if tag not in wanted or tag in entries or kind not in _UNITS:
            continue
        size = _UNITS[kind] * number
        inside = size <= 4
        offset = start + 2 + at + 8 if inside else pointer
        value = table[at + 8 : at + 8 + size] if inside else read(pointer, min(size, longest))
        if value:
            entries[tag] = Entry(kind, number, value, offset, order)
    tail = table[12 * count : 12 * count + 4]
    return Directory(entries, struct.unpack(order + "L", tail)[0] if len(tail) == 4 else 0)
