"""Ways to damage a file, drawn from a seed: the same (name, number) always gives the same bytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

from numpy.random import Generator, default_rng

INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
"""Values at which sizes and offsets go wrong."""

_HEAD = 800
"""Bytes at the beginning, where headers lie; seven places of ten are drawn from them."""


def damaged(files: Sequence[tuple[str, bytes]], number: int, seed: int) -> tuple[str, bytes]:
    """The ``number``-th damaged file.

    Args:
        files: whole files with their names.
        number: which one.
        seed: of the whole run.

    Returns:
        The name of the file it was made from, and its bytes.
    """
    rng = default_rng([seed, number])
    name, whole = files[number % len(files)]
    data = bytearray(whole)
    for _ in range(int(rng.integers(1, 7))):
        if len(data) > 4:
            _WAYS[int(rng.integers(len(_WAYS)))](rng, data)
    if rng.random() < 0.1:  # the beginning of one file, the end of another
        _, other = files[int(rng.integers(len(files)))]
        data[int(rng.integers(len(data) + 1)) :] = other[int(rng.integers(len(other))) :]
    if name.startswith(("png", "apng")) and rng.random() < 0.8:
        mend_png(data)
    return name, bytes(data)


def mend_png(data: bytearray) -> None:
    """Make the checksums of a PNG file right again, so that damage gets past them."""
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(data):
            return
        data[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
        at = end + 4


def _place(rng: Generator, data: bytearray) -> int:
    head = min(len(data), _HEAD) if rng.random() < 0.7 else len(data)
    return int(rng.integers(head))


def _flip(rng: Generator, data: bytearray) -> None:
    data[_place(rng, data)] ^= 1 << int(rng.integers(8))


def _set(rng: Generator, data: bytearray) -> None:
    data[_place(rng, data)] = int(rng.integers(256))


def _number(rng: Generator, data: bytearray) -> None:
    at, size = _place(rng, data), int(rng.choice([1, 2, 4]))
    value = INTERESTING[int(rng.integers(len(INTERESTING)))] % 256**size
    data[at : at + size] = value.to_bytes(size, "big" if rng.random() < 0.5 else "little")


def _delete(rng: Generator, data: bytearray) -> None:
    at = _place(rng, data)
    del data[at : at + int(rng.integers(1, 60))]


def _insert(rng: Generator, data: bytearray) -> None:
    at = _place(rng, data)
    data[at:at] = rng.bytes(int(rng.integers(1, 30)))


def _repeat(rng: Generator, data: bytearray) -> None:
    at, size = _place(rng, data), int(rng.integers(1, 120))
    data[at:at] = data[at : at + size] * int(rng.integers(1, 20))


def _move(rng: Generator, data: bytearray) -> None:
    source, size = _place(rng, data), int(rng.integers(1, 80))
    piece = bytes(data[source : source + size])
    at = _place(rng, data)
    data[at : at + len(piece)] = piece


def _cut(rng: Generator, data: bytearray) -> None:
    del data[max(4, int(rng.integers(len(data)))) :]


def _marker(rng: Generator, data: bytearray) -> None:
    at = _place(rng, data)
    data[at : at + 2] = bytes([0xFF, int(rng.integers(0xC0, 0x100))])


def _digits(rng: Generator, data: bytearray) -> None:
    """Another decimal number: in PDF documents and mails sizes are text."""
    places = [i for i, byte in enumerate(data[:20_000]) if 48 <= byte < 58]
    if places:
        at = places[int(rng.integers(len(places)))]
        data[at : at + 1] = str(int(rng.choice([0, 1, 9, 99, 65536, 2**31, 10**12]))).encode()


_WAYS: tuple[Callable[[Generator, bytearray], None], ...] = (
    _flip,
    _set,
    _number,
    _number,
    _delete,
    _insert,
    _repeat,
    _move,
    _cut,
    _marker,
    _digits,
)
