"""Walk the blocks of PNG, GIF and WebP files: how many pictures, of what size, without decoding any."""

from __future__ import annotations

import io
import struct
from typing import IO

from omni_iml.io.claims import MAX_FRAMES, Budget, Claims


def survey_png(stream: IO[bytes], frame: int, source: str) -> Claims:
    """Read the chunks of a PNG file, animated (APNG) or not.

    A default image that is no part of the animation counts as its first frame.

    Args:
        stream: the file, seekable.
        frame: which frame is asked for, from 0; all have one size.
        source: how to name the file in errors.

    Returns:
        The claims; as many frames as are there and announced.

    Raises:
        UnreadableImage: more chunks than any real file has.
    """
    budget = Budget(source)
    size: tuple[int, int] | None = None
    bits, announced, controls, default, data_seen = 8, 0, 0, False, False
    stream.seek(8)
    while len(head := stream.read(8)) == 8 and controls <= MAX_FRAMES:
        budget.spend()
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        payload = stream.read(13) if name in (b"IHDR", b"acTL") and length <= 13 else b""
        if name == b"IHDR" and len(payload) == 13:
            size, bits = struct.unpack(">LL", payload[:8]), payload[8]
        elif name == b"acTL" and len(payload) >= 8 and not data_seen:
            announced = int.from_bytes(payload[:4], "big")
        elif name == b"fcTL":
            controls += 1
        elif name == b"IDAT" and not data_seen:
            data_seen, default = True, not controls
        elif name == b"IEND" or (data_seen and not announced):
            break
        # An IHDR or acTL that ends early was read into what follows it.
        stream.seek(length + 4 - len(payload), io.SEEK_CUR)
    frames = max(1, min(announced, controls) + default) if announced else 1
    pixels = size[0] * size[1] * frames if size else 0
    return Claims(size, frames, pixels, bits, composed=frames > 1)


def survey_gif(stream: IO[bytes], frame: int, source: str) -> Claims:
    """Read the blocks of a GIF file.

    Args:
        stream: the file, seekable.
        frame: which frame is asked for, from 0: a frame that reaches over the screen enlarges it.
        source: how to name the file in errors.

    Returns:
        The claims, with the size of the canvas once this frame is painted.

    Raises:
        UnreadableImage: more blocks than any real file has.
    """
    budget = Budget(source)
    stream.seek(0)
    screen = stream.read(13)
    if len(screen) < 13:
        return Claims()
    width, height = struct.unpack_from("<HH", screen, 6)
    _skip_palette(stream, screen[10])
    frames = 0
    while frames <= MAX_FRAMES and (mark := stream.read(1)) not in (b"", b";"):
        budget.spend()
        if mark == b"!":
            stream.read(1)
            _skip_data(stream, budget)
        elif mark == b",":
            place = stream.read(9)
            if len(place) < 9:
                break
            left, top, wide, high = struct.unpack_from("<HHHH", place)
            if frames <= frame:
                width, height = max(width, left + wide), max(height, top + high)
            frames += 1
            _skip_palette(stream, place[8])
            stream.read(1)  # length of the first codes
            _skip_data(stream, budget)
    return Claims((width, height), max(1, frames), width * height * max(1, frames), composed=frames > 1)


def _skip_palette(stream: IO[bytes], flags: int) -> None:
    if flags & 0x80:
        stream.seek(3 << (flags & 7) + 1, io.SEEK_CUR)


def _skip_data(stream: IO[bytes], budget: Budget) -> None:
    """Pass over sub-blocks of a length byte and so many bytes, up to an empty one."""
    while (length := stream.read(1)) not in (b"", b"\x00"):
        budget.spend()
        stream.seek(length[0], io.SEEK_CUR)


def survey_webp(stream: IO[bytes], frame: int, source: str) -> Claims:
    """Read the chunks of a WebP file, animated or not.

    Args:
        stream: the file, seekable.
        frame: which frame is asked for, from 0; all have one size.
        source: how to name the file in errors.

    Returns:
        The claims; the size is None where the head is cut off.

    Raises:
        UnreadableImage: more chunks than any real file has.
    """
    budget = Budget(source)
    stream.seek(0)
    size = _webp_size(stream.read(30))
    frames = 0
    stream.seek(12)
    while len(head := stream.read(8)) == 8 and frames <= MAX_FRAMES:
        budget.spend()
        frames += head[:4] == b"ANMF"
        length = int.from_bytes(head[4:], "little")
        stream.seek(length + length % 2, io.SEEK_CUR)
    return Claims(size, max(1, frames), size[0] * size[1] if size else 0, composed=frames > 1)


def _webp_size(head: bytes) -> tuple[int, int] | None:
    if len(head) < 30:
        return None
    match head[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack("<HH", head[26:30])
            return width & 0x3FFF, height & 0x3FFF
    return None
