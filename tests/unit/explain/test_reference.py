from __future__ import annotations

import numpy as np
import pytest

from omni_iml.explain.reference import MaskColours, highlighted, reference_prompt


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def mask_of(height: int, width: int, rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    mask[rows, columns] = True
    return mask


def test_the_reference_is_the_mean_of_picture_and_mask() -> None:
    pixels = picture(6, 8)
    mask = mask_of(6, 8, slice(1, 3), slice(2, 5))
    shown = highlighted(pixels, mask)
    np.testing.assert_array_equal(shown, (pixels.astype(int) + 255 * mask[..., None]) // 2)
    assert (shown[~mask] <= pixels[~mask]).all()  # "darkened"
    assert (shown[mask] >= pixels[mask]).all()  # "highlighted"


def test_colours_are_an_option() -> None:
    black = np.zeros((1, 2, 3), np.uint8)
    shown = highlighted(black, np.array([[True, False]]), MaskColours((0, 0, 200), (100, 0, 0)))
    assert shown.tolist() == [[[0, 0, 100], [50, 0, 0]]]


@pytest.mark.parametrize(
    ("size", "axis", "shape", "halves"),
    [
        ((30, 50), "longest", (30, 100), ("left", "right")),
        ((50, 30), "longest", (100, 30), ("top", "bottom")),
        ((40, 40), "longest", (40, 80), ("left", "right")),
        ((50, 30), "horizontal", (50, 60), ("left", "right")),
    ],
)
def test_the_two_are_joined_and_named_by_where_they_lie(size, axis, shape, halves) -> None:
    pixels = picture(*size)
    prompt = reference_prompt(pixels, np.zeros(size, bool), axis=axis)
    assert prompt.image.shape == (*shape, 3)
    assert prompt.halves == halves
    np.testing.assert_array_equal(prompt.image[: size[0], : size[1]], pixels)
    np.testing.assert_array_equal(prompt.image[-size[0] :, -size[1] :], pixels // 2)


def test_five_pixels_of_a_large_picture_are_still_seen() -> None:
    pixels = np.full((1000, 2000, 3), 100, np.uint8)
    mask = mask_of(1000, 2000, slice(503, 504), slice(701, 706))
    prompt = reference_prompt(pixels, mask, max_side=200)
    assert prompt.image.shape == (100, 400, 3)
    lit = np.argwhere(prompt.image[:, 200:, 0] > 100)
    assert lit.tolist() == [[50, 70]]


def test_fifty_regions_stay_fifty() -> None:
    mask = np.zeros((500, 1000), bool)
    mask[20::100, 20::100] = True
    prompt = reference_prompt(np.zeros((500, 1000, 3), np.uint8), mask, max_side=500)
    assert (prompt.image[:, 500:, 0] > 0).sum() == 50


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="same size"):
        reference_prompt(picture(6, 8), np.zeros((8, 6), bool))
