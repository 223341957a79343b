"""Known word boxes: read from beside a picture, followed through windows and rescaling."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WordBox:
    """The box of a word or text line, pixels, half-open.

    Attributes:
        x0: first column.
        y0: first row.
        x1: column after the last.
        y1: row after the last.
    """

    x0: int
    y0: int
    x1: int
    y1: int


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
    kept. A word that lacks part of its height is no text line any more and is left out.

    Args:
        words: boxes in the picture's coordinates.
        y: first row of the window.
        x: first column of the window.
        height: rows of the window.
        width: columns of the window.
    """
    moved = (WordBox(max(w.x0 - x, 0), w.y0 - y, min(w.x1 - x, width), w.y1 - y) for w in words)
    return tuple(w for w in moved if w.x0 < w.x1 and w.y0 >= 0 and w.y1 <= height)


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
        WordBox(round(w.x0 * across), round(w.y0 * down), round(w.x1 * across), round(w.y1 * down)) for w in words
    )
    return tuple(w for w in resized if w.x0 < w.x1 and w.y0 < w.y1)
