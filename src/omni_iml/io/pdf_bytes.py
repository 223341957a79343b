"""What the bytes of a PDF file say before any PDF library reads them: revisions, digest, streams that explode."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from omni_iml.types import UnreadableImage

MAX_STREAM_BYTES = 64 * 2**20
"""A stream that is no picture (drawing commands, fonts, objects) and inflates to more than this is refused."""

SIMPLE_FILTERS = ("ASCIIHexDecode", "ASCII85Decode", "FlateDecode")
"""Filters that `undo_filters` undoes."""

_CHUNK = 2**20
_OVERLAP = 2048
_PIECE = 2**16

_REVISION = re.compile(rb"startxref\s{1,8}\d{1,20}\s{1,8}%%EOF")
_STREAM = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)(..)", re.DOTALL)
_SIDE = {side: re.compile(rb"/" + side + rb"\s{0,8}(\d{1,9})(?!\s+\d+\s+R)") for side in (b"Width", b"Height")}
_BASE_85 = re.compile(rb"\s+")


@dataclass(frozen=True)
class PdfBytes:
    """What `survey_pdf` finds.

    Attributes:
        sha256: hex digest of the file.
        revisions: how often the file was written to: once, and once more for each incremental update. 0 for a file
            that never ends properly.
    """

    sha256: str
    revisions: int


def survey_pdf(stream: IO[bytes], *, source: str) -> PdfBytes:
    """Read a PDF file from end to end without believing any of its pointers.

    Every deflated stream is inflated, piece by piece and into nothing, so that one which explodes is found before the
    PDF library meets it. A stream that is encrypted or packed by another filter first cannot be looked into; the
    library itself stops at 1 GiB a stream.

    Args:
        stream: the file, seekable.
        source: how to name the file in errors.

    Returns:
        Digest and number of revisions.

    Raises:
        UnreadableImage: a stream inflates to more than its kind can need.
    """
    digest, ends, linear = hashlib.sha256(), 0, False
    begin, window, inflated_to = 0, b"", 0
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        fresh = len(window)  # what lies before was there in the last round
        window += chunk
        linear = linear or (begin == 0 and b"/Linearized" in window[:1024])
        ends += sum(match.end() > fresh for match in _REVISION.finditer(window))
        for match in _STREAM.finditer(window):
            start = begin + match.start(1)
            if match.end() > fresh and start >= inflated_to and _is_zlib(match[1]):
                most = _most_bytes(window[max(0, match.start() - _OVERLAP // 2) : match.start()])
                inflated_to = _inflate(stream, start, most, source)
        begin += max(0, len(window) - _OVERLAP)
        window = window[-_OVERLAP:]
        stream.seek(begin + len(window))
    # A linearised file ends twice in its first writing: after the first page's table, and at its end.
    return PdfBytes(digest.hexdigest(), ends - 1 if linear and ends > 1 else ends)


def undo_filters(data: bytes, filters: Sequence[str], most: int) -> bytes | None:
    """Undo the filters around a picture's own coding.

    Args:
        data: the stream as it lies in the file.
        filters: names of the filters, the outermost first.
        most: the largest result that is wanted.

    Returns:
        The data within; None where a filter is not one of `SIMPLE_FILTERS`, the data are damaged, or more come out.
    """
    for name in filters:
        if name not in SIMPLE_FILTERS:
            return None
        try:
            if name == "FlateDecode":
                inflater = zlib.decompressobj()
                data = inflater.decompress(data, most)
                if inflater.unconsumed_tail:
                    return None
            elif name == "ASCII85Decode":
                data = base64.a85decode(_BASE_85.sub(b"", data).removeprefix(b"<~").partition(b"~")[0])
            else:
                digits = _BASE_85.sub(b"", data).partition(b">")[0]
                data = binascii.unhexlify(digits + b"0" * (len(digits) % 2))
        except (zlib.error, ValueError):
            return None
    return data if len(data) <= most else None


def _is_zlib(head: bytes) -> bool:
    return head[0] & 15 == 8 and head[0] >> 4 <= 7 and int.from_bytes(head, "big") % 31 == 0


def _most_bytes(before: bytes) -> int:
    """How much the stream whose dictionary ends ``before`` may inflate to."""
    dictionary = before[before.rfind(b"obj") + 3 :]
    sides = [pattern.search(dictionary) for pattern in _SIDE.values()]
    if b"/Image" not in dictionary or not all(sides):
        return MAX_STREAM_BYTES
    width, height = (int(side[1]) for side in sides if side)
    # Up to four channels of 16 bits; PDF libraries decode a picture line by line, whatever its size.
    return max(MAX_STREAM_BYTES, 8 * width * height)


def _inflate(stream: IO[bytes], start: int, most: int, source: str) -> int:
    """Inflate the stream at ``start``; the position where it ended."""
    stream.seek(start)
    inflater, left = zlib.decompressobj(), most
    while not inflater.eof and (piece := stream.read(_PIECE)):
        while piece and not inflater.eof:
            try:
                left -= len(inflater.decompress(piece, _PIECE * 16))
            except zlib.error:  # damaged, or no zlib data after all: nothing more comes out of it
                return stream.tell()
            if left < 0:
                raise UnreadableImage(
                    source,
                    f"one of its streams inflates to more than {most} bytes",
                    "print it to a new PDF file if you trust it",
                )
            piece = inflater.unconsumed_tail
    return stream.tell() - len(inflater.unused_data)
