"""Which characters a font file has glyphs for: the table "cmap" of OpenType (ISO/IEC 14496-22, 5.2.1)."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Platform and encoding of Unicode subtables; those beyond the basic plane first.
_UNICODE = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0))


def characters(path: Path, index: int = 0) -> NDArray[np.int64]:
    """Code points that a face has a glyph for.

    Args:
        path: a TrueType or OpenType file, or a collection of them.
        index: number of the face in a collection.

    Returns:
        int64 ``(N,)``, code points in ascending order; none where the face has no Unicode table in format 4 or 12, as
        symbol fonts have none.

    Raises:
        OSError: the file cannot be read, or is no font.
    """
    with path.open("rb") as file:
        try:
            head = file.read(12)
            start = 0
            if head[:4] == b"ttcf":
                (count,) = struct.unpack(">L", head[8:])
                (start,) = struct.unpack_from(">L", file.read(4 * count), 4 * index)
            file.seek(start)
            (tables,) = struct.unpack(">4xH6x", file.read(12))
            rows = (struct.unpack(">4s4xLL", file.read(16)) for _ in range(tables))
            offset, length = next((offset, length) for tag, offset, length in rows if tag == b"cmap")
            file.seek(offset)
            return _read(file.read(length))
        except (struct.error, StopIteration, ValueError) as error:
            raise OSError(f"{path}: is no font with a table of characters; remove it.") from error


def _read(table: bytes) -> NDArray[np.int64]:
    (count,) = struct.unpack_from(">2xH", table)
    offsets = {struct.unpack_from(">HH", table, 4 + 8 * k): 4 + 8 * k + 4 for k in range(count)}
    for kind in _UNICODE:
        if kind in offsets:
            (offset,) = struct.unpack_from(">L", table, offsets[kind])
            (form,) = struct.unpack_from(">H", table, offset)
            if form in (4, 12):
                return _segments(table, offset) if form == 4 else _groups(table, offset)
    return np.zeros(0, np.int64)


def _groups(table: bytes, offset: int) -> NDArray[np.int64]:
    """Format 12: runs of code points with runs of glyphs."""
    (count,) = struct.unpack_from(">L", table, offset + 12)
    rows = np.frombuffer(table, ">u4", 3 * count, offset + 16).reshape(count, 3).astype(np.int64)  # (count, 3)
    first, last, glyph = rows.T
    return _runs(first + (glyph == 0), last)


def _segments(table: bytes, offset: int) -> NDArray[np.int64]:
    """Format 4: segments whose glyphs lie at a distance, or in an array."""
    (double,) = struct.unpack_from(">H", table, offset + 6)
    count = double // 2

    def column(at: int) -> NDArray[np.int64]:
        return np.frombuffer(table, ">u2", count, offset + at).astype(np.int64)

    last, first = column(14), column(16 + double)
    delta, range_offset = column(16 + 2 * double), column(16 + 3 * double)
    plain = range_offset == 0
    codes = [_runs(first[plain], last[plain])]
    glyphs = [codes[0] + np.repeat(delta[plain], (last - first + 1)[plain])]
    for k in np.flatnonzero(~plain):
        codes.append(np.arange(first[k], last[k] + 1))
        at = offset + 16 + 3 * double + 2 * int(k) + int(range_offset[k])
        listed = np.frombuffer(table, ">u2", len(codes[-1]), at).astype(np.int64)
        glyphs.append(np.where(listed > 0, listed + delta[k], 0))
    every = np.concatenate(codes)
    return np.unique(every[((np.concatenate(glyphs) & 0xFFFF) > 0) & (every != 0xFFFF)])


def _runs(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers of all runs, one run after the other."""
    lengths = np.maximum(last - first + 1, 0)
    starts = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(lengths.sum()) + np.repeat(first - starts, lengths), np.int64)
