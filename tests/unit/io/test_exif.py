from __future__ import annotations

import io
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_pictures import encode, picture
from PIL import Image

from omni_iml.io import load
from omni_iml.io.exif import read_exif
from omni_iml.io.facts import _reader, is_camera
from omni_iml.io.tiff_directory import MAX_ENTRIES, first_directory
from omni_iml.text import LONGEST


def exif_of(order: str = "<", *, thumbnail: bytes = b"", comment: bytes = b"") -> bytes:
    """EXIF data with camera, dates, position and thumbnail, by Pillow except for the thumbnail's directory."""
    exif = Image.Exif()
    exif.endian = order
    exif[271], exif[272], exif[305], exif[306] = "Acme", "Model 1", "Editor 2.0", "2024:01:02 03:04:05"
    exif.get_ifd(34665)[36867] = "2024:01:01 00:00:00"
    exif.get_ifd(34665)[37500] = b"maker"
    if comment:
        exif.get_ifd(34665)[37510] = comment
    exif.get_ifd(34853)[2] = (52.0, 30.0, 1.5)
    exif.get_ifd(34853)[4] = (13.0, 24.0, 1.5)
    data = exif.tobytes().removeprefix(b"Exif\x00\x00")
    if thumbnail:
        (start,) = struct.unpack_from(order + "L", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        link = start + 2 + 12 * count
        second = struct.pack(order + "HHHLLHHLL", 2, 513, 4, 1, len(data) + 30, 514, 4, 1, len(thumbnail)) + bytes(4)
        data = data[:link] + struct.pack(order + "L", len(data)) + data[link + 4 :] + second + thumbnail
    return data


@pytest.mark.parametrize("order", ["<", ">"])
def test_camera_dates_and_that_there_is_a_position(order: str) -> None:
    found = read_exif(_reader(exif_of(order, thumbnail=b"\xff\xd8small")))
    assert found.facts == {
        "make": "Acme",
        "model": "Model 1",
        "software": "Editor 2.0",
        "changed": "2024:01:02 03:04:05",
        "taken": "2024:01:01 00:00:00",
        "maker_note": "present",
        "position": "present",
    }
    assert found.thumbnail == b"\xff\xd8small"


@pytest.mark.parametrize(
    "comment", [b"ASCII\x00\x00\x00a word", b"\x00" * 8 + b"a word", b"UNICODE\x00" + "a word".encode("utf-16-le")]
)
def test_the_user_comment_in_its_character_codes(comment: bytes) -> None:
    assert read_exif(_reader(exif_of(comment=comment))).facts["comment"] == "a word"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_exif_of_every_kind_of_file(kind: str) -> None:
    exif = Image.Exif()
    exif[271], exif[305] = "Acme", "Editor 2.0"
    image = load(encode(picture(), kind, exif=exif))
    assert image.facts["exif"] == {"make": "Acme", "software": "Editor 2.0"}
    assert is_camera(image.facts)


def test_a_directory_that_leads_to_itself_ends() -> None:
    data = b"II*\x00\x08\x00\x00\x00" + struct.pack("<HHHLLHHLLL", 2, 34665, 4, 1, 8, 34853, 4, 1, 8, 8)
    assert read_exif(_reader(data)).facts == {}


def test_huge_counts_read_little() -> None:
    entries = b"".join(struct.pack("<HHLL", 271, 2, 2**31, 8) for _ in range(65_535))
    data = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 65_535) + entries
    read = 0

    def counted(offset: int, size: int) -> bytes:
        nonlocal read
        read += size
        return data[offset : offset + size]

    directory, _ = first_directory(counted, {271}, 100)
    assert len(directory.entries[271].value) == 100
    assert read < 12 * MAX_ENTRIES + 1000


def test_a_thumbnail_that_claims_too_much_is_left_alone() -> None:
    data = bytearray(exif_of(thumbnail=b"\xff\xd8small"))
    at = data.rindex(struct.pack("<HHL", 514, 4, 1)) + 8
    data[at : at + 4] = struct.pack("<L", 2**30)
    assert read_exif(_reader(bytes(data))).thumbnail == b""


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_mutated_exif_never_harms(data: st.DataObject) -> None:
    small = io.BytesIO()
    Image.fromarray(picture(24, 32)).save(small, "JPEG")
    exif = bytearray(exif_of(data.draw(st.sampled_from("<>")), thumbnail=small.getvalue(), comment=b"ASCII\0\0\0x"))
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(exif) - 5))
        exif[at : at + 4] = data.draw(
            st.sampled_from([b"\0\0\0\0", b"\xff\xff\xff\xff"]) | st.binary(min_size=4, max_size=4)
        )
    image = load(encode(picture(), exif=b"Exif\x00\x00" + bytes(exif)))
    json.dumps(dict(image.facts), allow_nan=False).encode()
    assert all(len(text) <= LONGEST for text in _texts(image.facts))
