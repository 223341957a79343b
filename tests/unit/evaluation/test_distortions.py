import io

import numpy as np
import pytest
from PIL import Image

from omni_iml.evaluation.distortions import BENCO, CLASSIC, OSN, SUITES, Distortion, displayed_pixels
from omni_iml.io import load


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(1)
    small = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8))
    return np.asarray(small.resize((150, 101), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def mask():
    mask = np.zeros((101, 150), bool)
    mask[20:60, 30:90] = True
    return mask


def pixels_of(result):
    return np.asarray(Image.open(io.BytesIO(result.data)).convert("RGB"))


@pytest.mark.parametrize("distortion", [d for suite in SUITES.values() for d in suite], ids=lambda d: d.name)
def test_every_distortion_gives_a_readable_file_with_a_mask_of_its_size(distortion, picture, mask):
    result = distortion(picture, mask)
    image = load(result.data)
    assert image.pixels.shape[:2] == result.mask.shape
    assert image.is_jpeg == (distortion.family in ("jpeg", "jpeg-range", "reupload"))
    assert abs(result.mask.mean() - mask.mean()) < 0.01


def test_a_jpeg_carries_its_own_coefficients_and_table(picture):
    image = load(Distortion("jpeg", 50)(picture).data)
    assert image.trace.table[0, 0] == 16  # quality 50 is the example table of ITU-T T.81 as it stands
    assert image.trace.table[7, 7] == 99
    assert np.abs(image.trace.coefficients).max() > 0


def test_a_picture_that_is_no_jpeg_afterwards_has_no_trace_of_the_jpeg_it_was(picture):
    before = Distortion("jpeg", 50)(picture).data
    image = load(Distortion("blur", 3)(displayed_pixels(before)).data)
    assert image.format == "PNG"
    assert (image.trace.table == 1).all()


def test_none_keeps_the_pixels(picture, mask):
    result = Distortion("none")(picture, mask)
    np.testing.assert_array_equal(pixels_of(result), picture)
    np.testing.assert_array_equal(result.mask, mask)


def test_resize_follows_the_factor_and_the_mask_stays_two_valued(picture, mask):
    result = Distortion("resize", 0.25)(picture, mask)
    assert result.mask.shape == (25, 38)
    assert result.mask.dtype == bool
    assert result.mask[10, 15]
    assert not result.mask[2, 2]


def test_blur_is_opencvs_kernel(picture):
    """One bright pixel spreads as sigma = 0.3 ((k - 1) / 2 - 1) + 0.8 says: 0.8 for k = 3."""
    dot = np.zeros((21, 21, 3), np.uint8)
    dot[10, 10] = 255
    spread = pixels_of(Distortion("blur", 3)(dot))[..., 0].astype(float)
    weights = np.exp(-(np.array([1, 0, 1]) ** 2) / (2 * 0.8**2))
    weights /= weights.sum()
    expected = 255 * np.outer(weights, weights)
    # OpenCV's 8-bit kernels of three pixels are (1/4, 1/2, 1/4).
    np.testing.assert_allclose(spread[9:12, 9:12], expected, atol=6)


def test_noise_has_the_sigma_it_names(picture):
    gray = np.full((200, 200, 3), 128, np.uint8)
    sigma = pixels_of(Distortion("noise", 15)(gray)).astype(float).std()
    assert sigma == pytest.approx(15, rel=0.03)
    variance = pixels_of(Distortion("noise-variance", 15)(gray)).astype(float).var()
    assert variance == pytest.approx(15 + 1 / 12, rel=0.05)  # rounding adds a twelfth


def test_noise_is_seeded_and_each_pictures_own(picture):
    noise = Distortion("noise", 3)
    assert noise(picture).data == noise(picture, seed=0).data
    assert noise(picture).data != noise(picture, seed=1).data
    other = picture.copy()
    other[0, 0, 0] ^= 1
    first, second = (pixels_of(noise(p)).astype(int) - p for p in (picture, other))
    assert (first != second).mean() > 0.5


def test_bencos_quality_is_one_of_two(picture):
    tables = set()
    for seed in range(12):
        tables.add(load(Distortion("jpeg-range", 60)(picture, seed=seed).data).trace.table.tobytes())
    expected = {load(Distortion("jpeg", q)(picture).data).trace.table.tobytes() for q in (59, 60)}
    assert tables == expected


def test_a_reupload_scales_only_what_is_too_large():
    wide = np.zeros((30, 3000, 3), np.uint8)
    assert Image.open(io.BytesIO(OSN[0](wide).data)).size == (2048, 20)
    small = np.zeros((30, 300, 3), np.uint8)
    assert Image.open(io.BytesIO(OSN[0](small).data)).size == (300, 30)


def test_pixels_are_taken_as_displayed():
    picture = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(2, 4, 3))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", exif=exif)
    assert displayed_pixels(buffer.getvalue()).shape == (4, 2, 3)


@pytest.mark.parametrize(
    ("family", "level"), [("blur", 4), ("jpeg", 0), ("jpeg", 101), ("resize", 0), ("noise", -1), ("reupload", 100)]
)
def test_impossible_levels_are_refused(family, level):
    with pytest.raises(ValueError, match=family):
        Distortion(family, level)


def test_a_mask_of_another_size_is_refused(picture):
    with pytest.raises(ValueError, match="one size"):
        Distortion("none")(picture, np.zeros((3, 3), bool))


def test_the_suites_are_those_of_the_papers():
    assert [d.name for d in CLASSIC] == [
        "resize-0.78", "resize-0.25", "blur-3", "blur-15", "noise-3", "noise-15", "jpeg-100", "jpeg-50",
    ]  # fmt: skip
    assert {d.family for d in BENCO} == {"blur", "noise-variance", "jpeg-range"}
