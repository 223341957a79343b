"""JSON in what a model wrote: in fences, between words, several values, with Python's quotes, cut off at the end."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

_CLOSING = {"{": "}", "[": "]"}
_DEEPEST = 40
"""Nesting beyond which a text is no answer; deeper ones would exhaust the stack of the parsers."""


@dataclass(frozen=True)
class Value:
    """One value.

    Attributes:
        value: a dict or a list; a dict's value is a list where its key stood there more than once.
        start: where it begins in the text.
        end: behind where it ends.
        strict: it is JSON as the standard has it.
        cut_off: the text ends before it does; what was there of the last string is kept.
    """

    value: dict[str, Any] | list[Any]
    start: int
    end: int
    strict: bool = True
    cut_off: bool = False


def json_values(text: str) -> list[Value]:
    """The objects and lists of a text, in order; what is inside of one is not given again.

    Args:
        text: anything.

    Returns:
        The values that could be read; none is made up, and a text without JSON has none.
    """
    found: list[Value] = []
    at, cut_tried = 0, False
    while at < len(text):
        if text[at] not in _CLOSING:
            at += 1
            continue
        end = _end(text, at)
        value = _whole(text, at, end) if end is not None else None
        if value is None and end is None and not cut_tried:
            cut_tried = True  # what is open here is open in all that follows: one try is enough
            value = _cut_off(text, at)
        if value is None:
            at += 1
            continue
        found.append(value)
        at = value.end
    return found


def _end(text: str, start: int) -> int | None:
    """Behind the bracket that closes the one at ``start``; None where the text ends before, or is nested too deeply."""
    open_: list[str] = []
    quoted = False
    at = start
    while at < len(text):
        letter = text[at]
        if quoted:
            if letter == "\\":
                at += 1
            elif letter == '"':
                quoted = False
        elif letter == '"':
            quoted = True
        elif letter in _CLOSING:
            open_.append(_CLOSING[letter])
            if len(open_) > _DEEPEST:
                return None
        elif letter in "}]":
            if open_.pop() != letter:
                return start + 1  # crossed brackets: nothing that could be read begins here
            if not open_:
                return at + 1
        at += 1
    return None


def _whole(text: str, start: int, end: int) -> Value | None:
    inside = text[start:end]
    try:
        return Value(json.loads(inside, object_pairs_hook=_pairs, strict=False), start, end)
    except (ValueError, RecursionError):
        pass
    try:
        value = ast.literal_eval(inside)  # Python's quotes, trailing commas
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    return Value(value, start, end, strict=False) if isinstance(value, dict | list) else None


def _cut_off(text: str, start: int) -> Value | None:
    try:
        value = from_json(text[start:], allow_partial="trailing-strings")
    except ValueError:
        return None
    if not isinstance(value, dict | list) or not value:
        return None
    return Value(value, start, len(text), strict=False, cut_off=True)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dict in which nothing is lost: a key that comes twice has the list of its values."""
    found: dict[str, Any] = {}
    seen: dict[str, list[Any]] = {}
    for key, value in pairs:
        seen.setdefault(key, []).append(value)
        found[key] = value if len(seen[key]) == 1 else seen[key]
    return found
