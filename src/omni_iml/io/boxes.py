"""The boxes of an AVIF or HEIF file (ISO/IEC 14496-12 and 23008-12): how many pictures, of what size and depth."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from omni_iml.io.av1 import largest_frame
from omni_iml.io.claims import Budget, Claims
from omni_iml.types import UnreadableImage

_BOX_BYTES = 2**20
"""Boxes that are read as a whole are read this far; those of real files have a few kilobytes."""

_CODED_FACTOR, _CODED_PIXELS = 4, 4_000_000
"""The coded picture may have so many times the pixels of the shown one, and so many whatever that one has."""


@dataclass(frozen=True)
class Box:
    """A box of a file.

    Attributes:
        name: its four letters.
        start: place of its content.
        end: place after it.
    """

    name: bytes
    start: int
    end: int


def boxes(stream: IO[bytes], start: int, end: int, budget: Budget) -> Iterator[Box]:
    """Go through the boxes in a part of a file.

    Args:
        stream: the file, seekable; where it stands afterwards is of no account.
        start: where the first box begins.
        end: where the part ends; a box that claims to go on after it ends there.
        budget: counts the boxes.

    Yields:
        The boxes in order, up to a damaged one.

    Raises:
        UnreadableImage: there are more boxes than any real file has.
    """
    while start + 8 <= end:
        budget.spend()
        stream.seek(start)
        head = stream.read(16)
        if len(head) < 8:
            return
        size, name, skip = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, skip = int.from_bytes(head[8:], "big"), 16
        stop = min(end, start + size) if size else end
        if stop < start + skip:
            return
        yield Box(name, start + skip, stop)
        start = stop


def survey_avif(stream: IO[bytes], frame: int, source: str) -> Claims:
    """Read the boxes of an AVIF file, still or animated, and the sizes in its coded data.

    Args:
        stream: the file, seekable.
        frame: which frame is asked for, from 0; all have one size.
        source: how to name the file in errors.

    Returns:
        The claims.

    Raises:
        UnreadableImage: the boxes name no size, or the coded data are of a far larger picture, which the decoder would
            make before it notices.
    """
    found = _Walk(stream, source)
    width, height = found.largest
    coded = largest_frame(stream, found.places, found.budget)
    if coded > max(_CODED_PIXELS, _CODED_FACTOR * width * height):
        raise UnreadableImage(
            source,
            f"its boxes claim {width}x{height} pixels, but its coded data {coded} pixels",
            "fetch or copy the file again",
        )
    return Claims((width, height), max(1, found.samples), width * height, found.bits)


def read_boxes(stream: IO[bytes], source: str) -> Claims:
    """Read the boxes of a HEIF file, and nothing of its coded data.

    Args:
        stream: the file, seekable.
        source: how to name the file in errors.

    Returns:
        Depth, and the size of the largest picture in it.

    Raises:
        UnreadableImage: the boxes name no size.
    """
    found = _Walk(stream, source)
    width, height = found.largest
    return Claims((width, height), pixels=width * height, bits=found.bits)


class _Walk:
    """What the boxes of a file say: sizes, depth, and where coded data begin."""

    def __init__(self, stream: IO[bytes], source: str) -> None:
        self.budget = Budget(source)
        self.sizes: list[tuple[int, int]] = []
        self.bits = 8
        self.places: list[int] = []
        self.samples = 0
        self._stream = stream
        self._data = 0  # where the box of data inside "meta" begins
        self._length = stream.seek(0, io.SEEK_END)
        try:
            for box in boxes(stream, 0, self._length, self.budget):
                if box.name == b"meta":
                    self._read_items(box)
                elif box.name == b"moov":
                    self._read_tracks(box)
        except struct.error:
            pass  # a box that was cut short: what it would have said is missing below
        if not self.sizes:
            raise UnreadableImage(source, "its boxes name no size", "fetch or copy the file again")

    @property
    def largest(self) -> tuple[int, int]:
        """Width and height of the largest picture that is claimed."""
        return max(self.sizes, key=lambda size: size[0] * size[1])

    def _inside(self, box: Box, skip: int = 0) -> Iterator[Box]:
        return boxes(self._stream, box.start + skip, box.end, self.budget)

    def _content(self, box: Box) -> bytes:
        self._stream.seek(box.start)
        return self._stream.read(min(_BOX_BYTES, box.end - box.start))

    def _read_items(self, meta: Box) -> None:
        """Sizes, depths and places of the items of a "meta" box."""
        content = list(self._inside(meta, 4))
        self._data = next((box.start for box in content if box.name == b"idat"), 0)
        for box in content:
            if box.name == b"iprp":
                for outer in self._inside(box):
                    if outer.name == b"ipco":
                        for inner in self._inside(outer):
                            self._read_property(inner)
            elif box.name == b"iloc":
                self._read_places(self._content(box))

    def _read_property(self, box: Box) -> None:
        if box.name not in (b"ispe", b"pixi", b"av1C", b"hvcC"):
            return
        content = self._content(box)
        if box.name == b"ispe":
            self.sizes.append(struct.unpack_from(">LL", content, 4))
        elif box.name == b"pixi":
            self.bits = max(self.bits, *content[5:], 0)
        elif box.name == b"av1C" and len(content) > 2:
            self._read_av1_depth(content)
        elif box.name == b"hvcC" and len(content) > 17:
            self.bits = max(self.bits, 8 + (content[17] & 7))

    def _read_av1_depth(self, content: bytes) -> None:
        high, twelve = content[2] >> 6 & 1, content[2] >> 5 & 1
        self.bits = max(self.bits, 8 + 2 * high + 2 * (high & twelve))

    def _read_places(self, content: bytes) -> None:
        """The places of all extents of all items ("iloc", versions 0 to 2)."""
        version, lengths, more_lengths = struct.unpack_from(">B3xBB", content)
        offset_bytes, length_bytes = lengths >> 4, lengths & 15
        base_bytes, index_bytes = more_lengths >> 4, more_lengths & 15 if version else 0
        reader = io.BytesIO(content[6:])

        def number(count: int) -> int:
            if len(data := reader.read(count)) < count:
                raise struct.error("the box is cut short")
            return int.from_bytes(data, "big")

        for _ in range(number(4 if version == 2 else 2)):
            self.budget.spend()
            number(4 if version == 2 else 2)  # which item
            method = number(2) & 15 if version else 0
            number(2)  # which other file
            base = number(base_bytes)
            for _ in range(number(2)):
                self.budget.spend()
                number(index_bytes)
                place = base + number(offset_bytes)
                number(length_bytes)
                self.places.append(place + (self._data if method == 1 else 0))

    def _read_tracks(self, moov: Box) -> None:
        """Size, length and places of the chunks of every video track."""
        for track in self._inside(moov):
            if track.name != b"trak":
                continue
            for media in self._inside(track):
                if media.name == b"mdia":
                    for information in self._inside(media):
                        if information.name == b"minf":
                            for table in self._inside(information):
                                if table.name == b"stbl":
                                    self._read_samples(table)

    def _read_samples(self, table: Box) -> None:
        video = False
        for box in self._inside(table):
            if box.name == b"stsd":
                for entry in self._inside(box, 8):
                    if entry.name in (b"av01", b"hvc1", b"hev1"):
                        video = True
                        self._stream.seek(entry.start + 24)
                        self.sizes.append(struct.unpack(">HH", self._stream.read(4)))
                        for inner in self._inside(entry, 78):
                            self._read_property(inner)
            elif box.name == b"stsz" and video:
                size, count = struct.unpack_from(">LL", self._content(box), 4)
                # A sample has its length in the table, or all have one length: more than fit in are not there.
                most = self._length // size if size else (box.end - box.start - 12) // 4
                self.samples = max(self.samples, min(count, most))
            elif box.name in (b"stco", b"co64") and video:
                content, wide = self._content(box), 8 if box.name == b"co64" else 4
                (count,) = struct.unpack_from(">L", content, 4)
                usable = min(count, (len(content) - 8) // wide)
                self.places.extend(struct.unpack_from(f">{usable}{'Q' if wide == 8 else 'L'}", content, 8))
