"""Rows checked one by one: what is wrong is named with its file, row and field, and the other rows go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from omni_iml.annotate.schema import Annotation
from omni_iml.text import plain
from omni_iml.types import OmniError


class WrongAnnotations(OmniError):  # noqa: N818 - named for what is wrong
    """A file of annotations that cannot be read at all."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field of one row.

    Attributes:
        place: file and row, for example ``omni.jsonl, line 17``.
        field: the way to the field, for example ``instances[2].Absolute Position``; "" for the row as a whole.
        cause: what is wrong, with the way out.
    """

    place: str
    field: str
    cause: str

    def __str__(self) -> str:
        return f"{self.place}: {self.field}: {self.cause}" if self.field else f"{self.place}: {self.cause}"


Report = Callable[[Problem], None]
"""Takes problems as they are found."""


def checked(rows: Iterable[tuple[str, Mapping[str, Any] | Problem]], report: Report) -> Iterator[Annotation]:
    """Give the rows that are valid, and report all that is wrong with the others.

    Args:
        rows: each with its place; a row that could not even be read is its `Problem`.
        report: takes each problem.

    Yields:
        Valid rows, in order.
    """
    for place, row in rows:
        if isinstance(row, Problem):
            report(row)
            continue
        try:
            yield Annotation.model_validate(row)
        except ValidationError as error:
            for problem in problems(error, place):
                report(problem)


def problems(error: ValidationError, place: str) -> list[Problem]:
    """What pydantic found, as problems.

    Args:
        error: of one row.
        place: of that row.

    Returns:
        One problem a field, in the order of the fields.
    """
    items = error.errors(include_url=False)
    return [Problem(place, _way(item["loc"]), _cause(item)) for item in items if not _follows(item, items)]


def _follows(item: Any, items: list[Any]) -> bool:
    """Whether a list is called too short only because what is in it is wrong."""
    depth = len(item["loc"])
    return item["type"] == "too_short" and any(
        len(other["loc"]) > depth and other["loc"][:depth] == item["loc"] for other in items
    )


def _way(location: tuple[int | str, ...]) -> str:
    way = ""
    for part in location:
        if isinstance(part, int):
            way += f"[{part}]"
        elif part != "[key]":
            way += f".{plain(part)}" if way else plain(part)
    return way


def _cause(item: Any) -> str:
    if item["type"] == "value_error":  # our own sentence, which names the value
        return str(item["ctx"]["error"])
    if item["type"] == "missing":
        return "is missing; add it."
    return f"{item['msg'][0].lower()}{item['msg'][1:]}, but it is {plain(repr(item['input']))[:80]}."
