"""The index of a multi-picture JPEG file (CIPA DC-007): where the JPEG streams behind the first one begin.

Cameras write it for stereo pairs, phones for gain and depth maps. Each picture is a JPEG file of its own with its own
coefficients.
"""

from __future__ import annotations

import struct
from typing import IO

HEAD_BYTES = 2**20
"""The index stands before the picture data, within this many bytes."""

_SOI, _SOS, _APP2, _FILL = 0xD8, 0xDA, 0xE2, 0xFF
_INDEX = b"MPF\x00"
_ENTRIES = 0xB002
_ENTRY_BYTES = 16


def picture_places(stream: IO[bytes]) -> list[tuple[int, int]]:
    """Find the pictures of a JPEG file.

    Args:
        stream: the file, seekable.

    Returns:
        Place and length in bytes of each picture, the first at 0; an entry of the index at whose place no JPEG stream
        begins is left out. One entry with the file's length for a file without an index.
    """
    length = stream.seek(0, 2)
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    places = [(0, length)]
    base = _find_index(head)
    if base is None:
        return places
    for at, size in _entries(head[base : base + 65536]):
        start = base + at
        if not at or any(start == other for other, _ in places):
            continue
        stream.seek(start)
        if stream.read(3) == b"\xff\xd8\xff":
            places.append((start, min(size, length - start) or length - start))
    return places


def _find_index(head: bytes) -> int | None:
    """Where the index's own header begins, from which its offsets count."""
    position = 2
    while position + 4 <= len(head) and head[position] == 0xFF:
        marker = head[position + 1]
        if marker == _FILL:
            position += 1
            continue
        if marker in (_SOS, _SOI):
            return None
        if marker == _APP2 and head[position + 4 : position + 8] == _INDEX:
            return position + 8
        position += 2 + int.from_bytes(head[position + 2 : position + 4], "big")
    return None


def _entries(index: bytes) -> list[tuple[int, int]]:
    """Offset and size of each picture as the index has them; none where it is damaged."""
    order = "<" if index[:2] == b"II" else ">"
    try:
        (at,) = struct.unpack_from(order + "L", index, 4)
        (count,) = struct.unpack_from(order + "H", index, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, _, size, place = struct.unpack_from(order + "HHLL", index, entry)
            if tag == _ENTRIES:
                table = index[place : place + size]
                steps = range(0, len(table) - _ENTRY_BYTES + 1, _ENTRY_BYTES)
                fields = (struct.unpack_from(order + "LLL", table, step) for step in steps)
                return [(offset, length) for _, length, offset in fields]
    except struct.error:
        pass
    return []
