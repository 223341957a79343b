from __future__ import annotations

import cv2
import numpy as np
import pytest

from omni_iml.evidence.text_lines import TextLine, TextReader, joined


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
