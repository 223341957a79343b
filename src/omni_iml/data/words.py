"""Known word boxes: read from beside a picture, followed through windows and rescaling."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

Quad = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Corners ``(x, y)`` of a text that may be turned: start and end of its top, end and start of its bottom, as read."""


@dataclass(frozen=True)
class WordBox:
    """The box of a word or text line, pixels, half-open.

    Attributes:
        x0: first column.
        y0: first row.
        x1: column after the last.
        y1: row after the last.
        quad: corners of the text itself where it is turned or seen at an angle, inside the box; else none.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    quad: Quad | None = None


def turned(quad: Quad) -> WordBox:
    """The word of these corners, with the upright box around them."""
    xs, ys = zip(*quad, strict=True)
    # A point at 3.2 lies in the column 3; one at 4.0 on that column's end.
    return WordBox(int(min(xs)), int(min(ys)), math.ceil(max(xs)), math.ceil(max(ys)), quad)


def from_plain(row: Mapping[str, Any]) -> WordBox:
    """A word as JSON gives it back, with lists for its tuples."""
    quad = row["quad"]
    return WordBox(**{**row, "quad": quad and tuple((x, y) for x, y in quad)})


def boxes_file(picture: Path) -> Path:
    """Where a picture's word boxes lie, if there are any: ``<set>_boxes/<stem>.csv`` beside its set."""
    return picture.parent.with_name(picture.parent.name + "_boxes") / f"{picture.stem}.csv"


def read_words(boxes: Path) -> tuple[WordBox, ...]:
    """Read SROIE's form of word boxes: a line a text, eight corner numbers ``x, y, ...``, then the text itself.

    Args:
        boxes: the file; no file means no known words.

    Returns:
        The upright boxes around the corners. Lines without eight numbers and boxes without area are left out.
    """
    if not boxes.is_file():
        return ()
    found = []
    with boxes.open(newline="", encoding="utf-8", errors="replace") as file:
        # The texts are not escaped: a quotation mark in one is a character and does not open a quoted field.
        for row in csv.reader(file, quoting=csv.QUOTE_NONE):
            try:
                corners = [int(value) for value in row[:8]]
            except ValueError:
                continue
            if len(corners) == 8:
                xs, ys = corners[::2], corners[1::2]
                found.append(WordBox(min(xs), min(ys), max(xs), max(ys)))
    return tuple(word for word in found if word.x0 < word.x1 and word.y0 < word.y1)


def seen_through(words: Iterable[WordBox], y: int, x: int, height: int, width: int) -> tuple[WordBox, ...]:
    """The words that a window shows, in the window's coordinates.

    Lines of text are often wider than a training crop: what the window's left and right cut off is dropped and the rest
    kept. A word that lacks part of its height is no text line any more and is left out. A turned word is cut across its
    own direction.

    Args:
        words: boxes in the picture's coordinates.
        y: first row of the window.
        x: first column of the window.
        height: rows of the window.
        width: columns of the window.
    """
    seen = []
    for w in words:
        if w.quad is not None:
            seen += _cut(tuple((px - x, py - y) for px, py in w.quad), height, width)  # type: ignore[arg-type]
        else:
            upright = replace(w, x0=max(w.x0 - x, 0), y0=w.y0 - y, x1=min(w.x1 - x, width), y1=w.y1 - y)
            seen += [upright] * (upright.x0 < upright.x1 and upright.y0 >= 0 and upright.y1 <= height)
    return tuple(seen)


def _cut(quad: Quad, height: int, width: int) -> list[WordBox]:
    """The stretch of a turned word whose top and bottom are both inside, if that is at least as long as it is tall."""
    top, top_end, bottom_end, bottom = quad
    first, last = 0.0, 1.0
    for start, end in ((top, top_end), (bottom, bottom_end)):
        for a, b, limit in ((start[0], end[0], width), (start[1], end[1], height)):
            if a == b:
                first = first if 0 <= a <= limit else 2.0
                continue
            entry, leave = sorted(((0 - a) / (b - a), (limit - a) / (b - a)))
            first, last = max(first, entry), min(last, leave)
    if (last - first) * math.dist(top, top_end) < math.dist(top, bottom):
        return []

    def along(
        start: tuple[float, float], end: tuple[float, float], share: float, limits: tuple[int, int]
    ) -> tuple[float, float]:
        x, y = (a + (b - a) * share for a, b in zip(start, end, strict=True))
        return min(max(x, 0.0), limits[0]), min(max(y, 0.0), limits[1])

    size = width, height
    return [
        turned(
            (
                along(top, top_end, first, size),
                along(top, top_end, last, size),
                along(bottom, bottom_end, last, size),
                along(bottom, bottom_end, first, size),
            )
        )
    ]


def rescaled(words: Iterable[WordBox], down: float, across: float) -> tuple[WordBox, ...]:
    """The words after their picture was resized.

    Args:
        words: boxes before.
        down: new height over old height.
        across: new width over old width.

    Returns:
        Boxes rounded to whole pixels; those that vanish are left out.
    """
    resized = (
        turned(tuple((x * across, y * down) for x, y in w.quad))  # type: ignore[arg-type]
        if w.quad is not None
        else replace(w, x0=round(w.x0 * across), y0=round(w.y0 * down), x1=round(w.x1 * across), y1=round(w.y1 * down))
        for w in words
    )
    return tuple(w for w in resized if w.x0 < w.x1 and w.y0 < w.y1)
