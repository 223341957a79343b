from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from omni_iml.data.framing import draw_start
from omni_iml.data.synthesis.crop import draw_crop
from omni_iml.data.synthesis.scene import Scene
from omni_iml.data.tile_cache import TileEntry
from omni_iml.data.words import WordBox


def tile_entry(height: int, width: int, origin: str = "document/set", words: Any = ()) -> TileEntry:
    return TileEntry(0, height, width, origin, "set/a", "train", tuple(words))


def place_teller(height: int, width: int) -> NDArray[np.uint8]:
    """Every pixel tells its column and row (up to 255) in red and green."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns, rows, np.zeros_like(rows)], 2).astype(np.uint8)


@given(st.integers(0, 2**32 - 1), st.integers(104, 256), st.integers(104, 256), st.sampled_from([40, 72, 104]))
def test_crops_lie_on_the_sources_grid(seed: int, height: int, width: int, side: int) -> None:
    tile = place_teller(height, width)
    crop = draw_crop(np.random.default_rng(seed), tile, tile_entry(height, width), side, 0.0, side).pixels
    x, y = int(crop[0, 0, 0]), int(crop[0, 0, 1])
    assert x % 8 == y % 8 == 0
    np.testing.assert_array_equal(crop, tile[y : y + side, x : x + side])


@pytest.mark.parametrize("domain", ["natural", "face"])
def test_mirrored_crops_keep_the_grid(domain: str) -> None:
    tile, mirrored = place_teller(200, 200), 0
    for seed in range(40):
        crop = draw_crop(np.random.default_rng(seed), tile, tile_entry(200, 200, f"{domain}/set"), 72, 0.0, 72).pixels
        left, right = int(crop[0, 0, 0]), int(crop[0, -1, 0])
        mirrored += left > right
        assert min(left, right) % 8 == 0
        assert abs(left - right) == 71
    assert 8 < mirrored < 32


@pytest.mark.parametrize("domain", ["document", "scene_text"])
def test_text_is_never_mirrored(domain: str) -> None:
    tile = place_teller(200, 200)
    for seed in range(20):
        crop = draw_crop(np.random.default_rng(seed), tile, tile_entry(200, 200, f"{domain}/set"), 72, 1.0, 72).pixels
        assert int(crop[0, 0, 0]) < int(crop[0, -1, 0])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([64, 65, 71, 100, 640]),
    st.sampled_from([64, 67, 90, 640]),
    st.sampled_from([40, 104, 136, 520]),
    st.sampled_from([0.0, 1.0]),
)
def test_crops_have_their_side_whatever_the_tiles(
    seed: int, height: int, width: int, side: int, rescale: float
) -> None:
    tile = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    before = tile.copy()
    crop = draw_crop(np.random.default_rng(seed), tile, tile_entry(height, width), side, rescale, side).pixels
    assert crop.shape == (side, side, 3)
    assert crop.dtype == np.uint8
    assert crop.flags.c_contiguous
    assert not np.shares_memory(crop, tile)
    np.testing.assert_array_equal(tile, before)


def test_tiles_that_are_too_small_are_enlarged_by_a_quarter_at_most() -> None:
    tile = np.zeros((64, 64, 3), np.uint8)
    tile[:, 62:] = 255
    crop = draw_crop(np.random.default_rng(0), tile, tile_entry(64, 64), 136, 0.0, 136).pixels
    bright = np.flatnonzero(crop[0, :, 0] > 127)
    assert bright[0] == pytest.approx(62 * 1.25, abs=1)
    assert bright[-1] == pytest.approx(64 * 1.25 + 2 * 1.25, abs=1)  # the mirrored border, once more


@pytest.mark.parametrize("rescale", [0.0, 1.0])
def test_words_follow_crop_and_scale(rescale: float) -> None:
    tile = np.full((240, 300, 3), 255, np.uint8)
    words = [WordBox(x, y, x + 40, y + 16) for y in range(6, 220, 30) for x in range(4, 250, 60)]
    for word in words:
        tile[word.y0 : word.y1, word.x0 : word.x1] = 0
    entry, seen = tile_entry(240, 300, words=words), 0
    for seed in range(40):
        crop = draw_crop(np.random.default_rng(seed), tile, entry, 104, rescale, 104)
        dark = np.zeros((104, 104), bool)
        for word in crop.words:
            seen += 1
            assert 0 <= word.x0 < word.x1 <= 104
            assert 0 <= word.y0 < word.y1 <= 104
            dark[word.y0 : word.y1, word.x0 : word.x1] = True
            inside = crop.pixels[word.y0 + 1 : word.y1 - 1, word.x0 + 1 : word.x1 - 1]
            assert not inside.size or inside.max() < 128
        inner = slice(30, -30)  # what is left of a cut word at the edge may be no word any more
        rest = ~dark[inner, inner] & (crop.pixels[inner, inner, 0] < 128)
        assert rest.mean() < 0.06  # the rims of words whose box was rounded
    assert seen > 200


def test_mirrored_words_are_dropped() -> None:
    entry = tile_entry(
        200, 200, "natural/set", [WordBox(x, y, x + 20, y + 10) for y in range(0, 180, 20) for x in (0, 80)]
    )
    tile = place_teller(200, 200)
    for seed in range(20):
        crop = draw_crop(np.random.default_rng(seed), tile, entry, 104, 0.0, 104)
        assert bool(crop.words) == bool(crop.pixels[0, 0, 0] < crop.pixels[0, -1, 0])


def test_a_window_takes_pixels_and_words_along() -> None:
    crop = Scene(place_teller(60, 80), (WordBox(10, 10, 40, 20), WordBox(0, 0, 5, 5)))
    part = crop.window(8, 16, 30, 20)
    np.testing.assert_array_equal(part.pixels, crop.pixels[8:38, 16:36])
    assert part.words == (WordBox(0, 2, 20, 12),)


@pytest.mark.parametrize("kind", ["face", "scene_text"])
def test_most_crops_show_a_known_face_or_sign_whole(kind: str) -> None:
    tile, shown, near = np.zeros((640, 640, 3), np.uint8), 0, 0
    box = (390, 200, 630, 440)
    faces, words = ((box,), ()) if kind == "face" else ((), (WordBox(*box),))
    entry = TileEntry(0, 640, 640, f"{kind}/set", "set/a", "train", words, faces)
    for seed in range(200):
        crop = draw_crop(np.random.default_rng(seed), tile, entry, 128, 0.35, 128)
        assert crop.pixels.shape[:2] == (128, 128)
        seen = crop.faces or tuple((word.x0, word.y0, word.x1, word.y1) for word in crop.words)
        sides = [(x1 - x0, y1 - y0) for x0, y0, x1, y1 in seen]
        shown += any(0.97 < wide / tall < 1.03 and wide > 0.4 * 128 for wide, tall in sides)
        near += any(wide > 0.9 * 128 for wide, _ in sides)
    assert 120 < shown < 185
    assert near < 20


@given(st.integers(0, 2**32 - 1), st.integers(64, 900), st.integers(8, 700), st.integers(0, 800), st.integers(0, 500))
def test_a_window_shows_what_it_shall(seed: int, length: int, window: int, first: int, size: int) -> None:
    window, first = min(window, length), min(first, length - 1)
    last = min(length, first + size)
    start = draw_start(np.random.default_rng(seed), length, window, first, last)
    assert start % 8 == 0
    assert 0 <= start <= length - window
    if 0 < last - first <= window - 8 and last <= (length - window) // 8 * 8 + window:
        assert start <= first
        assert last <= start + window
