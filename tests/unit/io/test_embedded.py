from __future__ import annotations

import io
import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_pictures import encode, insert, picture, segment
from PIL import Image, PngImagePlugin

from omni_iml.io import embedded, load
from omni_iml.io.embedded import ICC_BYTES, MOST_TEXTS, TEXT_BYTES, XMP_BYTES, embedded_in
from omni_iml.io.segments import sanitise
from omni_iml.text import plain

PNG_START = 8 + 25
"""Where a chunk may follow the header of a PNG file."""


def png_chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def with_chunk(data: bytes, *chunks: bytes) -> bytes:
    return data[:PNG_START] + b"".join(chunks) + data[PNG_START:]


def jumb() -> bytes:
    """The head of a C2PA manifest store: a superbox with its description box."""
    label = b"c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq\x03c2pa\x00"
    description = (8 + len(label)).to_bytes(4, "big") + b"jumd" + label
    return (8 + len(description)).to_bytes(4, "big") + b"jumb" + description


def test_a_jpeg_file_gives_what_its_segments_carry() -> None:
    data = encode(picture(), icc_profile=b"profile", comment=b"a comment", exif=b"Exif\x00\x00II*\x00rest")
    data = insert(data, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<xmp/>"))
    data = insert(data, segment(0xED, b"Photoshop 3.0\x008BIM"))
    data = insert(data, segment(0xEC, b"Ducky\x00\x01\x00\x04\x00\x00\x00\x50\x00\x00"))
    data = insert(data, segment(0xEB, b"JP\x00\x01\x00\x00\x00\x01" + jumb()))
    found = sanitise(data).embedded
    assert (found.exif, found.icc, found.xmp) == (b"II*\x00rest", b"profile", b"<xmp/>")
    assert found.texts == (("comment", b"a comment"),)
    assert (found.photoshop, found.web_quality, found.c2pa) == (True, 80, True)


def test_what_is_carried_does_not_change_the_stream_that_is_decoded() -> None:
    plain = encode(picture())
    loaded = insert(plain, segment(0xED, b"Photoshop 3.0\x00") + segment(0xFE, b"comment"))
    assert sanitise(loaded).stream == sanitise(plain).stream


def test_other_jumbf_boxes_are_no_credentials() -> None:
    other = jumb().replace(b"c2pa", b"abcd")
    assert not sanitise(insert(encode(picture()), segment(0xEB, b"JP\x00\x01\x00\x00\x00\x01" + other))).embedded.c2pa


@pytest.mark.parametrize("packed", [False, True])
def test_png_texts(packed: bool) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "Tool é", zip=packed)
    info.add_itxt("Title", "標題", zip=packed)
    info.add_itxt("XML:com.adobe.xmp", "<xmp/>", zip=packed)
    found = embedded_in(io.BytesIO(encode(picture(), "PNG", pnginfo=info, icc_profile=b"profile")), "PNG")
    assert {key: plain(value) for key, value in found.texts} == {"Software": "Tool é", "Title": "標題"}
    assert (found.xmp, found.icc, found.c2pa) == (b"<xmp/>", b"profile", False)


def test_credentials_of_other_formats() -> None:
    png = with_chunk(encode(picture(), "PNG"), png_chunk(b"caBX", jumb()))
    assert load(png).facts["c2pa"]["manifest"] == "present"
    webp = encode(picture(), "WEBP") + b"C2PA" + len(jumb()).to_bytes(4, "little") + jumb()
    assert embedded_in(io.BytesIO(webp), "WEBP").c2pa
    avif = encode(picture(), "AVIF")
    assert embedded_in(io.BytesIO(avif), "AVIF").c2pa is False
    box = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + jumb()
    avif += (8 + len(box)).to_bytes(4, "big") + b"uuid" + box
    assert embedded_in(io.BytesIO(avif), "AVIF").c2pa


def test_formats_that_are_not_searched_say_nothing() -> None:
    assert "c2pa" not in load(encode(picture(), "BMP")).facts


def test_webp_and_tiff_metadata() -> None:
    webp = encode(picture(), "WEBP", icc_profile=b"profile", xmp=b"<xmp/>")
    found = embedded_in(io.BytesIO(webp), "WEBP")
    assert (found.icc, found.xmp) == (b"profile", b"<xmp/>")
    tiff = encode(picture(), "TIFF", tiffinfo={700: b"<xmp/>", 34377: b"8BIM"}, icc_profile=b"profile")
    found = embedded_in(io.BytesIO(tiff), "TIFF")
    assert (found.icc, found.xmp, found.photoshop) == (b"profile", b"<xmp/>", True)


def test_bombs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    inflated: list[int] = []
    inflate = embedded._inflate
    monkeypatch.setattr(embedded, "_inflate", lambda data, most: inflated.append(most) or inflate(data, most))
    bomb = zlib.compress(bytes(50_000_000))
    text = png_chunk(b"zTXt", b"key\x00\x00" + bomb)
    profile = png_chunk(b"iCCP", b"name\x00\x00" + bomb)
    data = with_chunk(encode(picture(), "PNG"), *[text] * 200, *[profile] * 200)
    found = embedded_in(io.BytesIO(data), "PNG")
    assert sum(inflated) <= 2 * MOST_TEXTS * XMP_BYTES + ICC_BYTES
    assert len(found.texts) == MOST_TEXTS
    assert max(len(value) for _, value in found.texts) == TEXT_BYTES
    assert len(found.icc) == ICC_BYTES


def test_jpeg_segments_are_bounded() -> None:
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + b"x" * 65_000)
    icc = segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + b"i" * 65_000)
    comment = segment(0xFE, b"c" * 65_000)
    found = sanitise(insert(encode(picture()), (xmp + icc + comment) * 100)).embedded
    assert len(found.xmp) < XMP_BYTES
    assert len(found.icc) == ICC_BYTES
    assert len(found.texts) == MOST_TEXTS


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["PNG", "WEBP", "TIFF", "AVIF"]), st.binary(max_size=300), st.integers(0, 400))
def test_rubbish_is_survived(kind: str, rubbish: bytes, at: int) -> None:
    data = encode(picture(16, 16), "PNG" if kind == "AVIF" else kind)
    embedded_in(io.BytesIO(data[:at] + rubbish + data[at:]), kind)
    embedded_in(io.BytesIO(rubbish), kind)


def test_a_png_of_endless_empty_chunks_ends() -> None:
    data = encode(Image.new("RGB", (8, 8)), "PNG")[:PNG_START] + struct.pack(">L4sL", 0, b"teSt", 0) * 200_000
    start = time.process_time()
    embedded_in(io.BytesIO(data), "PNG")
    assert time.process_time() - start < 2
