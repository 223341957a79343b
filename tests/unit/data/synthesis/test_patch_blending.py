from __future__ import annotations

import cv2
import numpy as np
import pytest
from data_pictures import textured
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from omni_iml.data.synthesis.blending import blend, match_colour, poisson, relight
from omni_iml.data.synthesis.filters import FILTERS
from omni_iml.data.synthesis.pixels import to_pixels


def ellipse(height: int, width: int) -> NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2, height // 2), (width // 4, height // 4), 20, 0, 360, 1, -1)
    return mask


@given(st.integers(0, 1000), st.floats(0, 9))
def test_blends_soften_inwards(seed: int, feather: float) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((40, 48), np.uint8)
    mask[8:30, 10:36] = rng.random((22, 26)) < 0.9
    black, white = np.zeros((40, 48, 3), np.uint8), np.full((40, 48, 3), 255, np.uint8)
    mixed = blend(black, white, mask, feather)
    assert not mixed[mask == 0].any()
    assert (mixed[mask > 0] > 0).all()
    assert mixed.max() == 255 or feather > 0.5


def test_a_hard_blend_is_a_choice_of_pixels() -> None:
    rng = np.random.default_rng(0)
    base, patch = rng.integers(0, 256, (2, 30, 20, 3)).astype(np.uint8)
    mask = (rng.random((30, 20)) < 0.4).astype(np.uint8)
    out = blend(base, patch, mask, 0.0)
    np.testing.assert_array_equal(out[mask > 0], patch[mask > 0])
    np.testing.assert_array_equal(out[mask == 0], base[mask == 0])


def test_a_region_cut_by_the_border_is_opaque_there() -> None:
    black, white = np.zeros((40, 40, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    mask = np.zeros((40, 40), np.uint8)
    mask[:20, 10:30] = 1
    mixed = blend(black, white, mask, 4.0)
    assert mixed[0, 20, 0] == 255
    assert mixed[19, 20, 0] < 128


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("shape", [(60, 60), (41, 77)])
def test_poisson_takes_a_constant_away(shape: tuple[int, int], mixed: bool) -> None:
    base = textured(np.random.default_rng(0), *shape).clip(40, 200).astype(np.uint8)
    for mask in (ellipse(*shape), np.pad(np.ones((20, 15), np.uint8), ((0, shape[0] - 20), (0, shape[1] - 15)))):
        out = poisson(base, (base + 25).astype(np.uint8), mask, mixed=mixed)
        # At the picture's own border there is nothing to be joined to.
        assert np.abs(out.astype(int) - base)[mask > 0].max() <= 2


def test_poisson_keeps_gradients_and_leaves_no_step() -> None:
    base, mask = np.full((80, 80, 3), 90, np.uint8), ellipse(80, 80)
    patch = np.full((80, 80, 3), 180, np.uint8)
    patch[35:45, 35:45] = 230
    out = poisson(base, patch, mask)
    np.testing.assert_array_equal(out[mask == 0], base[mask == 0])
    assert abs(int(out[40, 40, 0]) - int(out[40, 30, 0]) - 50) <= 3
    rim = (cv2.erode(mask, np.ones((3, 3), np.uint8)) < mask) & (mask > 0)
    assert np.abs(out[rim].astype(int) - 90).max() <= 2


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 29), st.integers(0, 29), st.booleans())
def test_poisson_joins_regions_of_any_size_and_place(tall: int, wide: int, y: int, x: int, mixed: bool) -> None:
    base, mask = textured(np.random.default_rng(0), 30, 30), np.zeros((30, 30), np.uint8)
    mask[y : y + tall, x : x + wide] = 1
    out = poisson(base, 255 - base, mask, mixed=mixed)
    np.testing.assert_array_equal(out[mask == 0], base[mask == 0])


def test_poisson_of_nothing_changes_nothing() -> None:
    base = textured(np.random.default_rng(0), 30, 30)
    np.testing.assert_array_equal(poisson(base, 255 - base, np.zeros((30, 30), np.uint8)), base)


def test_match_colour_moves_mean_and_spread() -> None:
    rng = np.random.default_rng(4)
    base = to_pixels(rng.normal(150, 20, (60, 60, 1)) + np.array([20, 0, -10]))
    patch = to_pixels(rng.normal(80, 16, (60, 60, 1)) + np.array([0, 10, 0]))
    mask = ellipse(60, 60)
    matched = match_colour(patch, base, mask)[mask > 0]
    np.testing.assert_allclose(matched.mean(0), base[mask > 0].mean(0), atol=2.5)
    np.testing.assert_allclose(matched.std(0), base[mask > 0].std(0), rtol=0.2)
    halfway = match_colour(patch, base, mask, 0.5)[mask > 0].mean()
    assert patch[mask > 0].mean() + 15 < halfway < base[mask > 0].mean() - 15
    np.testing.assert_allclose(match_colour(patch, base, mask, 0.0).astype(int), patch, atol=1)


def test_match_colour_without_a_region_leaves_the_patch() -> None:
    patch = textured(np.random.default_rng(0), 30, 30)
    np.testing.assert_array_equal(match_colour(patch, patch, np.zeros((30, 30), np.uint8)), patch)


def test_relit_patches_fall_off_to_the_side_told() -> None:
    grey = np.full((50, 50, 3), 120, np.uint8)
    for seed in range(10):
        lit, told = relight(np.random.default_rng(seed), grey)
        assert lit.mean() == pytest.approx(120 * told["exposure"], rel=0.02)
        towards = np.deg2rad(told["direction_degrees"])
        across = float(lit[:, 25:].mean() - lit[:, :25].mean())
        assert abs(across - 60 * told["exposure"] * told["slope"] * np.cos(towards)) < 1.5


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("shape", [(40, 61), (5, 9)])
def test_filters_keep_the_form_and_say_what_they_did(name: str, shape: tuple[int, int]) -> None:
    pixels = textured(np.random.default_rng(0), *shape)
    kept = pixels.copy()
    outputs = set()
    for seed in range(6):
        out, did = FILTERS[name](np.random.default_rng(seed), pixels)
        assert out.shape == pixels.shape
        assert out.dtype == np.uint8
        assert did
        outputs.add(out.tobytes())
        again, _ = FILTERS[name](np.random.default_rng(seed), pixels)
        np.testing.assert_array_equal(out, again)
    np.testing.assert_array_equal(pixels, kept)
    assert len(outputs) > 1 or min(shape) < 10


def test_computed_values_are_rounded_and_not_cut() -> None:
    np.testing.assert_array_equal(
        to_pixels(np.array([-3.0, 0.6, 99.5001, 99.49, 254.7, 300])), [0, 1, 100, 99, 255, 255]
    )
