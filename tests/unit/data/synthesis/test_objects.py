from __future__ import annotations

import cv2
import numpy as np
import pytest
from data_pictures import textured
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from omni_iml.data.synthesis import objects


def disc(side: int, radius: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A red disc on a grey, grainy ground, and where it is."""
    mask = np.zeros((side, side), np.uint8)
    cv2.circle(mask, (side // 2, side // 2), radius, 1, -1)
    grain = np.random.default_rng(0).normal(0, 4, (side, side, 3))
    pixels = np.where(mask[..., None] > 0, np.array([200.0, 40, 40]), 110.0) + grain
    return pixels.clip(0, 255).astype(np.uint8), mask


def overlap(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("kind", objects.OUTLINES)
@pytest.mark.parametrize("side", [96, 300])
def test_outlines_follow_a_thing(kind: str, side: int) -> None:
    pixels, thing = disc(side, side // 4)
    found = [objects.OUTLINES[kind](np.random.default_rng(seed), pixels, float(thing.mean())) for seed in range(12)]
    # Some look elsewhere; those that found the thing have its outline to within a few pixels.
    assert max(overlap(mask, thing) for mask in found) > 0.87


@pytest.mark.parametrize("kind", objects.OUTLINES)
@given(seed=st.integers(0, 10**6), height=st.integers(17, 150), width=st.integers(17, 150))
@settings(max_examples=25, deadline=None)
def test_outlines_are_solid_masks_of_any_picture(kind: str, seed: int, height: int, width: int) -> None:
    pixels = textured(np.random.default_rng(seed), height, width)
    first, again = (objects.OUTLINES[kind](np.random.default_rng(seed), pixels, 0.1) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.uint8
    assert first.shape == (height, width)
    assert first.max(initial=0) <= 1
    np.testing.assert_array_equal(objects.solid(first), first)


@pytest.mark.parametrize("kind", objects.OUTLINES)
def test_outlines_are_found_on_empty_pictures_too(kind: str) -> None:
    flat = np.full((64, 90, 3), 255, np.uint8)
    mask, _ = objects.outline(np.random.default_rng(0), flat, (0.02, 0.3), (kind,))
    assert mask.shape == (64, 90)


@pytest.mark.parametrize("kind", objects.OUTLINES)
def test_outlines_have_about_the_area_asked_for(kind: str) -> None:
    pixels = textured(np.random.default_rng(4), 160, 160)
    for share in (0.03, 0.1, 0.25):
        shares = [objects.OUTLINES[kind](np.random.default_rng(seed), pixels, share).mean() for seed in range(15)]
        assert 0.3 * share < np.median(shares) < 1.8 * share


def test_superpixels_keep_off_the_pictures_border() -> None:
    pixels = textured(np.random.default_rng(4), 160, 160)
    for seed in range(10):
        mask = objects.superpixels(np.random.default_rng(seed), pixels, 0.1)
        assert mask.sum() == mask[1:-1, 1:-1].sum() > 0


def test_solid_keeps_the_largest_part_and_fills_its_holes() -> None:
    mask = np.zeros((30, 40), np.uint8)
    mask[2:20, 3:25], mask[8:12, 9:14], mask[25:28, 30:38] = 1, 0, 1
    wanted = np.zeros_like(mask)
    wanted[2:20, 3:25] = 1
    np.testing.assert_array_equal(objects.solid(mask), wanted)
    np.testing.assert_array_equal(objects.solid(np.zeros((5, 5), np.uint8)), 0)
    np.testing.assert_array_equal(objects.solid(np.ones((5, 5), np.uint8)), 1)


def test_outline_falls_back_to_a_free_shape_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        objects.OUTLINES, "superpixels", lambda rng, pixels, share: np.zeros(pixels.shape[:2], np.uint8)
    )
    _, kind = objects.outline(np.random.default_rng(0), np.zeros((50, 60, 3), np.uint8), (0.05, 0.2), ("superpixels",))
    assert kind in {"polygon", "blob", "ellipse", "rectangle"}


def test_free_shapes_to_be_moved_are_seldom_cut_by_the_border() -> None:
    pixels = np.zeros((96, 130, 3), np.uint8)
    cut = {False: 0, True: 0}
    for whole in cut:
        for seed in range(80):
            mask, _ = objects.outline(np.random.default_rng(seed), pixels, (0.02, 0.2), ("free",), whole=whole)
            cut[whole] += bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())
    assert cut[True] < 8 < 20 < cut[False]
