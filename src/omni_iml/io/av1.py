"""How large the pictures in AV1 data are, from their sequence headers (AV1 bitstream specification, 5.3 and 5.5)."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import IO

from omni_iml.io.claims import Budget

_SEQUENCE_HEADER = 1
_HEADER_BYTES = 256
_UNITS = 1000
"""Units looked at in a row: the first few set the size of what follows."""


def largest_frame(stream: IO[bytes], places: Iterable[int], budget: Budget) -> int:
    """Find the most pixels that a sequence header in the data allows a frame.

    Args:
        stream: the file, seekable.
        places: where runs of AV1 units begin; what begins there and is something else is passed over.
        budget: counts the units.

    Returns:
        Pixels; 0 where no sequence header was found.

    Raises:
        UnreadableImage: there are more units than any real file has.
    """
    most = 0
    for place in dict.fromkeys(places):
        stream.seek(place)
        for _ in range(_UNITS):
            head = stream.read(1)
            # The first bit must be 0, and units without a length of their own cannot be followed by another.
            if not head or head[0] & 0x80:
                break
            budget.spend()
            kind, extended, sized = head[0] >> 3 & 15, head[0] & 4, head[0] & 2
            if extended:
                stream.read(1)
            length = _leb128(stream) if sized else _HEADER_BYTES
            start = stream.tell()
            if kind == _SEQUENCE_HEADER:
                most = max(most, _pixels(stream.read(min(length, _HEADER_BYTES))))
            if not sized:
                break
            stream.seek(start + length, io.SEEK_SET)
    return most


def _leb128(stream: IO[bytes]) -> int:
    value = 0
    for index in range(8):
        byte = stream.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << 7 * index
        if not byte[0] & 0x80:
            break
    return value


class _Bits:
    """Reads numbers from the highest bit on; zeros after the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def __call__(self, count: int) -> int:
        self._left -= count
        value = self._value >> self._left if self._left >= 0 else 0
        return value & ((1 << count) - 1)


def _pixels(data: bytes) -> int:
    """Largest width times largest height of a sequence header."""
    bits = _Bits(data)
    bits(3)  # profile
    bits(1)  # still picture
    if bits(1):  # reduced header
        bits(5)  # level
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits(4) + 1, bits(4) + 1
    return (bits(width_bits) + 1) * (bits(height_bits) + 1)


def _skip_operating_points(bits: _Bits) -> None:
    model, delay_bits = 0, 0
    if bits(1):  # timing
        bits(32), bits(32)
        if bits(1):  # equal intervals: a number in Elias gamma code
            zeros = 0
            while zeros < 32 and not bits(1):
                zeros += 1
            bits(zeros)
        model = bits(1)
        if model:
            delay_bits = bits(5) + 1
            bits(32), bits(5), bits(5)
    delayed = bits(1)
    for _ in range(bits(5) + 1):
        bits(12)
        if bits(5) > 7:
            bits(1)
        if model and bits(1):
            bits(delay_bits), bits(delay_bits), bits(1)
        if delayed and bits(1):
            bits(4)
