from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from io_pictures import encode
from PIL import Image

from omni_iml.io.thumbnail import compare_thumbnail

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.asarray(Image.open(EXAMPLES / "pagoda.jpg").convert("RGB"))


def thumbnail(pixels: np.ndarray, turn: int = 0, size: tuple[int, int] = (160, 120)) -> bytes:
    small = Image.fromarray(pixels)
    small.thumbnail(size)
    return encode(np.rot90(np.asarray(small), -turn), quality=70)


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_its_own_thumbnail_agrees_in_every_turn(pixels: np.ndarray, turn: int) -> None:
    found = compare_thumbnail(thumbnail(pixels, turn), pixels)
    assert found["turned"] == 90 * turn
    assert found["correlation"] > 0.97
    assert found["agrees"]
    assert found["aspect_difference"] < 0.02


def test_black_bars_do_not_count(pixels: np.ndarray) -> None:
    wide = pixels[:300]
    framed = Image.new("RGB", (160, 120))
    small = Image.fromarray(wide)
    small.thumbnail((160, 120))
    framed.paste(small, (0, (120 - small.height) // 2))
    found = compare_thumbnail(encode(framed, quality=80), wide)
    assert found["agrees"]
    assert found["aspect_difference"] < 0.06


def test_the_thumbnail_of_another_picture_disagrees(pixels: np.ndarray) -> None:
    other = np.asarray(Image.open(EXAMPLES / "meadow.jpg").convert("RGB"))
    found = compare_thumbnail(thumbnail(other), pixels)
    assert found["agrees"] is False
    assert found["correlation"] < 0.8


def test_a_cropped_picture_keeps_the_thumbnail_of_the_whole(pixels: np.ndarray) -> None:
    cropped = pixels[: pixels.shape[0] // 2, : pixels.shape[1] // 3]
    found = compare_thumbnail(thumbnail(pixels), np.ascontiguousarray(cropped))
    assert found["agrees"] is False
    assert found["aspect_difference"] > 0.2


def test_a_flat_picture_has_no_correlation() -> None:
    flat = np.full((120, 160, 3), 200, np.uint8)
    found = compare_thumbnail(thumbnail(flat), flat)
    assert found["correlation"] is None
    assert found["agrees"] is None


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"GIF89a", bytes(100)])
def test_what_is_no_picture_is_said_so(data: bytes, pixels: np.ndarray) -> None:
    assert compare_thumbnail(data, pixels) == {"readable": False}
