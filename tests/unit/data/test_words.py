from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_iml.data.words import WordBox, boxes_file, from_plain, read_words, rescaled, seen_through, turned, warped


@st.composite
def word_boxes(draw: st.DrawFn, side: int = 60) -> WordBox:
    x0, y0 = draw(st.integers(0, side - 1)), draw(st.integers(0, side - 1))
    return WordBox(x0, y0, draw(st.integers(x0 + 1, side)), draw(st.integers(y0 + 1, side)))


def written(tmp_path: Path, text: str) -> tuple[WordBox, ...]:
    path = tmp_path / "boxes.csv"
    path.write_bytes(text.encode())
    return read_words(path)


def test_boxes_lie_beside_the_set() -> None:
    assert boxes_file(Path("a/document/sroie/007.jpg")) == Path("a/document/sroie_boxes/007.csv")


def test_corners_become_an_upright_box(tmp_path: Path) -> None:
    text = "10,20,40,22,39,31,9,30,TOTAL, 3.50\r\n5,6,1,2,5,2,1,6,reversed\r\n"
    assert written(tmp_path, text) == (WordBox(9, 20, 40, 31, "TOTAL, 3.50"), WordBox(1, 2, 5, 6, "reversed"))


def test_quotation_marks_in_a_text_do_not_swallow_the_next_lines(tmp_path: Path) -> None:
    text = '1,1,9,1,9,5,1,5,"BEST\n11,1,19,1,19,5,11,5,12" PIPE\n21,1,29,1,29,5,21,5,"\n'
    words = written(tmp_path, text)
    assert [word.x0 for word in words] == [1, 11, 21]
    assert [word.text for word in words] == ['"BEST', '12" PIPE', '"']


@pytest.mark.parametrize(
    "line", ["", "1,2,3", "a,b,c,d,e,f,g,h,i", "1,2,3,4,5,6,7", "4,1,4,1,4,9,4,9,flat", "1,4,9,4,9,4,1,4,flat"]
)
def test_lines_without_a_box_are_left_out(line: str, tmp_path: Path) -> None:
    assert written(tmp_path, f"{line}\n1,1,9,1,9,5,1,5,word\n") == (WordBox(1, 1, 9, 5, "word"),)


def test_no_file_means_no_words(tmp_path: Path) -> None:
    assert read_words(tmp_path / "none.csv") == ()


@given(word_boxes(), st.integers(0, 40), st.integers(0, 40), st.integers(1, 40), st.integers(1, 40))
def test_a_window_shows_what_painting_the_word_and_cutting_shows(
    word: WordBox, y: int, x: int, height: int, width: int
) -> None:
    canvas = np.zeros((100, 100), bool)
    canvas[word.y0 : word.y1, word.x0 : word.x1] = True
    cut = canvas[y : y + height, x : x + width]
    seen = seen_through([word], y, x, height, width)
    shown, tall = int(cut.any(0).sum()), word.y1 - word.y0
    whole_height = int(cut.any(1).sum()) == tall
    assert len(seen) == (whole_height and (shown == word.x1 - word.x0 or shown >= tall))
    for box in seen:
        again = np.zeros_like(cut)
        again[box.y0 : box.y1, box.x0 : box.x1] = True
        np.testing.assert_array_equal(again, cut)


@given(word_boxes(), st.floats(0.3, 1.6), st.floats(0.3, 1.6))
def test_rescaling_keeps_words_in_place(word: WordBox, down: float, across: float) -> None:
    for box in rescaled([word], down, across):
        assert 0 <= box.x0 < box.x1 <= round(60 * across)
        assert 0 <= box.y0 < box.y1 <= round(60 * down)
        assert abs((box.x0 + box.x1) / 2 - (word.x0 + word.x1) / 2 * across) <= 0.5
        assert abs((box.y0 + box.y1) / 2 - (word.y0 + word.y1) / 2 * down) <= 0.5


def test_words_that_shrink_to_nothing_are_left_out() -> None:
    assert rescaled([WordBox(4, 4, 5, 5), WordBox(0, 0, 40, 20)], 0.25, 0.25) == (WordBox(0, 0, 10, 5),)


SLANT = turned(((20.0, 30.0), (80.0, 50.0), (75.0, 65.0), (15.0, 45.0)))


def test_a_turned_word_has_the_box_around_it() -> None:
    assert (SLANT.x0, SLANT.y0, SLANT.x1, SLANT.y1) == (15, 30, 80, 65)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(10, 100), st.integers(10, 100))
def test_a_window_shows_a_stretch_of_a_turned_word(y: int, x: int, height: int, width: int) -> None:
    assert SLANT.quad is not None
    first, second, third, fourth = (np.array(corner) for corner in SLANT.quad)
    for word in seen_through([SLANT], y, x, height, width):
        assert word.quad is not None
        start, end, bottom_end, bottom = (np.add(corner, [x, y]) for corner in word.quad)
        for corner in (start, end, bottom_end, bottom):
            assert x <= corner[0] <= x + width
            assert y <= corner[1] <= y + height
        share = np.linalg.norm(start - first) / np.linalg.norm(second - first)
        np.testing.assert_allclose(start, first + share * (second - first), atol=1e-6)
        np.testing.assert_allclose(bottom, fourth + share * (third - fourth), atol=1e-6)
        assert np.linalg.norm(end - start) >= 0.99 * np.linalg.norm(bottom - start)


def test_a_turned_word_is_whole_in_a_window_around_it_and_none_beside_it() -> None:
    (whole,) = seen_through([SLANT], 10, 10, 80, 80)
    assert SLANT.quad is not None
    np.testing.assert_allclose(whole.quad, np.array(SLANT.quad) - 10, atol=1e-9)
    assert seen_through([SLANT], 0, 90, 100, 100) == ()
    assert seen_through([SLANT], 0, 0, 40, 100) == ()  # the upper half of its middle only


def test_a_turned_word_is_rescaled_corner_by_corner() -> None:
    (half,) = rescaled([SLANT], 0.5, 2.0)
    assert SLANT.quad is not None
    np.testing.assert_allclose(half.quad, np.array(SLANT.quad) * [2.0, 0.5])


@pytest.mark.parametrize("word", [SLANT, WordBox(1, 2, 3, 4)])
def test_words_come_back_from_json(word: WordBox) -> None:
    assert from_plain(json.loads(json.dumps(asdict(word)))) == word


def test_text_and_font_go_through_windows_and_sizes() -> None:
    word = WordBox(10, 10, 40, 22, "total", "a.ttf", 14.0, 0.1)
    (moved,) = seen_through([word], 5, 5, 50, 50)
    assert moved == WordBox(5, 5, 35, 17, "total", "a.ttf", 14.0, 0.1)
    (larger,) = rescaled([word], 2.0, 1.0)
    assert larger == WordBox(10, 20, 40, 44, "total", "a.ttf", 28.0, 0.2)


@pytest.mark.parametrize("x", [15, -15])
def test_a_word_that_is_cut_off_has_no_text_any_more(x: int) -> None:
    (cut,) = seen_through([WordBox(10, 10, 40, 22, "total", "a.ttf", 14.0)], 0, x, 40, 40)
    assert (cut.text, cut.font, cut.size) == ("", "a.ttf", 14.0)


@given(st.floats(-8, 8), st.floats(0.6, 1.5), st.integers(0, 2**32 - 1))
def test_warped_boxes_hold_the_painted_word(angle: float, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (int(v) for v in rng.integers(60, 100, 2))
    word = WordBox(x, y, x + 50, y + 14, "word", "a.ttf", 20.0)
    matrix = np.vstack([cv2.getRotationMatrix2D((100, 100), -angle, scale), [rng.uniform(-2e-4, 2e-4), 0, 1]])
    canvas = np.zeros((240, 240), np.uint8)
    canvas[word.y0 : word.y1, word.x0 : word.x1] = 255
    seen = cv2.warpPerspective(canvas, matrix, (240, 240)) > 127
    (moved,) = warped([word], matrix)
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert abs(rows[0] - moved.y0) <= 2
    assert abs(rows[-1] + 1 - moved.y1) <= 2
    assert abs(columns[0] - moved.x0) <= 2
    assert abs(columns[-1] + 1 - moved.x1) <= 2
    assert moved.text == "word"
    assert moved.size == pytest.approx(20 * scale, rel=0.1)
    assert moved.slope == pytest.approx(np.tan(np.radians(angle)), abs=0.05)


def test_no_words_are_warped_to_none() -> None:
    assert warped([], np.eye(3)) == ()


def test_a_turned_word_keeps_its_text_where_all_of_it_is_seen() -> None:
    word = replace(turned(((20, 20), (60, 30), (58, 42), (18, 32))), text="total", font="a.ttf", size=14.0)
    (whole,) = seen_through([word], 5, 5, 60, 60)
    assert (whole.text, whole.font, whole.size) == ("total", "a.ttf", 14.0)
    (cut,) = seen_through([word], 5, 5, 60, 40)
    assert (cut.text, cut.font, cut.size) == ("", "a.ttf", 14.0)
    (larger,) = rescaled([word], 2.0, 2.0)
    assert (larger.text, larger.size) == ("total", 28.0)
