from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from omni_iml.evidence.text_lines import TextLine, TextReader, UnreadableText, Word, joined


def piece(text: str, x0: int, y0: int, x1: int, y1: int) -> TextLine:
    return TextLine(text, 0.9, (x0, y0, x1, y1), ())


def test_pieces_side_by_side_are_one_line() -> None:
    lines = joined([piece("09:41", 300, 12, 380, 42), piece("Date", 10, 10, 80, 40), piece("Table 6", 10, 60, 120, 90)])
    assert [line.text for line in lines] == ["Date 09:41", "Table 6"]
    assert lines[0].box == (10, 10, 380, 42)


def test_a_heading_beside_small_print_is_no_line_with_it() -> None:
    assert len(joined([piece("TOTAL", 10, 10, 200, 90), piece("note", 220, 10, 280, 30)])) == 2


def test_text_is_read_with_a_box_for_each_word() -> None:
    pytest.importorskip("rapidocr")
    page = np.full((160, 640, 3), 255, np.uint8)
    cv2.putText(page, "INVOICE 20417", (30, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (0, 0, 0), 3, cv2.LINE_AA)
    (line,) = TextReader().read(page)
    assert line.text.replace(" ", "") == "INVOICE20417"
    assert [word.text for word in line.words] == ["INVOICE", "20417"]
    assert line.words[0].box[2] <= line.words[1].box[0] + 10
    assert TextReader().read(np.full((120, 120, 3), 255, np.uint8)) == ()


def reader_with(found: Any) -> TextReader:
    """A reader whose library returns, or raises, what is given."""

    def engine(*_: object, **how: bool) -> Any:
        if isinstance(found, Exception):
            raise found
        return found if how["use_rec"] else SimpleNamespace(boxes=found.boxes)

    reader = TextReader.__new__(TextReader)
    reader._engine = engine
    return reader


def quad(x0: int, y0: int, x1: int, y1: int) -> list[list[int]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def test_lines_whose_words_the_library_leaves_out_are_one_word_each() -> None:
    one = [("Date", 0.9, quad(10, 10, 60, 30)), ("09:41", 0.9, quad(70, 10, 120, 30))]
    boxes = np.array([quad(10, 10, 120, 30), quad(10, 50, 200, 70), quad(10, 90, 50, 110)])
    found = SimpleNamespace(boxes=boxes, txts=("Date 09:41", "Table 6", "no"), scores=(0.9, 0.9, 0.2))
    for words in ((one,), None, ()):
        lines = reader_with(SimpleNamespace(**vars(found), word_results=words)).read(np.zeros((200, 300, 3), np.uint8))
        assert [line.text for line in lines] == ["Date 09:41", "Table 6"]
        assert lines[0].words == (Word("Date 09:41", (10, 10, 120, 30)),)
    told = (one, [("Table", 0.9, quad(10, 50, 90, 70)), ("6", 0.9, quad(100, 50, 120, 70))], [])
    first, second = reader_with(SimpleNamespace(**vars(found), word_results=told)).read(np.zeros((200, 300, 3), "u1"))
    assert [word.text for word in (*first.words, *second.words)] == ["Date", "09:41", "Table", "6"]
    assert reader_with(SimpleNamespace(boxes=boxes)).read(np.zeros((200, 300, 3), np.uint8)) == ()


def test_a_library_that_fails_is_told_in_a_sentence() -> None:
    reader = reader_with(ZeroDivisionError())
    for work in (reader.read, lambda pixels: reader.unread(pixels, ())):
        with pytest.raises(UnreadableText, match=r"rapidocr failed \(ZeroDivisionError\)"):
            work(np.zeros((20, 30, 3), np.uint8))


def test_text_that_was_found_and_not_read_has_boxes() -> None:
    boxes = np.array([quad(10, 10, 120, 30), quad(10, 50, 200, 70), quad(310, 50, 320, 70)])
    line = TextLine("Date", 0.9, (12, 10, 118, 31), ())
    pixels = np.zeros((200, 300, 3), np.uint8)
    assert reader_with(SimpleNamespace(boxes=boxes)).unread(pixels, [line]) == ((10, 50, 200, 70),)
    assert reader_with(SimpleNamespace(boxes=None)).unread(pixels, [line]) == ()


def drawn_script(height: int, width: int) -> np.ndarray:
    """Two lines of four words in letters that no script has."""
    rng = np.random.default_rng(0)
    page = np.full((height, width, 3), 255, np.uint8)
    for at in range(32):
        row, place = divmod(at, 16)
        x, y = 34 + 26 * place + 14 * (place // 4), 34 + 70 * row
        for _ in range(3):
            centre, axes = np.add((x, y), rng.integers(-6, 7, 2)).tolist(), rng.integers(4, 8, 2).tolist()
            cv2.ellipse(page, centre, axes, 0, *(rng.integers(360) + np.array([0, 180])).tolist(), (0, 0, 0), 2)
        ends = np.add((x, y), rng.integers(-10, 11, (2, 2))).tolist()
        cv2.line(page, ends[0], ends[1], (0, 0, 0), 2, cv2.LINE_AA)
    return page


def test_a_script_that_the_models_do_not_know_is_found_and_not_read() -> None:
    pytest.importorskip("rapidocr")
    reader, page = TextReader(), drawn_script(160, 500)
    lines = reader.read(page)
    assert lines == ()
    unread = reader.unread(page, lines)
    covered = np.zeros(page.shape[:2], bool)
    for x0, y0, x1, y1 in unread:
        covered[y0:y1, x0:x1] = True
    assert covered[page[:, :, 0] < 128].mean() > 0.8


def test_a_thin_strip_is_no_failure() -> None:
    pytest.importorskip("rapidocr")
    # 130 times as wide as high: the library itself refuses it.
    assert TextReader().read(np.full((20, 2600, 3), 255, np.uint8)) == ()


@pytest.mark.parametrize(("height", "width"), [(20, 2600), (2600, 20), (1, 1), (300, 400)])
def test_the_library_gets_no_strip(height: int, width: int) -> None:
    sizes = []

    def engine(pixels: np.ndarray, **_: bool) -> None:
        sizes.append(pixels.shape[:2])

    reader = reader_with(None)
    reader._engine = engine
    assert reader.read(np.zeros((height, width, 3), np.uint8)) == ()
    (size,) = sizes
    assert max(size) == max(height, width)
    assert max(size) <= 8 * min(size)
    assert min(size) == min(height, width) or max(size) > 7.9 * min(size)
