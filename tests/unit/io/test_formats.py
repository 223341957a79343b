"""Every format that is read, against a second decoder: OpenCV, or Pillow by another way."""

from __future__ import annotations

import builtins
import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from io_pictures import encode, exif, picture
from PIL import Image

from omni_iml.io import load, trace_of_pixels
from omni_iml.io.frames import count_frames
from omni_iml.io.orientation import to_displayed
from omni_iml.types import EvidenceImage, UnreadableImage

PIXELS = picture(61, 83)
DEEP = np.clip(
    PIXELS.astype(int) * 257 + np.random.default_rng(0).integers(-128, 128, PIXELS.shape), 0, 65535
).astype(np.uint16)  # fmt: skip
ALPHA = np.linspace(0, 255, 61 * 83).reshape(61, 83).astype(np.uint8)


def by_opencv(data: bytes, flags: int = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), flags)


def opencv_file(suffix: str, samples: np.ndarray, *options: int) -> bytes:
    turned = samples[:, :, [2, 1, 0, 3][: samples.shape[2]]] if samples.ndim == 3 else samples
    return cv2.imencode(suffix, turned, options)[1].tobytes()


def over_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha[:, :, None] / 255
    return pixels * share + 255 * (1 - share)


def said(image: EvidenceImage, words: str) -> bool:
    return any(words in warning for warning in image.warnings)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG2000", {}),
        ("JPEG2000", {"no_jp2": True}),
        ("JPEG2000", {"irreversible": True, "quality_layers": [20]}),
        ("JPEG2000", {"tile_size": (32, 32), "precinct_size": (64, 64), "codeblock_size": (32, 32)}),
        ("AVIF", {"speed": 10}),
        ("AVIF", {"subsampling": "4:4:4", "speed": 10}),
        ("PNG", {}),
        ("WEBP", {"quality": 80}),
        ("TIFF", {"compression": "jpeg", "quality": 90}),
        ("TIFF", {"compression": "tiff_deflate"}),
        ("TIFF", {"compression": "tiff_lzw", "big_tiff": True}),
    ],
)
def test_colours(kind: str, options: dict[str, Any]) -> None:
    data = encode(PIXELS, kind, **options)
    image = load(data)
    assert np.array_equal(image.pixels, by_opencv(data))
    assert np.array_equal(image.trace.coefficients, trace_of_pixels(image.pixels).coefficients)
    assert (image.format, image.orientation, image.is_jpeg, image.warnings) == (kind, 1, False, ())
    assert count_frames(data) == 1


@pytest.mark.parametrize("kind", ["JPEG2000", "AVIF", "PNG", "TIFF"])
def test_gray(kind: str) -> None:
    data = encode(PIXELS[:, :, 0], kind)
    image = load(data)
    assert np.array_equal(image.pixels, by_opencv(data))
    assert (image.pixels == image.pixels[:, :, :1]).all()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jp2"])
@pytest.mark.parametrize("shape", ["gray", "colour"])
def test_sixteen_bits(suffix: str, shape: str) -> None:
    data = opencv_file(suffix, DEEP if shape == "colour" else DEEP[:, :, 0])
    samples = by_opencv(data, cv2.IMREAD_UNCHANGED)
    samples = samples[:, :, ::-1] if samples.ndim == 3 else np.dstack([samples] * 3)
    image = load(data)
    assert np.array_equal(image.pixels, samples >> 8)
    assert image.warnings == ("16-bit samples were reduced to 8 bits",)


def test_white_of_a_deep_jpeg_2000_stays_white() -> None:
    white = np.full((64, 64, 3), 65535, np.uint16)
    for samples in (white, np.dstack([white, white[:, :, :1]])):
        assert (load(opencv_file(".jp2", samples)).pixels == 255).all()


def test_ten_bits_of_an_avif() -> None:
    data = opencv_file(".avif", DEEP >> 6, cv2.IMWRITE_AVIF_DEPTH, 10)
    image = load(data)
    assert np.array_equal(image.pixels, by_opencv(data))
    assert image.warnings == ("10-bit samples were reduced to 8 bits",)


@pytest.mark.parametrize(("kind", "options"), [("JPEG2000", {}), ("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": 1})])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha(kind: str, options: dict[str, Any], mode: str) -> None:
    source = Image.fromarray(np.dstack([PIXELS, ALPHA])).convert(mode)
    image = load(encode(source, kind, **options))
    straight = np.asarray(source.convert("RGBA"))
    expected = over_white(straight[:, :, :3], straight[:, :, 3])
    # Hidden colours need not be kept.
    assert np.abs(image.pixels - expected).max() <= 1
    assert said(image, "over white")


def test_alpha_of_an_avif() -> None:
    data = encode(np.dstack([PIXELS, ALPHA]), "AVIF", quality=95, speed=10)
    samples = by_opencv(data, cv2.IMREAD_UNCHANGED)
    expected = over_white(samples[:, :, 2::-1], samples[:, :, 3])
    assert np.abs(load(data).pixels - expected).max() <= 1


def test_sixteen_bit_alpha() -> None:
    deep = np.dstack([DEEP, np.where(ALPHA > 127, 65535, 0).astype(np.uint16)])
    image = load(opencv_file(".png", deep))
    assert np.array_equal(image.pixels, np.where((ALPHA > 127)[:, :, None], DEEP >> 8, 255))
    assert said(image, "16-bit")
    assert said(image, "over white")


def test_gray_of_sixteen_bits_with_a_transparent_value() -> None:
    gray = DEEP[:, :, 0].copy()
    gray[:8] = 4242
    data = opencv_file(".png", gray)
    chunk = b"tRNS" + struct.pack(">H", 4242)
    with_value = data[:33] + struct.pack(">L", 2) + chunk + struct.pack(">L", zlib.crc32(chunk)) + data[33:]
    image = load(with_value)
    assert np.array_equal(image.pixels[:, :, 0], np.where(gray == 4242, 255, gray >> 8))
    assert said(image, "over white")


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("PNG", {"bits": 4}), ("GIF", {}), ("TIFF", {}), ("BMP", {})]
)
def test_palette(kind: str, options: dict[str, Any]) -> None:
    data = encode(Image.fromarray(PIXELS).quantize(12), kind, **options)
    image = load(data)
    assert np.array_equal(image.pixels, by_opencv(data))
    assert said(image, "palette")


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("TIFF", {"compression": "group3"}), ("TIFF", {"compression": "group4"}), ("TIFF", {}), ("BMP", {})],
)
def test_one_bit(kind: str, options: dict[str, Any]) -> None:
    source = Image.fromarray(PIXELS).convert("1")
    assert np.array_equal(load(encode(source, kind, **options)).pixels[:, :, 0], np.asarray(source) * np.uint8(255))


def test_cmyk_of_an_inverted_jpeg_is_close_to_opencv() -> None:
    data = encode(Image.fromarray(PIXELS).convert("CMYK"), quality=95, subsampling=0)
    assert b"Adobe" in data
    assert np.abs(load(data).pixels.astype(int) - by_opencv(data)).max() <= 1


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("kind", ["AVIF", "WEBP"])
def test_orientation_is_left_to_be_applied(kind: str, number: int) -> None:
    options = {"lossless": True} if kind == "WEBP" else {"speed": 10}
    data = encode(PIXELS, kind, exif=exif(number), **options)
    image = load(data)
    assert image.orientation == number
    assert np.array_equal(image.pixels, by_opencv(data))


def test_frames_of_an_avif() -> None:
    frames = [Image.fromarray(picture(40, 56, seed=seed)) for seed in range(3)]
    data = encode(frames[0], "AVIF", save_all=True, append_images=frames[1:], speed=10)
    assert count_frames(data) == 3
    _, expected = cv2.imdecodemulti(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    for number in (0, 2, 1):
        image = load(data, frame=number)
        assert np.array_equal(image.pixels, expected[number])
        assert said(image, f"holds 3 frames, pages or pictures; this is number {number + 1}")


@pytest.mark.parametrize("kind", ["JPEG2000", "AVIF", "GIF", "BMP"])
def test_pixel_limit(kind: str) -> None:
    data = encode(picture(40, 50), kind)
    with pytest.raises(UnreadableImage, match="above the limit of 1999"):
        load(data, max_pixels=1999)
    assert load(data, max_pixels=2000).pixels.shape == (40, 50, 3)


@pytest.mark.parametrize("kind", ["JPEG2000", "AVIF", "PNG", "WEBP", "TIFF"])
def test_every_cut_is_refused(kind: str) -> None:
    data = encode(picture(16, 16), kind)
    for kept in range(0, len(data) - 20, 7):
        with pytest.raises(UnreadableImage):
            load(data[:kept])


def test_avif_whose_data_are_of_a_larger_picture() -> None:
    data = encode(Image.new("L", (2900, 2000)), "AVIF", speed=10)
    at = data.index(b"ispe") + 8
    with pytest.raises(UnreadableImage, match="claim 64x64 pixels, but its coded data 5800000 pixels"):
        load(data[:at] + struct.pack(">LL", 64, 64) + data[at + 8 :])


def jpeg_2000(size: int, precincts: int, block: int = 0, layers: int = 1) -> bytes:
    """A flat picture whose header divides it up anew: exponents of precincts and of code blocks less 2."""
    data = bytearray(encode(Image.new("L", (size, size)), "JPEG2000", no_jp2=True, precinct_size=(256, 256)))
    at = data.index(b"\xff\x52")
    levels = data[at + 9]
    data[at + 6 : at + 8] = layers.to_bytes(2, "big")
    data[at + 10 : at + 12] = bytes([block, block])
    data[at + 14 : at + 15 + levels] = bytes([precincts * 17] * (levels + 1))
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [jpeg_2000(1024, precincts=1), jpeg_2000(2048, precincts=8), jpeg_2000(512, 4, layers=65535)],
    ids=["precincts", "code blocks", "layers"],
)
def test_jpeg_2000_that_is_divided_into_dust(data: bytes) -> None:
    with pytest.raises(UnreadableImage, match="code blocks and"):
        load(data)


def test_jpeg_2000_of_two_sizes() -> None:
    data = encode(picture(64, 64), "JPEG2000")
    at = data.index(b"ihdr") + 4
    with pytest.raises(UnreadableImage, match="above the limit"):
        load(data[:at] + struct.pack(">LL", 60_000, 60_000) + data[at + 8 :])
    with pytest.raises(UnreadableImage, match="damaged"):
        load(data[:at] + struct.pack(">LL", 8, 8) + data[at + 8 :])


def test_brands() -> None:
    avif = encode(picture(16, 16), "AVIF")
    shared = avif[:8] + b"mif1" + avif[12:]
    assert load(shared).format == "AVIF"
    with pytest.raises(UnreadableImage, match="a video"):
        load(avif[:8] + b"isom" + avif[12:])


def heif(pixels: np.ndarray = PIXELS, **options: Any) -> bytes:
    pytest.importorskip("pillow_heif", reason="the extra omni-iml[heic] is not installed").register_heif_opener()
    return encode(pixels, "HEIF", **options)


def test_heic_is_what_pillow_heif_shows() -> None:
    data = heif(quality=90)
    import pillow_heif

    image = load(data)
    assert np.array_equal(image.pixels, np.asarray(pillow_heif.open_heif(io.BytesIO(data))))
    assert np.abs(image.pixels.astype(int) - PIXELS).mean() < 8
    assert (image.format, image.is_jpeg, image.warnings) == ("HEIF", False, ())


@pytest.mark.parametrize("number", range(1, 9))
def test_heic_comes_turned(number: int) -> None:
    image = load(heif(quality=-1, chroma=444, exif=exif(number).tobytes()))
    assert image.orientation == 1
    assert np.abs(image.pixels.astype(int) - to_displayed(PIXELS, number)).max() <= 3


def test_pictures_of_a_heic_begin_with_the_primary_one() -> None:
    others = [Image.fromarray(picture(40, 30, seed=1)), Image.fromarray(picture(24, 32, seed=2))]
    data = heif(save_all=True, append_images=others, primary_index=1)
    assert count_frames(data) == 3
    assert [load(data, frame=frame).pixels.shape[:2] for frame in range(3)] == [(40, 30), (61, 83), (24, 32)]
    with pytest.raises(UnreadableImage, match="holds 3 "):
        load(data, frame=3)


def test_heic_bounds() -> None:
    data = heif(picture(200, 300))
    with pytest.raises(UnreadableImage, match="above the limit"):
        load(data, max_pixels=59_999)
    at = data.index(b"ispe") + 8
    with pytest.raises(UnreadableImage, match="damaged"):
        load(data[:at] + struct.pack(">LL", 64, 64) + data[at + 8 :])
    for kept in range(0, len(data) - 20, 1013):
        with pytest.raises(UnreadableImage):
            load(data[:kept])


def test_heic_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    avif = encode(picture(16, 16), "AVIF")
    data = avif[:8] + b"heic" + avif[12:]
    original = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("pillow_heif"):
            raise ImportError(name)
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    for action in (load, count_frames):
        with pytest.raises(UnreadableImage, match=r"pillow-heif is not installed; pip install 'omni-iml\[heic\]'"):
            action(data)
