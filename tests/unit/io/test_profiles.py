from __future__ import annotations

import io
import struct

import pytest
from io_pictures import encode, picture
from PIL import Image, ImageCms

from omni_iml.io import load
from omni_iml.io.profiles import profile_name, profile_note

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def profile(text: bytes) -> bytes:
    """A profile of nothing but a description, from its type on."""
    return bytes(36) + b"acsp" + bytes(88) + struct.pack(">L4sLL", 1, b"desc", 144, len(text)) + text


P3_2 = profile(b"desc" + bytes(4) + struct.pack(">L", 11) + b"Display P3\0")
P3_4 = profile(b"mluc" + bytes(4) + struct.pack(">LL4sLL", 1, 12, b"enUS", 20, 28) + "Display P3".encode("utf-16-be"))


def test_names_are_those_of_little_cms() -> None:
    for data in (SRGB, LAB):
        described = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(data))).strip()
        assert profile_name(data) == described[:60] != ""
    assert profile_name(P3_2) == profile_name(P3_4) == "Display P3"


def test_every_cut_is_a_name_or_none() -> None:
    for data in (SRGB, P3_2, P3_4):
        for kept in range(len(data)):
            assert isinstance(profile_name(data[:kept]), str)
            profile_note(data[:kept])
    assert profile_name(profile(b"desc" + bytes(4) + b"\xff" * 60)) != "Display P3"
    assert profile_note(b"") == profile_note(bytes(200)) == ()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("data", [P3_2, P3_4], ids=["version 2", "version 4"])
def test_only_a_profile_other_than_srgb_is_warned_of(kind: str, data: bytes) -> None:
    note = "its colour profile (Display P3) was not applied: a viewer may show other colours"
    assert load(encode(picture(16, 16), kind, icc_profile=data)).warnings == (note,)
    assert load(encode(picture(16, 16), kind, icc_profile=SRGB)).warnings == ()


def test_cmyk_is_warned_of_once() -> None:
    source = Image.fromarray(picture(16, 16)).convert("CMYK")
    for kind in ("JPEG", "TIFF"):
        warnings = load(encode(source, kind, icc_profile=P3_2)).warnings
        assert sum("profile" in warning for warning in warnings) == 1
