from __future__ import annotations

import pytest

from omni_iml.mllm.loops import loop_start


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("the edge is blurred. " + "the edge is blurred. " * 6, 21),
        ("Well, " + "no no, " * 20, 11),
        ("a" * 60, 1),
        ("tail without a loop " + "-" * 39, None),  # a rule, as Markdown has it
        ("one. two. three. four. five. six. " * 4, None),  # four times is a list
        ("", None),
        ("ordinary words that say something once", None),
        ("x" * 100 + " and then the answer goes on to an end.", None),  # only the end counts
    ],
)
def test_a_loop_is_found_where_it_begins(text: str, start: int | None) -> None:
    assert loop_start(text) == start


def test_tokens_loop_as_characters_do() -> None:
    assert loop_start([7, *[1, 2, 3] * 20]) == 4
    assert loop_start(list(range(500))) is None
