from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from data_pictures import textured
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from omni_iml.data.synthesis import operations
from omni_iml.data.synthesis.pixels import to_pixels

Operation = Callable[[np.random.Generator, NDArray[np.uint8], NDArray[np.uint8]], tuple[Any, Any]]
SHAPES = [(96, 96), (40, 200), (200, 33)]


def splice(rng: np.random.Generator, base: NDArray[np.uint8], mask: NDArray[np.uint8]) -> tuple[Any, Any]:
    return operations.splice(rng, base, textured(np.random.default_rng(99), *base.shape[:2]), mask)


OPERATIONS: list[Operation] = [splice, operations.copy_move, operations.remove, operations.local_filter]


def region(height: int, width: int) -> NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2, height // 2), (width // 4, height // 4), 20, 0, 360, 1, -1)
    return mask


def near(mask: NDArray[np.uint8], distance: int) -> NDArray[np.bool_]:
    return cv2.dilate(mask, np.ones((2 * distance + 1, 2 * distance + 1), np.uint8)) > 0


@pytest.fixture
def feathers(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The feather of every blend, in order."""
    seen: list[float] = []
    blend = operations.blend

    def spied(base: Any, patch: Any, mask: Any, feather: float) -> Any:
        seen.append(feather)
        return blend(base, patch, mask, feather)

    monkeypatch.setattr(operations, "blend", spied)
    return seen


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_only_the_region_and_its_feathered_edge_change(
    operation: Operation, shape: tuple[int, int], feathers: list[float]
) -> None:
    base, mask = textured(np.random.default_rng(1), *shape), region(*shape)
    kept = base.copy()
    for seed in range(24):
        out, out_mask = operation(np.random.default_rng(seed), base, mask)
        np.testing.assert_array_equal(base, kept)
        assert out.dtype == out_mask.dtype == np.uint8
        assert out.shape == base.shape
        assert out_mask.shape == shape
        assert out_mask.any()
        assert out_mask.max() == 1
        changed = (out != base).any(2)
        assert changed[out_mask > 0].mean() > 0.3
        feather = feathers[-1]
        assert not changed[~near(mask, int(np.ceil(4 * feather)) + 1 if feather else 0)].any()
        if not feather:
            np.testing.assert_array_equal(out_mask, mask)
    assert len(feathers) == 24
    assert 0 in feathers
    assert (max(feathers) > 0) == (operation is not operations.remove)


@given(st.integers(0, 1000), st.floats(0.11, 3))
def test_blends_mask_is_where_the_patch_has_more_than_half_of_the_say(seed: int, feather: float) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((40, 48), np.uint8)
    mask[8:30, 10:36] = rng.random((22, 26)) < 0.8
    black, white = np.zeros((40, 48, 3), np.uint8), np.full((40, 48, 3), 255, np.uint8)
    mixed, out_mask = operations.blend(black, white, mask, feather)
    share = mixed[..., 0] / 255
    np.testing.assert_array_equal(out_mask[share > 0.502], 1)
    np.testing.assert_array_equal(out_mask[share < 0.498], 0)


def test_a_hard_blend_is_a_choice_of_pixels() -> None:
    rng = np.random.default_rng(0)
    base, patch = rng.integers(0, 256, (2, 30, 20, 3)).astype(np.uint8)
    mask = (rng.random((30, 20)) < 0.4).astype(np.uint8)
    out, out_mask = operations.blend(base, patch, mask, 0.0)
    np.testing.assert_array_equal(out[mask > 0], patch[mask > 0])
    np.testing.assert_array_equal(out[mask == 0], base[mask == 0])
    np.testing.assert_array_equal(out_mask, mask)


@pytest.mark.parametrize("shape", SHAPES)
def test_copy_moves_pixels_come_from_the_same_picture(shape: tuple[int, int]) -> None:
    height, width = shape
    rows, columns = np.mgrid[:height, :width]
    base = np.stack([columns, rows, np.zeros_like(rows)], 2).astype(np.uint8)  # every pixel tells its place
    mask, exact = region(*shape), 0
    for seed in range(60):
        out, _ = operations.copy_move(np.random.default_rng(seed), base, mask)
        if out[..., 2].any():
            continue  # its brightness was changed as well
        across = (columns - out[..., 0])[mask > 0] % width
        down = (rows - out[..., 1])[mask > 0] % height
        if np.ptp(across) == np.ptp(down) == 0 and (out[mask == 0] == base[mask == 0]).all():
            exact += 1
            assert height // 8 <= down[0] < height - height // 8
            assert width // 8 <= across[0] < width - width // 8
        else:
            assert out[..., 0].max() <= width + 30  # warped: between the picture's own values, but for cubic overshoot
            assert out[..., 1].max() <= height + 30
    assert exact >= 10


def test_match_colour_moves_mean_and_spread() -> None:
    rng = np.random.default_rng(4)
    base, patch = rng.normal(150, 20, (60, 60, 3)), rng.normal(80, 16, (60, 60, 3))
    mask = region(60, 60)
    matched = operations.match_colour(to_pixels(patch), to_pixels(base), mask)[mask > 0]
    np.testing.assert_allclose(matched.mean(0), to_pixels(base)[mask > 0].mean(0), atol=1)
    np.testing.assert_allclose(matched.std(0), to_pixels(base)[mask > 0].std(0), rtol=0.1)


def test_match_colour_without_a_region_leaves_the_patch() -> None:
    patch = textured(np.random.default_rng(0), 30, 30)
    np.testing.assert_array_equal(operations.match_colour(patch, patch, np.zeros((30, 30), np.uint8)), patch)


def test_warp_of_no_strength_changes_nothing() -> None:
    picture = textured(np.random.default_rng(0), 30, 50)
    for seed in range(20):
        np.testing.assert_array_equal(operations.warp(np.random.default_rng(seed), picture, 0.0), picture)


def test_warps_keep_the_shape_and_differ() -> None:
    picture = textured(np.random.default_rng(0), 40, 50)
    warped = [operations.warp(np.random.default_rng(seed), picture, 1.0) for seed in range(30)]
    assert all(w.shape == picture.shape and w.dtype == np.uint8 for w in warped)
    assert len({w.tobytes() for w in warped}) > 15


def test_computed_values_are_rounded_and_not_cut() -> None:
    np.testing.assert_array_equal(
        to_pixels(np.array([-3.0, 0.6, 99.5001, 99.49, 254.7, 300])), [0, 1, 100, 99, 255, 255]
    )


@pytest.mark.parametrize("operation", [operations.copy_move, operations.local_filter])
def test_edits_do_not_darken_a_flat_picture(operation: Operation) -> None:
    flat, mask = np.full((64, 64, 3), 201, np.uint8), region(64, 64)
    means = [operation(np.random.default_rng(seed), flat, mask)[0][mask > 0].mean() for seed in range(120)]
    if operation is operations.copy_move:  # four of five keep the brightness
        assert np.median(means) == 201
    else:
        assert abs(np.mean(means) - 201) < 0.1
