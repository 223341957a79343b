"""Files whose structure is right and whose content is not: every one is read or refused by a sentence."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from corpus import whole_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worker import MAX_PIXELS, read

pytestmark = pytest.mark.filterwarnings("ignore")

FILES = whole_files()
quietly = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])

words = st.integers(0, 0xFFFF)
payloads = st.binary(max_size=80)
EXIF_TYPES = (1, 2, 3, 4, 5, 7, 9, 10, 12, 13, 129)


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


@st.composite
def directories(draw: st.DrawFn, head: bytes = b"II*\x00\x08\x00\x00\x00", order: str = "<") -> bytes:
    """A TIFF directory of any tags, types, counts and pointers, as EXIF data and TIFF files hold it."""
    entries = draw(
        st.lists(
            st.tuples(
                st.sampled_from([256, 257, 258, 259, 262, 271, 272, 273, 274, 278, 279, 305, 306, 322, 323, 330, 34665])
                | words,
                st.sampled_from(EXIF_TYPES),
                st.sampled_from([0, 1, 2, 7, 0xFFFF, 0xFFFFFFFF]) | words,
                words | st.sampled_from([0, 8, 0xFFFFFFFF]),
            ),
            max_size=12,
        )
    )
    body = b"".join(struct.pack(order + "HHLL", *entry) for entry in entries)
    following = draw(st.sampled_from([0, 8, 10, 0xFFFFFFFF]))
    return head + struct.pack(order + "H", len(entries)) + body + struct.pack(order + "L", following) + draw(payloads)


@quietly
@given(directories())
def test_exif_of_any_content(tags: bytes) -> None:
    jpeg = FILES["jpeg-restart"]
    assert read(jpeg[:2] + segment(0xE1, b"Exif\x00\x00" + tags) + jpeg[2:])[0] == 1, "EXIF must not cost the picture"


@quietly
@given(st.lists(st.tuples(st.integers(0xC0, 0xFE), payloads), max_size=8), st.integers(2, 400))
def test_jpeg_segments_of_any_content_at_any_place(segments: list[tuple[int, bytes]], at: int) -> None:
    jpeg = FILES["jpeg"]
    read(jpeg[:at] + b"".join(segment(*one) for one in segments) + jpeg[at:])


@quietly
@given(directories())
def test_tiff_directories_of_any_content(data: bytes) -> None:
    read(data)


@quietly
@given(
    st.integers(0, 2**32 - 1) | st.integers(1, 60),
    st.integers(0, 2**32 - 1) | st.integers(1, 60),
    st.sampled_from([1, 2, 4, 8, 16, 3]),
    st.integers(0, 7),
    st.integers(0, 2),
    st.lists(
        st.tuples(
            st.sampled_from([b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"iCCP", b"acTL", b"tRNS", b"PLTE", b"caBX"]), payloads
        )
    ),
    st.binary(max_size=4000),
)
def test_png_chunks_of_any_content(
    width: int, height: int, depth: int, colour: int, interlace: int, chunks: list[tuple[bytes, bytes]], rows: bytes
) -> None:
    header = struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, interlace)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    good, _, largest = read(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    assert not good or largest == width * height <= MAX_PIXELS


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">L", len(payload)) + kind + payload + struct.pack(">L", zlib.crc32(kind + payload))


@quietly
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
            | st.sampled_from(
                ["../up.jpg", "/root.png", "C:\\a.jpg", "a/b.pdf", "CON.jpg", "a.zip", "word/media/a.jpeg"]
            ),
            st.sampled_from([FILES["jpeg"], FILES["png"], FILES["pdf"], FILES["zip"], b"", b"text"]),
            st.booleans(),
        ),
        max_size=6,
    )
)
def test_archives_of_any_names(members: list[tuple[str, bytes, bool]]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data, packed in members:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
    read(buffer.getvalue())
