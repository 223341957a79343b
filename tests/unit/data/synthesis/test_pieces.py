from __future__ import annotations

import cv2
import numpy as np
import pytest
from data_pictures import textured
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from omni_iml.data.synthesis.pieces import (
    MARGIN,
    Piece,
    Reshape,
    bounds,
    cut_out,
    draw_place,
    draw_reshape,
    placed,
    window_around,
)


def box(height: int, width: int, y0: int, x0: int, y1: int, x1: int) -> NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    mask[y0:y1, x0:x1] = 1
    return mask


def test_a_piece_is_cut_with_its_surroundings() -> None:
    pixels = textured(np.random.default_rng(0), 60, 70)
    piece = cut_out(pixels, box(60, 70, 20, 30, 28, 45))
    assert bounds(piece.mask) == (MARGIN, MARGIN, MARGIN + 8, MARGIN + 15)
    np.testing.assert_array_equal(piece.pixels, pixels[20 - MARGIN : 28 + MARGIN, 30 - MARGIN : 45 + MARGIN])


@given(st.integers(0, 59), st.integers(0, 69), st.integers(1, 30), st.integers(1, 30))
def test_pieces_at_the_border_have_a_margin_too(y: int, x: int, tall: int, wide: int) -> None:
    pixels, mask = textured(np.random.default_rng(0), 60, 70), box(60, 70, y, x, y + tall, x + wide)
    piece = cut_out(pixels, mask)
    y0, x0, y1, x1 = bounds(mask)
    assert bounds(piece.mask) == (MARGIN, MARGIN, MARGIN + y1 - y0, MARGIN + x1 - x0)
    assert piece.mask.shape == (y1 - y0 + 2 * MARGIN, x1 - x0 + 2 * MARGIN)
    inner = piece.pixels[MARGIN:-MARGIN, MARGIN:-MARGIN]
    np.testing.assert_array_equal(inner, pixels[y0:y1, x0:x1])
    window = window_around(mask, 0)
    np.testing.assert_array_equal(pixels[window], inner)


def test_no_change_of_form_changes_no_pixel() -> None:
    piece = cut_out(textured(np.random.default_rng(0), 60, 70), box(60, 70, 20, 30, 28, 45))
    same = Reshape()(piece)
    np.testing.assert_array_equal(same.pixels, piece.pixels)
    assert Reshape(kernel="cubic").told() == {}
    mirrored = Reshape(mirrored=True)(piece)
    np.testing.assert_array_equal(mirrored.pixels, piece.pixels[:, ::-1])
    assert Reshape(mirrored=True).told()["mirrored"]


@pytest.mark.parametrize("kernel", ["nearest", "linear", "cubic", "lanczos", "area"])
@pytest.mark.parametrize("angle", [0.0, 20.0])
def test_reshapes_have_the_scale_and_turn_asked_for(kernel: str, angle: float) -> None:
    mask = np.zeros((90, 90), np.uint8)
    cv2.ellipse(mask, (45, 45), (30, 12), 0, 0, 360, 1, -1)
    out = Reshape(0.7, 0.7, angle, kernel=kernel)(Piece(np.repeat(mask[..., None] * 200, 3, 2), mask))
    assert out.mask.sum() == pytest.approx(0.49 * mask.sum(), rel=0.05)
    # The mask stays on the pixels that it cuts out.
    assert ((out.pixels[..., 0] > 100) == (out.mask > 0)).mean() > 0.985
    rows, columns = np.nonzero(out.mask)
    slope = np.polyfit(columns, rows, 1)[0]
    assert np.rad2deg(np.arctan(slope)) == pytest.approx(-angle, abs=4)


@given(st.integers(0, 10**6), st.integers(40, 120), st.integers(40, 120))
def test_drawn_reshapes_fit_the_picture(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    piece = cut_out(textured(rng, 100, 100), box(100, 100, 5, 10, 90, 70))
    reshape = draw_reshape(rng, piece, (height, width), (0.01, 0.4))
    assert reshape.across * reshape.down * piece.mask.sum() <= 0.41 * height * width
    assert reshape.told().get("kernel", "linear") in {"nearest", "linear", "cubic", "lanczos", "area"}


@given(st.integers(0, 10**6))
def test_placed_pieces_show_two_thirds_of_a_side_at_least(seed: int) -> None:
    rng = np.random.default_rng(seed)
    piece = cut_out(textured(rng, 60, 60), box(60, 60, 10, 20, 30, 50))
    base = textured(rng, 64, 80)
    y, x = draw_place(rng, piece, base, 1 + seed % 3)
    window, seen = placed(piece, (y, x), (64, 80))
    assert base[window].shape == seen.pixels.shape
    y0, x0, y1, x1 = bounds(seen.mask)
    assert y1 - y0 >= 0.65 * 20
    assert x1 - x0 >= 0.65 * 30
    # What is seen is the piece, shifted.
    np.testing.assert_array_equal(
        seen.pixels,
        piece.pixels[window[0].start - y : window[0].stop - y, window[1].start - x : window[1].stop - x],
    )


def test_more_tries_find_a_place_of_like_colours() -> None:
    base = np.full((100, 200, 3), 30, np.uint8)
    base[:, 100:] = 220
    bright = np.full((40, 40, 3), 220, np.uint8)
    piece = cut_out(bright, box(40, 40, 10, 10, 30, 30))
    centres = [draw_place(np.random.default_rng(seed), piece, base, 12)[1] + 16 for seed in range(30)]
    assert np.mean([centre > 100 for centre in centres]) > 0.9
