from __future__ import annotations

import pytest

from omni_iml.evidence.text_lines import TextLine, Word
from omni_iml.explain.refine.rule import Candidate, Mention
from omni_iml.types import Box

pytest.importorskip("rapidfuzz")
from omni_iml.explain.refine.text_boxes import text_candidates

TOTAL = TextLine("TOTAL 88.40", 0.9, (0, 0, 110, 10), (Word("TOTAL", (0, 0, 50, 10)), Word("88.40", (60, 0, 110, 10))))
_DATE = Word("Date", (0, 20, 40, 30)), Word("19.08.2025", (50, 20, 150, 30))
DATE = TextLine("Date 19.08.2025", 1.0, (0, 20, 150, 30), _DATE)
CASH = TextLine("CASH 40.00", 1.0, (0, 40, 100, 50), (Word("CASH", (0, 40, 40, 50)), Word("40.00", (50, 40, 100, 50))))
SIGN = TextLine("西湖", 1.0, (0, 60, 20, 70), (Word("西", (0, 60, 10, 70)), Word("湖", (10, 60, 20, 70))))
LINES = (TOTAL, DATE, CASH, SIGN)


def found(content: str, relative: str = "") -> list[Candidate]:
    return text_candidates(LINES, [Mention(content, "Center", relative)], 100, 200)


def places(content: str, relative: str = "") -> list[Box]:
    return [one.area.box for one in found(content, relative)]


def test_a_text_is_found_to_the_character_whatever_its_case_width_and_blanks() -> None:
    assert places("88.40") == [(60, 0, 110, 10)]
    assert places("08.2025") == [(80, 20, 150, 30)]
    assert places("Total 88.40") == [(0, 0, 110, 10)]
    assert places("８８．４０") == [(60, 0, 110, 10)]
    assert places("湖") == [(10, 60, 20, 70)]
    assert places("nowhere to be read") == []
    assert places("") == []


def test_every_place_counts_unless_the_line_is_named() -> None:
    assert places("40") == [(90, 0, 110, 10), (50, 40, 70, 50)]
    assert places("40", "In the text line: CASH 40.00") == [(50, 40, 70, 50)]
    assert places("40", "in the line of “cash 40.00”") == [(50, 40, 70, 50)]
    assert places("40", "Below the text line: CASH 40.00") == [(90, 0, 110, 10), (50, 40, 70, 50)]
    assert places("2025", "In the text line: CASH 40.00") == [(110, 20, 150, 30)]  # a line that does not hold it


def test_a_letter_read_wrongly_is_forgiven_in_longer_texts_only_and_lowers_the_score() -> None:
    (one,) = found("19.O8.2025")
    assert one.area.box == (50, 20, 150, 30)
    assert one.score == pytest.approx(0.9)
    assert places("8B.4") == []  # two of four differ at best
    assert places("x5") == []
    (read,) = found("88.40")
    assert (read.score, read.label, read.mention) == (0.9, "“88.40”", 0)  # the reading's own


def test_boxes_end_at_the_picture() -> None:
    over = TextLine("edge", 1.0, (90, 0, 110, 10), (Word("edge", (90, 0, 110, 10)),))
    (one,) = text_candidates([over], [Mention("edge", "")], 10, 100)
    assert one.area.box == (90, 0, 100, 10)
    assert text_candidates([over], [Mention("edge", "")], 10, 80) == []
