from __future__ import annotations

import numpy as np
import pytest
from io_pictures import encode, exif, picture
from PIL import Image, ImageOps

from omni_iml.io import load
from omni_iml.io.orientation import box_to_displayed, displayed_map, to_displayed, to_stored

ALL = range(1, 9)


@pytest.mark.parametrize("orientation", ALL)
def test_as_pillow_displays_it(orientation: int) -> None:
    pixels = picture(31, 50)
    image = Image.fromarray(pixels)
    image.getexif()[274] = orientation
    assert np.array_equal(to_displayed(pixels, orientation), np.asarray(ImageOps.exif_transpose(image)))
    gray = pixels[:, :, 0]
    assert np.array_equal(to_displayed(gray, orientation), to_displayed(pixels, orientation)[:, :, 0])


@pytest.mark.parametrize("orientation", ALL)
def test_there_and_back(orientation: int) -> None:
    pixels = picture(12, 20)
    assert np.array_equal(to_stored(to_displayed(pixels, orientation), orientation), pixels)


@pytest.mark.parametrize("orientation", ALL)
def test_box_follows_its_pixels(orientation: int) -> None:
    mask = np.zeros((31, 50), dtype=np.uint8)
    mask[4:9, 11:30] = 1
    displayed = to_displayed(mask, orientation)
    x0, y0, x1, y1 = box_to_displayed((11, 4, 30, 9), orientation, height=31, width=50)
    assert displayed[y0:y1, x0:x1].all()
    assert displayed.sum() == (x1 - x0) * (y1 - y0)


@pytest.mark.parametrize("orientation", ALL)
def test_points_go_where_their_pixels_go(orientation: int) -> None:
    matrix = displayed_map(orientation, 31, 50)
    for x, y in ((0, 0), (49, 0), (0, 30), (17, 4)):
        marker = np.zeros((31, 50), bool)
        marker[y, x] = True
        row, column = np.argwhere(to_displayed(marker, orientation))[0]
        assert (matrix @ (x + 0.5, y + 0.5, 1)).tolist() == [column + 0.5, row + 0.5]


@pytest.mark.parametrize("orientation", [0, 9, -1])
def test_invalid_orientation(orientation: int) -> None:
    for function in (to_displayed, to_stored):
        with pytest.raises(ValueError, match="give 1 to 8"):
            function(np.zeros((2, 2)), orientation)
    with pytest.raises(ValueError, match="give 1 to 8"):
        box_to_displayed((0, 0, 1, 1), orientation, 2, 2)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", ALL)
def test_files_stay_in_stored_orientation(kind: str, orientation: int) -> None:
    pixels = picture(40, 24)
    options = {"lossless": True} if kind == "WEBP" else {}
    plain = load(encode(pixels, kind, **options))
    turned = load(encode(pixels, kind, exif=exif(orientation), **options))
    assert turned.orientation == orientation
    assert np.array_equal(turned.pixels, plain.pixels)
    assert np.array_equal(turned.trace.coefficients, plain.trace.coefficients)


def test_invalid_tag_is_taken_as_none() -> None:
    assert load(encode(picture(), exif=exif(99))).orientation == 1


def test_damaged_exif_is_a_warning() -> None:
    data = encode(picture(), exif=exif(6))
    at = data.index(b"Exif\x00\x00")
    image = load(data[: at + 6] + b"ZZ" + data[at + 8 :])
    assert image.orientation == 1
    assert any("EXIF" in warning for warning in image.warnings)
