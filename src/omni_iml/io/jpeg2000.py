"""What a JPEG 2000 file claims, from its boxes and the markers of its codestream (ISO/IEC 15444-1, annexes A and I).

The decoder keeps some hundred bytes for each code block and precinct, and a file of two kilobytes can ask for millions
of them. So they are counted here, as the file divides itself up, before it is decoded.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import IO

from omni_iml.io.boxes import Box, boxes
from omni_iml.io.claims import Budget, Claims
from omni_iml.types import UnreadableImage

CODESTREAM = b"\xff\x4f\xff\x51"

_SIZ, _COD, _COC, _SOT, _SOD, _EOC = 0xFF51, 0xFF52, 0xFF53, 0xFF90, 0xFF93, 0xFFD9
_MANY_BLOCKS, _PIXELS_A_BLOCK = 100_000, 64
_MANY_PACKETS, _PACKETS_A_PIXEL = 8_000_000, 2
_WHOLE = 15  # exponent of a precinct that is not divided


@dataclass(frozen=True)
class _Size:
    """What SIZ says: picture and tile in pixels, numbers of tiles and components, bits of the deepest."""

    width: int
    height: int
    tile_width: int
    tile_height: int
    tiles: int
    components: int
    bits: int


@dataclass(frozen=True)
class _Coding:
    """What COD or COC says of a component: exponents of code blocks and, by resolution, of precincts."""

    layers: int
    levels: int
    block: tuple[int, int]
    precincts: tuple[tuple[int, int], ...]

    def cost(self, size: _Size) -> tuple[int, int]:
        """Code blocks of the whole picture, and packets of its largest tile, if all components are coded like this."""
        blocks = most = 0
        wide, high = min(size.tile_width, size.width), min(size.tile_height, size.height)
        for resolution in range(self.levels + 1):
            shrink = self.levels - resolution
            width, height = (wide >> shrink) + 1, (high >> shrink) + 1
            across, down = self.precincts[resolution] if self.precincts else (_WHOLE, _WHOLE)
            precincts = (-(-width // 2**across), -(-height // 2**down))
            # Above the lowest, a resolution has three bands of half its size, and so have their precincts.
            half, bands = (1, 3) if resolution else (0, 1)
            block = min(self.block[0], max(0, across - half)), min(self.block[1], max(0, down - half))
            columns = max(precincts[0], -(-(width >> half) // 2 ** block[0]))
            rows = max(precincts[1], -(-(height >> half) // 2 ** block[1]))
            blocks += bands * columns * rows
            most = max(most, precincts[0] * precincts[1])
        packets = self.layers * (self.levels + 1) * most * size.components
        return blocks * size.components * size.tiles, packets


def survey_jpeg2000(stream: IO[bytes], frame: int, source: str) -> Claims:
    """Read the header of a JPEG 2000 file (.jp2, .jpx) or bare codestream (.j2k), and those of its tiles.

    Args:
        stream: the file, seekable.
        frame: not used: one picture is read.
        source: how to name the file in errors.

    Returns:
        The claims: the larger size where box and codestream disagree.

    Raises:
        UnreadableImage: no codestream, a damaged header, or one that divides the picture into far more pieces than it
            has use for.
    """
    budget = Budget(source)
    length = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    size = _read_header(stream, length, source, budget)
    if stream.read(4) != CODESTREAM:
        raise _damaged(source)
    stream.seek(-2, io.SEEK_CUR)
    try:
        said, codings = _read_markers(stream, length, budget)
    except (struct.error, IndexError, ValueError) as error:
        raise _damaged(source) from error
    pixels = said.width * said.height
    for coding in codings:
        blocks, packets = coding.cost(said)
        if blocks > _MANY_BLOCKS + pixels // _PIXELS_A_BLOCK or packets > _MANY_PACKETS + _PACKETS_A_PIXEL * pixels:
            raise UnreadableImage(
                source,
                f"it divides its {said.width}x{said.height} pixels into {blocks} code blocks and {packets} packets",
                "open it in an image editor and save it with ordinary settings",
            )
    width, height = max(said.width, size[0]), max(said.height, size[1])
    return Claims((width, height), pixels=width * height, bits=said.bits)


def _read_header(stream: IO[bytes], length: int, source: str, budget: Budget) -> tuple[int, int]:
    """Go to the codestream; the size that the boxes before it give, zeros for a bare codestream."""
    if stream.read(4) == CODESTREAM:
        stream.seek(0)
        return 0, 0
    width = height = 0
    for box in boxes(stream, 0, length, budget):
        if box.name == b"jp2h":
            for inner in boxes(stream, box.start, box.end, budget):
                if inner.name == b"ihdr" and len(fields := _content(stream, inner, 8)) == 8:
                    height, width = struct.unpack(">LL", fields)
        elif box.name == b"jp2c":
            stream.seek(box.start)
            return width, height
    raise _damaged(source)


def _content(stream: IO[bytes], box: Box, most: int) -> bytes:
    stream.seek(box.start)
    return stream.read(min(most, box.end - box.start))


def _read_markers(stream: IO[bytes], length: int, budget: Budget) -> tuple[_Size, list[_Coding]]:
    """Visit the main header and the headers of the tile parts: the size, and each way of coding that is named."""
    size: _Size | None = None
    codings: list[_Coding] = []
    part_end = 0
    while len(head := stream.read(2)) == 2:
        budget.spend()
        marker = int.from_bytes(head, "big")
        if marker == _EOC:
            break
        if marker == _SOD:
            if part_end <= stream.tell() or part_end >= length:  # the last part: it ends with the file
                break
            stream.seek(part_end)
            continue
        begin = stream.tell() - 2
        (count,) = struct.unpack(">H", stream.read(2))
        # Of other segments the content is not looked at.
        payload = stream.read(count - 2) if marker in (_SIZ, _COD, _COC, _SOT) else b""
        if marker == _SIZ:
            size = _size_of(payload)
        elif marker == _COD:
            codings.append(_coding(payload[0], int.from_bytes(payload[2:4], "big"), payload[5:]))
        elif marker == _COC and size is not None:
            skip = 1 if size.components < 257 else 2
            layers = codings[0].layers if codings else 1
            codings.append(_coding(payload[skip], layers, payload[skip + 1 :]))
        elif marker == _SOT:
            part_end = begin + int.from_bytes(payload[2:6], "big")
        else:
            stream.seek(max(0, count - 2), io.SEEK_CUR)
    if size is None:
        raise ValueError("no SIZ")
    return size, codings


def _size_of(payload: bytes) -> _Size:
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top = struct.unpack_from(">8L", payload, 2)
    (components,) = struct.unpack_from(">H", payload, 34)
    depths = payload[36 : 36 + 3 * components : 3]
    if not tile_width or not tile_height or len(depths) != components or not components:
        raise ValueError("SIZ is damaged")
    bits = max((depth & 0x7F) + 1 for depth in depths)
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    return _Size(right - left, bottom - top, tile_width, tile_height, tiles, components, bits)


def _coding(style: int, layers: int, fields: bytes) -> _Coding:
    levels = fields[0]
    precincts: tuple[tuple[int, int], ...] = ()
    if style & 1:
        sizes = fields[5 : 6 + levels]
        if len(sizes) != levels + 1:
            raise ValueError("precincts are missing")
        precincts = tuple((value & 15, value >> 4) for value in sizes)
    return _Coding(layers, levels, ((fields[1] & 15) + 2, (fields[2] & 15) + 2), precincts)


def _damaged(source: str) -> UnreadableImage:
    return UnreadableImage(source, "its JPEG 2000 header is damaged or cut off", "fetch or copy the file again")
