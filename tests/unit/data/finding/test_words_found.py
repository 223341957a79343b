from __future__ import annotations

import numpy as np
import pytest

from omni_iml.data.finding.words import find_words, ink_of
from omni_iml.data.synthesis.pages import draw_page
from omni_iml.data.words import WordBox


def shared(a: WordBox, b: WordBox) -> int:
    wide, tall = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(0, wide) * max(0, tall)


def area(word: WordBox) -> int:
    return (word.x1 - word.x0) * (word.y1 - word.y0)


def test_words_of_rendered_pages_are_found() -> None:
    """Of 16 pages: at least 85% of the words are covered, and at least 90% of what is found is a word."""
    covered = words = right = found = 0
    for seed in range(16):
        scene = draw_page(np.random.default_rng(seed), 384, 384)
        boxes = find_words(scene.pixels)
        known = [word for word in scene.words if word.text and word.y1 - word.y0 >= 6]
        covered += sum(sum(shared(word, box) for box in boxes) > 0.6 * area(word) for word in known)
        words += len(known)
        right += sum(sum(shared(word, box) for word in scene.words) > 0.4 * area(box) for box in boxes)
        found += len(boxes)
    assert words > 200
    assert covered >= 0.85 * words
    assert right >= 0.9 * found


def test_gaps_between_words_part_them_and_gaps_between_letters_do_not() -> None:
    page = np.full((60, 200, 3), 240, np.uint8)
    starts = [10, 16, 22, 28, 44, 50, 56, 76, 82, 88, 94, 100, 120, 126, 132]
    for x in starts:
        page[20:32, x : x + 4] = 30
    boxes = [(word.x0, word.y0, word.x1, word.y1) for word in find_words(page)]
    assert boxes == [(10, 20, 32, 32), (44, 20, 60, 32), (76, 20, 104, 32), (120, 20, 136, 32)]


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_blank_page_has_no_words(level: int) -> None:
    page = np.full((64, 80, 3), level, np.uint8)
    assert find_words(page) == ()
    assert not ink_of(page).any()


def test_rules_and_frames_are_no_words() -> None:
    page = np.full((120, 300, 3), 250, np.uint8)
    page[30:32, 10:290] = 20
    page[60:110, 20:22] = page[60:110, 200:202] = 20
    page[60:62, 20:202] = page[108:110, 20:202] = 20
    assert find_words(page) == ()


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (8, 8)])
def test_pictures_of_any_size(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert isinstance(find_words(noise), tuple)
