import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omni_iml.inference.blending import Canvas, sigmoid
from omni_iml.inference.tiles import tile_starts

sizes = st.tuples(st.integers(1, 300), st.integers(1, 300))


def blend(whole: np.ndarray, tile: int = 64, overlap: int = 32) -> np.ndarray:
    """Cut a map into tiles (garbage in the padding) and blend it again."""
    height, width = whole.shape
    rows, columns = tile_starts(height, tile, overlap), tile_starts(width, tile, overlap)
    canvas = Canvas(height, width, (tile, tile), rows, columns)
    for top in rows:
        for left in columns:
            padded = np.full((tile, tile), 0.123, np.float32)
            part = whole[top : top + tile, left : left + tile]
            padded[: part.shape[0], : part.shape[1]] = part
            canvas.add(top, left, padded)
    return canvas.finish()


@settings(deadline=None, max_examples=40)
@given(sizes, st.floats(0, 1, width=32))
def test_constant_tiles_give_a_constant_map(size, value):
    result = blend(np.full(size, value, np.float32))
    np.testing.assert_allclose(result, value, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_tiles_that_agree_give_back_what_they_say(size):
    whole = np.random.default_rng(0).random(size, dtype=np.float32)
    result = blend(whole)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, whole, atol=1e-6)


def test_tiles_that_disagree_fade_into_each_other():
    canvas = Canvas(64, 96, (64, 64), (0,), (0, 32))
    canvas.add(0, 0, np.zeros((64, 64), np.float32))
    canvas.add(0, 32, np.ones((64, 64), np.float32))
    row = canvas.finish()[10]
    assert not row[:32].any()
    np.testing.assert_allclose(row[32:64], (np.arange(32) + 0.5) / 32, atol=1e-6)
    np.testing.assert_allclose(row[64:], 1, atol=1e-6)


def test_tiles_need_not_be_square():
    canvas = Canvas(40, 150, (64, 96), (0,), (0, 56))
    canvas.add(0, 0, np.full((64, 96), 0.25, np.float32))
    canvas.add(0, 56, np.full((64, 96), 0.25, np.float32))
    np.testing.assert_allclose(canvas.finish(), np.full((40, 150), 0.25), atol=1e-6)


def test_result_stays_between_0_and_1():
    result = blend(np.ones((200, 300), np.float32))
    assert result.max() <= 1
    assert blend(np.zeros((200, 300), np.float32)).min() >= 0


@pytest.mark.parametrize(("logit", "expected"), [(0, 0.5), (-200, 0), (200, 1), (2, 0.880797), (-2, 0.119203)])
def test_sigmoid(logit, expected):
    with np.errstate(all="raise"):
        result = sigmoid(np.array([logit], np.float32))
    assert result.dtype == np.float32
    assert result[0] == pytest.approx(expected, abs=1e-6)
