from __future__ import annotations

import cv2
import numpy as np
import pytest
from io_pictures import picture
from PIL import Image

import omni_iml.io.pixels as pixels_module
from omni_iml.io import trace_of_pixels


def plain(pixels: np.ndarray) -> np.ndarray:
    """The definition, block by block."""
    image = Image.fromarray(pixels)
    luma = np.asarray(image.convert("L"), dtype=np.float64) - 128
    luma = np.pad(luma, ((0, -luma.shape[0] % 8), (0, -luma.shape[1] % 8)), mode="edge")
    out = np.empty_like(luma)
    for y in range(0, luma.shape[0], 8):
        for x in range(0, luma.shape[1], 8):
            out[y : y + 8, x : x + 8] = cv2.dct(luma[y : y + 8, x : x + 8])
    return out


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 23), (64, 40)])
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_the_definition(size: tuple[int, int], channels: int) -> None:
    pixels = picture(*size, channels=channels)
    trace = trace_of_pixels(pixels)
    exact = plain(pixels)
    assert trace.coefficients.dtype == np.int16
    assert trace.coefficients.shape == exact.shape
    assert np.abs(trace.coefficients - exact).max() <= 0.5 + 1e-6
    assert trace.table.dtype == np.uint16
    assert (trace.table == 1).all()


def test_ties_round_upwards() -> None:
    # A block whose samples sum to 4 has a DC of exactly 0.5, and one of -4 exactly -0.5.
    for step, expected in ((1, 1), (-1, 0)):
        block = np.full((8, 8), 128, dtype=np.uint8)
        block[0, :4] += np.uint8(step % 256)
        assert trace_of_pixels(block).coefficients[0, 0] == expected


def test_extremes_are_not_clipped() -> None:
    assert trace_of_pixels(np.zeros((8, 8), np.uint8)).coefficients[0, 0] == -1024
    assert trace_of_pixels(np.full((8, 8), 255, np.uint8)).coefficients[0, 0] == 1016


def test_strips_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = picture(100, 70)
    whole = trace_of_pixels(pixels).coefficients
    monkeypatch.setattr(pixels_module, "_STRIP_PIXELS", 1)
    assert np.array_equal(trace_of_pixels(pixels).coefficients, whole)


@pytest.mark.parametrize(
    "bad",
    [np.zeros((4, 4), np.float32), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8), np.zeros(4, np.uint8)],
)
def test_wrong_arrays(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="give"):
        trace_of_pixels(bad)
