from __future__ import annotations

import hashlib
import io
import json

import pytest
from io_pictures import encode, insert, picture, segment
from PIL import Image, ImageCms, PngImagePlugin

from omni_iml.io import load
from omni_iml.io.facts import pixel_digest


def test_a_plain_jpeg() -> None:
    data = encode(picture(), quality=88)
    image = load(data)
    assert image.facts == {
        "hashes": {"file": hashlib.sha256(data).hexdigest(), "pixels": pixel_digest(image.pixels)},
        "jpeg": {
            "process": "sequential",
            "components": 3,
            "restart_interval": 0,
            "tables": "standard",
            "quality": 88,
            "quality_exact": True,
            "quality_distance": 0.0,
            "subsampling": "4:2:0",
        },
        "c2pa": {"manifest": "absent"},
    }


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        ({"progressive": True}, "process", "progressive"),
        ({"subsampling": 0}, "subsampling", "4:4:4"),
        ({"subsampling": 1}, "subsampling", "4:2:2"),
        ({"restart_marker_blocks": 3}, "restart_interval", 3),
        ({"qtables": [[7] * 64, [9] * 64]}, "tables", "custom"),
    ],
)
def test_how_a_jpeg_is_coded(options: dict, key: str, value: object) -> None:
    assert load(encode(picture(), **options)).facts["jpeg"][key] == value


def test_gray_has_one_component_and_no_subsampling() -> None:
    jpeg = load(encode(Image.fromarray(picture()).convert("L"))).facts["jpeg"]
    assert jpeg["components"] == 1
    assert "subsampling" not in jpeg


def test_lossless_copies_share_the_pixel_hash() -> None:
    pixels = picture()
    hashes = {load(encode(pixels, kind)).facts["hashes"]["pixels"] for kind in ("PNG", "BMP", "TIFF")}
    assert hashes == {load(pixels).facts["hashes"]["pixels"]} == {load(pixels).sha256}
    assert load(pixels[:, ::-1]).sha256 not in hashes


def test_pixels_without_a_file_have_a_hash_only() -> None:
    assert list(load(Image.fromarray(picture())).facts) == ["hashes"]
    assert list(load(picture()).facts["hashes"]) == ["pixels"]


def test_generator_parameters_are_named() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a castle, Steps: 20, Sampler: Euler" + "x" * 5000)
    info.add_text("Author", "somebody")
    facts = load(encode(picture(), "PNG", pnginfo=info)).facts
    assert facts["generator"] == {"parameters": ["parameters"]}
    assert [item["key"] for item in facts["text"]] == ["parameters", "Author"]
    assert len(facts["text"][0]["value"]) == 200


def test_traces_of_photoshop() -> None:
    xmp = b'<r xmp:CreatorTool="Adobe Photoshop 25.1" photoshop:ColorMode="3"/>'
    data = insert(encode(picture()), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + xmp))
    facts = load(insert(data, segment(0xED, b"Photoshop 3.0\x008BIM"))).facts
    assert facts["photoshop"] == {"resources": True}
    assert facts["xmp"]["creator_tool"] == "Adobe Photoshop 25.1"
    assert facts["xmp"]["photoshop"] is True


def test_control_characters_do_not_pass() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Title", "safe \u202egpj.exe \x1b[31m")
    facts = load(encode(picture(), "PNG", pnginfo=info)).facts
    assert facts["text"][0]["value"] == "safe \ufffdgpj.exe \ufffd[31m"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_facts_are_json(kind: str) -> None:
    facts = load(encode(picture(), kind)).facts
    assert json.loads(json.dumps(dict(facts), allow_nan=False)) == facts


XMP = b'<r xmp:CreatorTool="Adobe Photoshop 25.1"/>'


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_metadata_of_every_format_that_has_them(kind: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    tags = Image.Exif()
    tags[271] = "Maker"
    options = {"icc_profile": profile, "xmp": XMP, "exif": tags}
    if kind == "HEIF":
        heif = pytest.importorskip("pillow_heif")
        buffer = io.BytesIO()
        heif.from_pillow(Image.fromarray(picture())).save(buffer, **{**options, "exif": tags.tobytes()})
        data = buffer.getvalue()
    elif kind == "TIFF":
        data = encode(picture(), kind, icc_profile=profile, tiffinfo={271: "Maker", 700: XMP})
    else:
        data = encode(picture(), kind, **options)
    facts = load(data).facts
    assert facts["icc"] == {"bytes": len(profile), "description": "Lab identity built-in"}
    assert facts["xmp"] == {"creator_tool": "Adobe Photoshop 25.1"}
    assert facts["exif"]["make"] == "Maker"


def test_the_comment_of_a_gif() -> None:
    facts = load(encode(Image.fromarray(picture()).convert("P"), "GIF", comment=b"made by hand")).facts
    assert facts["text"] == [{"key": "comment", "value": "made by hand"}]
    assert "c2pa" not in facts


def test_what_was_not_searched_for_credentials_is_not_said_to_have_none() -> None:
    assert load(encode(picture(), "TIFF")).facts["c2pa"] == {"manifest": "absent"}
    assert "c2pa" not in load(encode(picture(), "TIFF", big_tiff=True)).facts


def test_the_length_of_a_long_profile() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes().ljust(500_000, b"\0")
    for kind in ("JPEG", "TIFF"):
        assert load(encode(picture(), kind, icc_profile=profile)).facts["icc"]["bytes"] == 500_000
