from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_iml.data.synthesis import shapes

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(32, 200)
areas = st.floats(0.005, 0.5)


@pytest.mark.parametrize("shape", [shapes.ellipse, shapes.rectangle, shapes.polygon, shapes.blob])
@given(seeds, sizes, areas)
def test_shapes_are_binary_masks_and_the_same_for_the_same_seed(shape, seed: int, size: int, area: float) -> None:
    mask = shape(np.random.default_rng(seed), size, area)
    assert mask.dtype == np.uint8
    assert mask.shape == (size, size)
    assert mask.max() <= 1
    np.testing.assert_array_equal(mask, shape(np.random.default_rng(seed), size, area))


@given(seeds, sizes, areas, st.booleans())
def test_rectangles_are_full_and_upright(seed: int, size: int, area: float, wide: bool) -> None:
    mask = shapes.rectangle(np.random.default_rng(seed), size, area, wide=wide)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    assert mask.sum() == len(rows) * len(columns) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert 4 <= len(rows) < size
    assert 4 <= len(columns) < size


@given(seeds, st.floats(0.01, 0.1))
def test_wide_rectangles_are_lines_of_text(seed: int, area: float) -> None:
    mask = shapes.rectangle(np.random.default_rng(seed), 400, area, wide=True)
    height, width = int(mask.any(1).sum()), int(mask.any(0).sum())
    assert 1.9 <= width / height <= 8.6


@given(seeds, sizes, areas)
def test_ellipses_are_never_empty(seed: int, size: int, area: float) -> None:
    assert shapes.ellipse(np.random.default_rng(seed), size, area).any()


@pytest.mark.parametrize("area", [0.01, 0.1])
@pytest.mark.parametrize("shape", [shapes.ellipse, shapes.rectangle, shapes.polygon, shapes.blob])
def test_shapes_have_about_the_area_asked_for(shape, area: float) -> None:
    rng = np.random.default_rng(3)
    drawn = [float(shape(rng, 160, area).mean()) for _ in range(60)]
    # Shapes at the border lose a part, blobs of little area most of it: the middle of the larger half tells.
    assert 0.5 * area < np.quantile(drawn, 0.75) < 1.6 * area


@given(seeds, st.integers(32, 200), st.integers(32, 200))
def test_fitted_shapes_keep_their_share_of_the_picture(seed: int, height: int, width: int) -> None:
    mask = shapes.rectangle(np.random.default_rng(seed), max(height, width), 0.1)
    fitted = shapes.fitted(mask, height, width)
    assert fitted.shape == (height, width)
    assert fitted.dtype == np.uint8
    assert set(np.unique(fitted)) == {0, 1}
    # Each edge of the rectangle moves by less than a pixel.
    assert abs(fitted.mean() - mask.mean()) < 2 / min(height, width)


def test_shapes_are_various_in_kind_and_place() -> None:
    rng = np.random.default_rng(5)
    masks = [shapes.drawn_in(rng, 64, 64, (0.1, 0.1))[0] for _ in range(300)]
    assert len({mask.tobytes() for mask in masks}) == 300
    assert np.mean(masks, 0).min() > 0
