from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from io_pictures import encode, exif, picture, with_size
from PIL import Image, ImageFile

from omni_iml.io import load, trace_of_pixels
from omni_iml.io.jpeg import read_trace
from omni_iml.types import EvidenceImage, UnreadableImage

LOSSLESS = [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("BMP", {})]


def warned(image: EvidenceImage, words: str) -> bool:
    return any(words in warning for warning in image.warnings)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"subsampling": 0},
        {"progressive": True},
        {"keep_rgb": True},
        {"restart_marker_blocks": 2},
        {"exif": exif(1)},
        {"comment": b"a comment"},
    ],
)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_pixels_are_those_that_pillow_shows(mode: str, options: dict) -> None:
    data = encode(Image.fromarray(picture(61, 83)).convert(mode), **options)
    image = load(data)
    with Image.open(io.BytesIO(data)) as shown:
        assert np.array_equal(image.pixels, np.asarray(shown.convert("RGB")))
    assert (image.format, image.orientation, image.is_jpeg) == ("JPEG", 1, True)
    assert image.pixels.dtype == np.uint8
    assert image.pixels.flags.writeable
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert np.array_equal(image.trace.coefficients, read_trace(data).coefficients)


@pytest.mark.parametrize("transform", [0, 2])
def test_adobe_cmyk_and_ycck(transform: int) -> None:
    data = encode(Image.fromarray(picture()).convert("CMYK"))
    at = data.index(b"Adobe") + 11
    data = data[:at] + bytes([transform]) + data[at + 1 :]
    image = load(data)
    with Image.open(io.BytesIO(data)) as shown:
        assert np.array_equal(image.pixels, np.asarray(shown.convert("RGB")))
    assert warned(image, "cyan") == (transform == 0)
    assert warned(image, "CMYK")


def test_adobe_rgb() -> None:
    image = load(encode(picture(), keep_rgb=True))
    assert warned(image, "red component")


@pytest.mark.parametrize(("kind", "options"), LOSSLESS)
def test_lossless_files(kind: str, options: dict) -> None:
    pixels = picture(37, 52)
    image = load(encode(pixels, kind, **options))
    assert np.array_equal(image.pixels, pixels)
    assert np.array_equal(image.trace.coefficients, trace_of_pixels(pixels).coefficients)
    assert (image.format, image.is_jpeg, image.warnings) == (kind, False, ())


def test_first_frame_of_a_gif_with_a_warning() -> None:
    frames = [Image.fromarray(picture(20, 20, seed=seed)) for seed in (1, 2)]
    image = load(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    with Image.open(io.BytesIO(encode(frames[0], "GIF"))) as first:
        assert np.array_equal(image.pixels, np.asarray(first.convert("RGB")))
    assert warned(image, "holds 2 frames, pages or pictures; this is number 1")
    assert warned(image, "palette")


def test_first_picture_of_an_mpo() -> None:
    pictures = [Image.fromarray(picture(32, 32, seed=seed)) for seed in (1, 2)]
    data = encode(pictures[0], "MPO", save_all=True, append_images=pictures[1:])
    image = load(data)
    with Image.open(io.BytesIO(data)) as shown:
        assert (image.format, shown.format) == ("MPO", "MPO")
        assert np.array_equal(image.pixels, np.asarray(shown))
    assert image.is_jpeg
    assert warned(image, "holds 2 frames, pages or pictures; this is number 1")


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_gray_is_shifted_not_clipped(kind: str) -> None:
    deep = (np.arange(64 * 64, dtype=np.uint32).reshape(64, 64) * 16).astype(np.uint16)
    image = load(encode(Image.fromarray(deep), kind))
    assert np.array_equal(image.pixels[:, :, 1], (deep >> 8).astype(np.uint8))
    assert warned(image, "reduced to 8 bits")


def test_big_endian_sixteen_bit_tiff() -> None:
    deep = (np.arange(64 * 64, dtype=np.uint32).reshape(64, 64) * 16).astype(np.uint16)
    swapped = Image.frombytes("I;16B", (64, 64), deep.astype(">u2").tobytes())
    assert np.array_equal(load(encode(swapped, "TIFF")).pixels[:, :, 0], (deep >> 8).astype(np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_laid_over_white(kind: str) -> None:
    pixels = picture(16, 16)
    alpha = np.full((16, 16), 255, np.uint8)
    options = {"lossless": True} if kind == "WEBP" else {}
    opaque = load(encode(np.dstack([pixels, alpha]), kind, **options))
    assert np.array_equal(opaque.pixels, pixels)
    assert not opaque.warnings
    alpha[:8] = 0
    clear = load(encode(np.dstack([pixels, alpha]), kind, **options))
    assert (clear.pixels[:8] == 255).all()
    assert np.array_equal(clear.pixels[8:], pixels[8:])
    assert warned(clear, "over white")


def test_palette_with_transparency() -> None:
    indexed = Image.fromarray(picture(16, 16)).quantize(8)
    indexed.info["transparency"] = int(np.asarray(indexed)[0, 0])
    image = load(encode(indexed, "PNG"))
    assert tuple(image.pixels[0, 0]) == (255, 255, 255)
    assert warned(image, "over white")
    assert warned(image, "palette")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr"])
def test_other_modes_become_rgb(mode: str) -> None:
    source = Image.fromarray(picture(16, 16)).convert(mode)
    expected = np.asarray(source.convert("RGB"))
    assert np.array_equal(load(source).pixels, expected)
    if mode != "YCbCr":
        assert np.array_equal(load(encode(source, "TIFF")).pixels, expected)


def test_all_kinds_of_sources_agree(tmp_path: Path) -> None:
    data = encode(picture(), exif=exif(3))
    path = tmp_path / "a picture ü.jpg"
    path.write_bytes(data)
    expected = load(data)
    buffer = io.BytesIO(data)
    buffer.seek(100)
    with path.open("rb") as file:
        for source in (path, str(path), bytearray(data), memoryview(data), buffer, file):
            image = load(source)
            assert image.sha256 == expected.sha256
            assert np.array_equal(image.pixels, expected.pixels)
            assert image.orientation == 3
        assert not file.closed
        assert load(file).source == str(path)
    assert load(path).source == str(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP"])
def test_file_objects_stay_open(kind: str) -> None:
    buffer = io.BytesIO(encode(picture(), kind))
    load(buffer)
    assert not buffer.closed


def test_pipe_like_file_object() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self.rest = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:
            return self.rest.readinto(buffer)

    for kind in ("JPEG", "PNG"):
        data = encode(picture(), kind)
        assert load(Pipe(data)).sha256 == hashlib.sha256(data).hexdigest()


def test_pil_image_from_a_jpeg_has_no_trace() -> None:
    with Image.open(io.BytesIO(encode(picture(), exif=exif(8)))) as source:
        image = load(source)
    assert (image.format, image.is_jpeg, image.orientation) == ("array", False, 8)
    assert (image.trace.table == 1).all()
    assert warned(image, "give the file itself")


def test_pil_image_of_other_files_keeps_its_format() -> None:
    with Image.open(io.BytesIO(encode(picture(), "PNG"))) as source:
        assert load(source).format == "PNG"
    assert load(Image.fromarray(picture())).format == "array"


def test_arrays() -> None:
    pixels = picture(20, 30)
    image = load(pixels)
    assert np.array_equal(image.pixels, pixels)
    assert not np.shares_memory(image.pixels, pixels)
    assert image.format == "array"
    assert np.array_equal(load(pixels[:, :, 0]).pixels, np.dstack([pixels[:, :, 0]] * 3))
    assert np.array_equal(load(pixels[::2, ::-1]).pixels, pixels[::2, ::-1])
    rgba = np.dstack([pixels, np.zeros((20, 30), np.uint8)])
    assert (load(rgba).pixels == 255).all()
    assert load(pixels).sha256 == load(pixels.copy()).sha256
    assert load(pixels).sha256 != load(pixels.reshape(30, 20, 3)).sha256


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kept", [0.35, 0.6, 0.9, 0.999])
def test_truncated_jpeg_is_read_with_a_warning(kept: float, progressive: bool) -> None:
    data = encode(picture(120, 90), quality=90, progressive=progressive)
    image = load(data[: int(len(data) * kept)])
    assert warned(image, "cut short")
    assert image.pixels.shape == (120, 90, 3)
    assert image.trace.coefficients.shape == (120, 96)


def test_every_cut_of_a_jpeg_is_refused_or_warned_of() -> None:
    data = encode(picture(24, 24), quality=60, exif=exif(1))
    read = 0
    for kept in range(len(data)):
        try:
            image = load(data[:kept])
        except UnreadableImage:
            continue
        read += 1
        assert warned(image, "cut short"), kept
        assert image.pixels.shape == (24, 24, 3)
    assert read > 20
    assert not load(data).warnings


@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 4}, {"subsampling": 0}])
def test_data_that_end_before_the_picture_are_warned_of(options: dict) -> None:
    data = encode(picture(64, 64), **options)
    image = load(with_size(data, 64, 128))
    assert image.pixels.shape == (128, 64, 3)
    assert warned(image, "rows of pixels hold no data")


def test_flat_gray_is_not_taken_for_cut() -> None:
    assert not load(encode(np.full((64, 64), 128, np.uint8))).warnings


def test_global_settings_of_pillow_are_left_alone() -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    data = encode(picture(64, 64), quality=90)
    load(data[: len(data) // 2])
    load(encode(picture(), "PNG"))
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)


def test_limit_does_not_depend_on_pillow(monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for kind in ("JPEG", "PNG", "BMP", "GIF"):
        assert load(encode(picture(16, 16), kind)).pixels.shape == (16, 16, 3)
    assert not recwarn.list
