"""The directories of a TIFF file: how many pages, and what each claims, without decoding any."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO

from omni_iml.io.claims import MAX_FRAMES, Claims
from omni_iml.types import MAX_PIXELS, UnreadableImage

_ENTRIES = 4096
_WIDTH, _HEIGHT, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 322, 323
_SAMPLE_FORMAT = 339
_FLOATING = (3, 6)
"""IEEE floating point, and pairs of it."""
_SAMPLES = 16
"""Samples of a pixel whose format is looked at."""
_MANY_VALUES = 200_000


@dataclass(frozen=True)
class Directory:
    """What one directory of a TIFF file claims.

    Attributes:
        at: its place in the file.
        width: pixels, 0 where it is not said.
        height: pixels, 0 where it is not said.
        tile_pixels: pixels of one tile, 0 for a page in strips.
        most_values: the largest number of values of a numeric tag.
        formats: where the sample formats lie and how many they are; none where the default is meant, whole numbers.
    """

    at: int
    width: int
    height: int
    tile_pixels: int
    most_values: int
    formats: tuple[int, int] = (0, 0)

    @property
    def flaw(self) -> str | None:
        """A claim that would cost memory out of proportion to the picture; None when there is none."""
        pixels = self.width * self.height
        if self.most_values > _MANY_VALUES + pixels // 64:
            return f"one of its tags claims {self.most_values} values"
        if self.tile_pixels > 1_000_000 + 2 * pixels:
            return "its tiles claim to be far larger than the picture"
        return None


def directories(stream: IO[bytes]) -> Iterator[Directory]:
    """Follow the chain of directories, and no other pointer.

    Args:
        stream: the file, at any position.

    Yields:
        The directories in order, up to one that is damaged, cut off or longer than any real one, or that was there
        before.
    """
    order, big = _layout(stream)
    # Entries are tag, type, number of values, and a value or pointer: 12 bytes, in BigTIFF 20.
    size, counted, value_at = (20, "HHQ", 12) if big else (12, "HHL", 8)
    pointer, count_as = ("Q", "Q") if big else ("L", "H")
    visited: set[int] = set()
    try:
        stream.seek(8 if big else 4)
        (at,) = struct.unpack(order + pointer, stream.read(8 if big else 4))
        while at and at not in visited:
            visited.add(at)
            stream.seek(at)
            (count,) = struct.unpack(order + count_as, stream.read(8 if big else 2))
            if count > _ENTRIES:
                return
            entries = stream.read(size * count)
            after = stream.read(8 if big else 4)
            most = 0
            values: dict[int, int] = {}
            formats = (0, 0)
            for offset in range(0, len(entries) - size + 1, size):
                tag, kind, number = struct.unpack_from(order + counted, entries, offset)
                if kind not in (1, 2, 6, 7):  # bytes and text stay one object in memory
                    most = max(most, number)
                wide = {3: "H", 4: "L", 16: "Q" if big else ""}.get(kind)
                if wide and number == 1:
                    (values[tag],) = struct.unpack_from(order + wide, entries, offset + value_at)
                if tag == _SAMPLE_FORMAT and kind == 3:
                    (place,) = struct.unpack_from(order + pointer, entries, offset + value_at)
                    if 2 * number <= size - value_at:  # the values lie in the place of their pointer
                        place = at + (8 if big else 2) + offset + value_at
                    formats = (place, number)
            tile = values.get(_TILE_WIDTH, 0) * values.get(_TILE_HEIGHT, 0)
            yield Directory(at, values.get(_WIDTH, 0), values.get(_HEIGHT, 0), tile, most, formats)
            (at,) = struct.unpack(order + pointer, after)
    except (struct.error, OSError, OverflowError, ValueError):
        return


def survey_tiff(stream: IO[bytes], frame: int, source: str) -> Claims:
    """Read the directories of a TIFF file.

    Args:
        stream: the file, at any position.
        frame: which page is asked for, from 0.
        source: how to name the file in errors.

    Returns:
        The claims, with the size of this page (of the last one where there are fewer).

    Raises:
        UnreadableImage: the first directory is damaged or cut off.
    """
    pages = _pages(stream, source)
    page = pages[min(frame, len(pages) - 1)]
    # No page is worth more bytes than one of the usual limit, whatever it claims.
    pixels = sum(min(each.width * each.height, MAX_PIXELS) for each in pages)
    return Claims((page.width, page.height), len(pages), pixels)


@contextmanager
def put_first(stream: IO[bytes], frame: int, source: str) -> Iterator[None]:
    """Make a page the first one for a while, so that a decoder need not pass the pages before it.

    Args:
        stream: the file, a copy of its own: its header is overwritten, and restored in the end.
        frame: the page, from 0; the last one if there are fewer.
        source: how to name the file in errors.

    Yields:
        Nothing; the decoding goes inside.

    Raises:
        UnreadableImage: the page claims what would cost memory out of proportion to it or holds floating point
            values, or there is none.
    """
    pages = _pages(stream, source)
    page = pages[min(frame, len(pages) - 1)]
    if (flaw := page.flaw) is not None:
        raise UnreadableImage(source, flaw, "fetch or copy the file again")
    order, big = _layout(stream)
    if any(number in _FLOATING for number in _formats(stream, page, order)):
        cause = "it holds floating point values, whose relation to brightness is not known"
        raise UnreadableImage(source, cause, "convert it to 8 or 16 bits a sample first")
    place = 8 if big else 4
    stream.seek(place)
    first = stream.read(place)
    stream.seek(place)
    stream.write(struct.pack(order + ("Q" if big else "L"), page.at))
    try:
        yield
    finally:
        stream.seek(place)
        stream.write(first)


def _pages(stream: IO[bytes], source: str) -> list[Directory]:
    """The directories, at most one more than `MAX_FRAMES`."""
    pages = list(islice(directories(stream), MAX_FRAMES + 1))
    if not pages:
        raise UnreadableImage(source, "its directory is damaged or cut off", "fetch or copy the file again")
    return pages


def _formats(stream: IO[bytes], page: Directory, order: str) -> tuple[int, ...]:
    """The sample formats of a page as far as they lie in the file."""
    at, count = page.formats
    try:
        stream.seek(at)
        data = stream.read(2 * min(count, _SAMPLES))
    except (OSError, OverflowError, ValueError):
        return ()
    return struct.unpack(f"{order}{len(data) // 2}H", data[: len(data) // 2 * 2])


def _layout(stream: IO[bytes]) -> tuple[str, bool]:
    """Byte order as `struct` writes it, and whether it is a BigTIFF."""
    stream.seek(0)
    head = stream.read(4)
    return "<" if head[:2] == b"II" else ">", 43 in head[2:4]
