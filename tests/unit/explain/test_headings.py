from __future__ import annotations

import itertools
import re
import time

import pytest

from omni_iml.explain import headings
from omni_iml.explain.answer import parse_answer

# As it was written first: it says what is meant, and takes the square of a row of marks.
MARKS = r"[\s>#*_`\-\u2022]*(?:\d+[.)]\s*)?[\s*_`]*"
LINE = re.compile(rf"^{MARKS}(?P<title>[A-Za-z][^:\n]{{0,60}}?)[\s*_`]*[:\uff1a][\s*_`]*(?P<rest>.*)$")
HEADING = re.compile(rf"^{MARKS}(?P<title>[A-Za-z][^:\n]{{0,60}}?)[\s*_`]*$")


@pytest.mark.parametrize("row", ["*", "_", " ", "\t", "`", "*_ ", "-", "1. ", "1", "1) *"])
@pytest.mark.parametrize("around", ["{}", "{}!", "a{}", "a{}!", "1.{}!", "a:{}!", "Content: cat\n{}", '{{"{}x": 1}}'])
def test_a_long_row_of_marks_is_read_in_no_time(row: str, around: str) -> None:
    text = around.format(row * (20_000 // len(row)))
    begin = time.process_time()
    parse_answer(text)
    assert time.process_time() - begin < 2


def test_lines_are_read_as_they_were() -> None:
    pieces = ["*", " ", "-", "12.", "3)", "7", "a b", ":", "\uff1a", "_"]
    for count in range(1, 6):
        for chosen in itertools.product(pieces, repeat=count):
            line = "".join(chosen)
            for now, then in ((headings._LINE, LINE), (headings._HEADING, HEADING)):
                found, meant = now.match(line), then.match(line)
                assert (found and found.groupdict()) == (meant and meant.groupdict()), line


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("tampered_region_2", "content"), ("Region12", "content"), ("region 3 4", None), ("Artifacts 0", "artifacts"),
        ("2", None), ("relative position", "relative"),
    ],
)  # fmt: skip
def test_a_title_may_have_a_number(title: str, field: str | None) -> None:
    assert headings.field_of(title) == field
