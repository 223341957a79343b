from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from omni_iml.metrics.pictures import read_gray
from omni_iml.types import UnreadableImage

LEVELS = np.array([[0, 1, 127], [128, 200, 255]], np.uint8)


@pytest.fixture
def saved(tmp_path):
    def save(picture, name="mask.png", **options):
        path = tmp_path / name
        picture.save(path, **options)
        return path

    return save


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.pgm"])
def test_gray_levels_arrive_as_stored(saved, name):
    levels = read_gray(saved(Image.fromarray(LEVELS), name))
    assert levels.dtype == np.uint8
    assert levels.tolist() == LEVELS.tolist()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_gray_in_other_modes(saved, mode):
    assert read_gray(saved(Image.fromarray(LEVELS).convert(mode))).tolist() == LEVELS.tolist()


def test_one_bit(saved):
    assert read_gray(saved(Image.fromarray(LEVELS > 127))).tolist() == [[0, 0, 0], [255, 255, 255]]


def test_palette_gives_colours_and_not_indices(saved):
    picture = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    picture.putpalette([0, 0, 0, 255, 255, 255])
    assert read_gray(saved(picture)).tolist() == [[0, 255]]


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_are_kept(saved, name):
    levels = np.array([[0, 257, 65535]], np.uint16)
    read = read_gray(saved(Image.fromarray(levels), name))
    assert read.dtype == np.uint16
    assert read.tolist() == levels.tolist()


def test_a_jpeg_mask_stays_near_its_levels(saved):
    mask = np.zeros((32, 32), np.uint8)
    mask[8:24, 8:24] = 255
    read = read_gray(saved(Image.fromarray(mask).convert("RGB"), "a.jpg", quality=90))
    assert np.array_equal(read > 127, mask > 127)


def colour():
    return Image.new("RGB", (4, 4), (255, 0, 0))


def transparent():
    return Image.new("RGBA", (4, 4), (0, 0, 0, 10))


@pytest.mark.parametrize(
    ("picture", "name", "cause"),
    [
        (colour(), "a.png", "colour picture"),
        (transparent(), "a.png", "transparent"),
        (Image.new("F", (4, 4)), "a.tif", "'F' are not understood"),
        (Image.new("CMYK", (4, 4)), "a.jpg", "'CMYK' are not understood"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(saved, picture, name, cause):
    path = saved(picture, name)
    with pytest.raises(UnreadableImage, match=cause) as caught:
        read_gray(path)
    assert caught.value.source == str(path)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage, match="can"):
        read_gray(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.webp", "a.gif"])
def test_cut_files_are_refused(saved, name, share):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64), dtype=np.uint8)
    path = saved(Image.fromarray(noise), name)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UnreadableImage):
        read_gray(path)


def test_missing_file(tmp_path):
    with pytest.raises(UnreadableImage, match="cannot be read"):
        read_gray(tmp_path / "absent.png")


def test_too_many_pixels(saved):
    path = saved(Image.fromarray(LEVELS))
    assert read_gray(path, max_pixels=6).shape == (2, 3)
    with pytest.raises(UnreadableImage, match=r"above the limit of 5; raise --max-pixels .* or crop it"):
        read_gray(path, max_pixels=5)


def test_the_limit_of_pillow_does_not_hold_for_png(saved, monkeypatch):
    noise = np.random.default_rng(1).integers(0, 256, (40, 40), dtype=np.uint8)
    png, bmp = saved(Image.fromarray(noise)), saved(Image.fromarray(noise), "a.bmp")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)
    assert np.array_equal(read_gray(png), noise)
    with pytest.raises(UnreadableImage, match=r"twice Pillow's own limit, .* \(700\); store it as PNG"):
        read_gray(bmp)
