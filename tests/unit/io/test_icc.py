import struct

import pytest
from PIL import ImageCms

from omni_iml.io.icc import profile_description


@pytest.mark.parametrize("space", ["sRGB", "LAB", "XYZ"])
def test_the_description_is_what_the_colour_engine_reads(space):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(space))
    assert profile_description(profile.tobytes()) == ImageCms.getProfileDescription(profile).strip()


def test_version_2_descriptions():
    text = b"My Profile\x00"
    tag = b"desc" + bytes(4) + struct.pack(">L", len(text)) + text
    head = bytes(36) + b"acsp" + bytes(88) + struct.pack(">L4sLL", 1, b"desc", 144, len(tag))
    assert profile_description(head + tag) == "My Profile"


@pytest.mark.parametrize("cut", range(0, 200, 13))
def test_cut_profiles_have_no_description(cut):
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert profile_description(data[:cut]) == ""
