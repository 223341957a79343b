"""Walk the segments of a JPEG file and rebuild only what decoding needs.

Nothing from outside reaches a C decoder before it has passed here: the walker bounds size, scans and segments,
drops every application and comment segment (they crash or confuse the coefficient reader), and ends the stream
properly. The rebuilt stream is what both the coefficients and the pixels are decoded from, so the two always belong to
the same picture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from omni_iml.io.embedded import Collector, Embedded
from omni_iml.io.scans import Scan, scan_of
from omni_iml.types import MAX_PIXELS, UnreadableImage

MAX_SCANS = 64
"""More scans than this make a file a bomb: every scan of a progressive file visits every block again."""

MAX_SEGMENTS = 10_000
"""More segments than this are refused; real files have a few hundred at most (long ICC profiles, extended XMP)."""

ALWAYS_PLAUSIBLE_PIXELS = 4_000_000
"""A header that claims no more pixels than this is believed whatever the file's length: it cannot cost much."""

_CODED_SLACK, _CODED_BYTES_A_PIXEL = 16 * 2**20, 8

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD
_APP0, _APP2, _APP14 = 0xE0, 0xE2, 0xEE
_FRAMES_READ = (0xC0, 0xC1, 0xC2)
_FRAMES_REFUSED = {
    **dict.fromkeys((0xC3, 0xC7, 0xCB, 0xCF), "it is a lossless JPEG"),
    **dict.fromkeys((0xC5, 0xC6), "it is a hierarchical JPEG"),
    **dict.fromkeys((0xC9, 0xCA, 0xCC, 0xCD, 0xCE), "it is a JPEG with arithmetic coding"),
}
_NO_LENGTH = (0x01, *range(0xD0, 0xD8))

# A marker is FF and a byte that is neither stuffing (00) nor fill (FF); in a scan the restart markers are data too.
_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)

_JFIF_SEGMENT = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_ADOBE_SEGMENT = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"

_NATURAL_ORDER = np.array(
    sorted(range(64), key=lambda i: (i // 8 + i % 8, (i // 8 if (i // 8 + i % 8) % 2 else i % 8))), dtype=np.intp
)
"""Position in the row-major 8x8 block of each zigzag index: diagonals, walked up (even) and down (odd) in turn."""

_CONVERT = "open it in an image editor and save it as an ordinary JPEG or PNG"


@dataclass(frozen=True)
class Frame:
    """What the frame header (SOF) says.

    Attributes:
        width: pixels.
        height: pixels.
        progressive: True for SOF2.
        components: one ``(identifier, horizontal factor, vertical factor, quantization table number)`` each.
    """

    width: int
    height: int
    progressive: bool
    components: tuple[tuple[int, int, int, int], ...]

    @property
    def luma_blocks(self) -> tuple[int, int]:
        """Rows and columns of 8x8 blocks of the first component, when it has full resolution."""
        return -(-self.height // 8), -(-self.width // 8)


@dataclass(frozen=True)
class CleanJpeg:
    """A JPEG stream that is safe to decode, and what its dropped segments said.

    Attributes:
        stream: bytes of the rebuilt stream, from SOI to EOI.
        frame: size, components and coding process.
        table: uint16 ``(8, 8)``, quantization table of the first component in natural order, as it stood at that
            component's first scan (a later redefinition does not apply to it).
        cut: True when the file ended without an end-of-image marker, or broke off into unreadable segments.
        adobe_transform: colour transform of the APP14 segment (0 none, 1 YCbCr, 2 YCCK); None without one.
        jfif: True when a JFIF segment was there, which makes three components YCbCr.
        multi_picture: True when a multi-picture (MPF) index was there.
        tables: the quantization table of each component as it stood at the end, where there is one.
        restart_interval: MCUs between restart markers, 0 without any.
        embedded: what the dropped segments carried.
        scans: what each scan codes and where it lies in `stream`, in order.
    """

    stream: bytes
    frame: Frame
    table: NDArray[np.uint16]
    cut: bool
    adobe_transform: int | None
    jfif: bool
    multi_picture: bool
    tables: tuple[NDArray[np.uint16], ...] = ()
    restart_interval: int = 0
    embedded: Embedded = field(default_factory=Embedded)
    scans: tuple[Scan, ...] = ()

    @property
    def first_component(self) -> str:
        """Name of what the first component holds: "luma", "red" or "cyan"."""
        identifiers = tuple(component[0] for component in self.frame.components)
        if len(identifiers) == 4:
            return "luma" if self.adobe_transform == 2 else "cyan"
        if len(identifiers) == 3 and not self.jfif:
            rgb = identifiers == (82, 71, 66) if self.adobe_transform is None else self.adobe_transform == 0
            return "red" if rgb else "luma"
        return "luma"


def sanitise(data: bytes, *, max_pixels: int = MAX_PIXELS, source: str = "JPEG data") -> CleanJpeg:
    """Check a JPEG file and rebuild its stream from the segments that decoding needs.

    Args:
        data: the file's bytes; anything after the first end-of-image marker is left out.
        max_pixels: refuse frames with more pixels.
        source: how to name the file in errors.

    Returns:
        The rebuilt stream and what was learnt on the way.

    Raises:
        UnreadableImage: not a JPEG, a coding process other than Huffman-coded baseline, extended or progressive with 8
            bit samples and 1, 3 or 4 components, too many pixels, scans or segments, a header that claims more than the
            data can hold, or no picture data at all.
    """
    return _Walk(data, max_pixels, source).run()


class _Walk:
    """State of one walk over the segments."""

    def __init__(self, data: bytes, max_pixels: int, source: str) -> None:
        self.data = data
        self.max_pixels = max_pixels
        self.source = source
        self.view = memoryview(data)
        self.kept: list[memoryview] = []
        self.frame: Frame | None = None
        self.tables: dict[int, NDArray[np.uint16]] = {}
        self.table: NDArray[np.uint16] | None = None
        self.scans: list[tuple[int, bytes]] = []  # index in `kept` and header of each
        self.coded_bytes = 0
        self.adobe: int | None = None
        self.jfif = False
        self.multi_picture = False
        self.restart_interval = 0
        self.embedded = Collector()

    def run(self) -> CleanJpeg:
        if not self.data:
            raise UnreadableImage(self.source, "the file is empty", "fetch or copy it again")
        if self.data[:2] != b"\xff\xd8":
            raise UnreadableImage(self.source, "it does not begin like a JPEG file", "check what the file really is")
        cut = self._walk()
        if self.frame is None or not self.coded_bytes:
            self._refuse("it ends before any picture data", "fetch or copy the whole file again")
        if self.table is None:
            self._refuse("its first component is never coded or has no quantization table", _CONVERT)
        self._check_plausible(self.frame)
        colour = (_JFIF_SEGMENT if self.jfif else b"") + (
            b"" if self.adobe is None else _ADOBE_SEGMENT + bytes([self.adobe])
        )
        stream = b"".join((b"\xff\xd8", colour, *self.kept, b"\xff\xd9"))
        # The first component's table is the one of its first scan, whatever a later segment redefines.
        others = (self.tables.get(component[3]) for component in self.frame.components[1:])
        tables = (self.table, *(table for table in others if table is not None))
        return CleanJpeg(
            stream,
            self.frame,
            self.table,
            cut,
            self.adobe,
            self.jfif,
            self.multi_picture,
            tables,
            self.restart_interval,
            self.embedded.finish(),
            self._placed_scans(2 + len(colour)),
        )

    def _walk(self) -> bool:
        """Visit the segments up to the end-of-image marker; True when there was none."""
        position, segments = 2, 0
        while True:
            segments += 1
            if segments > MAX_SEGMENTS:
                self._refuse(f"it has more than {MAX_SEGMENTS} segments", _CONVERT)
            match = _MARKER.search(self.data, position)
            if match is None:
                return True
            marker = self.data[match.start() + 1]
            start = match.end()
            if marker == _EOI:
                return False
            if marker in _NO_LENGTH:
                position = start
                continue
            if marker == _SOI:
                return self._broken("a second picture begins inside it")
            end = start + int.from_bytes(self.data[start : start + 2], "big")
            if end < start + 2 or end > len(self.data):
                return self._broken("a segment runs past the end of the file")
            position = self._segment(marker, start, end)
            if position < 0:
                return True

    def _segment(self, marker: int, start: int, end: int) -> int:
        """Handle one segment whose length field begins at ``start``; the next position, negative to stop."""
        payload = self.data[start + 2 : end]
        if marker in _FRAMES_REFUSED:
            self._refuse(f"{_FRAMES_REFUSED[marker]}, which is not read", _CONVERT)
        if marker in _FRAMES_READ:
            self._read_frame(marker, payload)
        elif marker == _SOS:
            return self._read_scan(start, end, payload)
        elif marker == _DQT:
            self._read_tables(payload)
        elif marker == _APP0 and payload[:5] == b"JFIF\x00" and len(payload) >= 14:
            self.jfif = True
        elif marker == _APP2 and payload[:4] == b"MPF\x00":
            self.multi_picture = True
        elif marker == _DRI and len(payload) >= 2:
            self.restart_interval = int.from_bytes(payload[:2], "big")
        elif marker == _APP14 and payload[:5] == b"Adobe" and len(payload) >= 12:
            self.adobe = payload[11]
        else:
            self.embedded.add_segment(marker, payload)
        if marker in _FRAMES_READ or marker in (_DQT, _DHT, _DRI):
            self.kept.append(self.view[start - 2 : end])
        return end

    def _read_frame(self, marker: int, payload: bytes) -> None:
        if self.frame is not None:
            self._refuse("it has two frame headers", _CONVERT)
        if len(payload) < 6 or len(payload) != 6 + 3 * payload[5]:
            self._refuse("its frame header is damaged", "fetch or copy the file again")
        height, width, count = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big"), payload[5]
        if payload[0] != 8:
            self._refuse(f"it has {payload[0]}-bit samples and only 8-bit JPEG is read", _CONVERT)
        if count not in (1, 3, 4):
            self._refuse(f"it has {count} components and only 1, 3 or 4 are read", _CONVERT)
        if not height or not width:
            self._refuse(f"its header claims a size of {width}x{height} pixels", "fetch or copy the file again")
        if height * width > self.max_pixels:
            self._refuse(
                f"its {width}x{height} pixels are above the limit of {self.max_pixels}",
                "raise max_pixels or cut the picture into parts",
            )
        parts = [payload[6 + 3 * i : 9 + 3 * i] for i in range(count)]
        components = tuple((part[0], part[1] >> 4, part[1] & 15, part[2]) for part in parts)
        if any(not 1 <= h <= 4 or not 1 <= v <= 4 for _, h, v, _ in components):
            self._refuse("its sampling factors are not valid", "fetch or copy the file again")
        if components[0][1] < max(c[1] for c in components) or components[0][2] < max(c[2] for c in components):
            self._refuse("its first component is coded at less than full resolution, which is not read", _CONVERT)
        self.frame = Frame(width, height, marker == 0xC2, components)

    def _read_tables(self, payload: bytes) -> None:
        position = 0
        while position < len(payload):
            wide, number = payload[position] >> 4, payload[position] & 15
            size = 128 if wide else 64
            values = payload[position + 1 : position + 1 + size]
            if wide > 1 or number > 3 or len(values) != size:
                self._refuse("a quantization table is damaged", "fetch or copy the file again")
            table = np.empty(64, dtype=np.uint16)
            table[_NATURAL_ORDER] = np.frombuffer(values, dtype=">u2" if wide else np.uint8)
            self.tables[number] = table.reshape(8, 8)
            position += 1 + size

    def _read_scan(self, start: int, end: int, payload: bytes) -> int:
        if self.frame is None:
            self._refuse("picture data comes before the frame header", "fetch or copy the file again")
        self.scans.append((len(self.kept), payload))
        if len(self.scans) > MAX_SCANS:
            self._refuse(f"it has more than {MAX_SCANS} scans", _CONVERT)
        identifier, _, _, number = self.frame.components[0]
        if self.table is None and identifier in payload[1 : 1 + 2 * (payload[0] if payload else 0) : 2]:
            self.table = self.tables.get(number)
        match = _AFTER_SCAN.search(self.data, end)
        # A cut can fall between FF and its second byte: that FF is half a marker, not data.
        stop = match.start() if match else len(self.data) - self.data.endswith(b"\xff")
        stop = max(stop, end)
        self.coded_bytes += stop - end
        self.kept.append(self.view[start - 2 : stop])
        return stop if match else -1

    def _placed_scans(self, begin: int) -> tuple[Scan, ...]:
        """The scans, ``begin`` being where the first of the kept segments lies in the stream."""
        ends = list(accumulate((len(piece) for piece in self.kept), initial=begin))
        return tuple(scan_of(header, ends[index], ends[index + 1]) for index, header in self.scans)

    def _check_plausible(self, frame: Frame) -> None:
        """Refuse a header whose picture cannot be in so few bytes, and data that are no picture of that size.

        A block of the first component costs at least one bit (its DC code in the first progressive scan) or two (DC
        code and end of block, sequential), whatever the Huffman tables, so no complete file is refused, however flat.
        """
        pixels = frame.width * frame.height
        if self.coded_bytes > _CODED_SLACK + _CODED_BYTES_A_PIXEL * pixels:
            self._refuse(
                f"it has {self.coded_bytes} bytes of picture data for {frame.width}x{frame.height} pixels", _CONVERT
            )
        if pixels <= ALWAYS_PLAUSIBLE_PIXELS:
            return
        rows, columns = frame.luma_blocks
        least = rows * columns * (1 if frame.progressive else 2) // 8
        if self.coded_bytes < least:
            self._refuse(
                f"its header claims {frame.width}x{frame.height} pixels, but its {self.coded_bytes} bytes of picture "
                f"data could not hold them",
                "fetch or copy the whole file again",
            )

    def _broken(self, cause: str) -> bool:
        """A flaw after the first scan ends the picture there; before it there is nothing to read."""
        if not self.scans:
            self._refuse(cause, "fetch or copy the file again")
        return True

    def _refuse(self, cause: str, way_out: str) -> NoReturn:
        raise UnreadableImage(self.source, cause, way_out)
