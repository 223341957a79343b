"""Known word boxes: read from beside a picture, followed through windows and rescaling."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Quad = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Corners ``(x, y)`` of a text that may be turned: start and end of its top, end and start of its bottom, as read."""


@dataclass(frozen=True)
class WordBox:
    """The box of a word or text line, pixels, half-open, with what is known of its letters.

    Attributes:
        x0: first column.
        y0: first row.
        x1: column after the last.
        y1: row after the last.
        text: what it says, empty where that is not known.
        font: the font file it is set in, with ``#`` and the face's number behind if the file has several; empty where
            that is not known.
        size: of the font's em in pixels; 0 where that is not known.
        slope: rows that its baseline falls with each column, where it has no corners.
        quad: corners of the text itself where it is turned or seen at an angle, inside the box; else none.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    text: str = ""
    font: str = ""
    size: float = 0.0
    slope: float = 0.0
    quad: Quad | None = None


def turned(quad: Quad) -> WordBox:
    """The word of these corners, with the upright box around them."""
    xs, ys = zip(*quad, strict=True)
    # A point at 3.2 lies in the column 3; one at 4.0 on that column's end.
    return WordBox(int(min(xs)), int(min(ys)), math.ceil(max(xs)), math.ceil(max(ys)), quad=quad)


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
        The upright boxes around the corners, with their texts. Lines without eight numbers and boxes without area are
        left out.
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
                text = ",".join(row[8:]).strip()
                found.append(WordBox(min(xs), min(ys), max(xs), max(ys), text))
    return tuple(word for word in found if word.x0 < word.x1 and word.y0 < word.y1)


def seen_through(words: Iterable[WordBox], y: int, x: int, height: int, width: int) -> tuple[WordBox, ...]:
    """The words that a window shows, in the window's coordinates.

    Lines of text are often wider than a training crop: what the window's left and right cut off is dropped and the rest
    kept, but no longer with a text, and only if it is at least as long as it is tall: a sliver may show no ink at all.
    A word that lacks part of its height is no text line any more and is left out. A turned word is cut across its own
    direction.

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
            cut = _cut(tuple((px - x, py - y) for px, py in w.quad), height, width)  # type: ignore[arg-type]
            seen += [replace(part, text=w.text if whole else "", font=w.font, size=w.size) for part, whole in cut]
        else:
            upright = replace(w, x0=max(w.x0 - x, 0), y0=w.y0 - y, x1=min(w.x1 - x, width), y1=w.y1 - y)
            kept, whole, tall = upright.x1 - upright.x0, w.x1 - w.x0, w.y1 - w.y0
            if kept < whole:
                upright = replace(upright, text="")
            seen += [upright] * (kept >= min(whole, tall) and upright.y0 >= 0 and upright.y1 <= height)
    return tuple(seen)


def _cut(quad: Quad, height: int, width: int) -> list[tuple[WordBox, bool]]:
    """The stretch of a turned word whose top and bottom are both inside, if that is at least as long as it is tall.

    Returns:
        At most one word, and whether that is all of it.
    """
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
    part = turned(
        (
            along(top, top_end, first, size),
            along(top, top_end, last, size),
            along(bottom, bottom_end, last, size),
            along(bottom, bottom_end, first, size),
        )
    )
    return [(part, (first, last) == (0.0, 1.0))]


def rescaled(words: Iterable[WordBox], down: float, across: float) -> tuple[WordBox, ...]:
    """The words after their picture was resized.

    Args:
        words: boxes before.
        down: new height over old height.
        across: new width over old width.

    Returns:
        Boxes rounded to whole pixels; those that vanish are left out.
    """
    resized = []
    for w in words:
        box = WordBox(round(w.x0 * across), round(w.y0 * down), round(w.x1 * across), round(w.y1 * down))
        if w.quad is not None:
            box = turned(tuple((x * across, y * down) for x, y in w.quad))  # type: ignore[arg-type]
        resized.append(replace(box, text=w.text, font=w.font, size=w.size * down, slope=w.slope * down / across))
    return tuple(w for w in resized if w.x0 < w.x1 and w.y0 < w.y1)


def warped(words: Iterable[WordBox], matrix: NDArray[Any]) -> tuple[WordBox, ...]:
    """The words after their picture was rotated or seen in perspective.

    Args:
        words: boxes before.
        matrix: float ``(3, 3)``, the homography that brings ``(column, row, 1)`` to its new place.

    Returns:
        The upright boxes around the moved corners, with the size and the slope that the letters have there; a box may
        lie outside the new picture.
    """
    known = list(words)
    if not known:
        return ()
    boxes = np.array([(w.x0, w.y0, w.x1, w.y1) for w in known], np.float64)
    corners = np.stack([boxes[:, [0, 1]], boxes[:, [2, 1]], boxes[:, [2, 3]], boxes[:, [0, 3]]], 1)  # (N, 4, 2)
    places = corners @ matrix[:, :2].T + matrix[:, 2]  # (N, 4, 3)
    places = places[..., :2] / places[..., 2:]  # (N, 4, 2): column, row
    low, high = np.floor(places.min(1)).astype(int).tolist(), np.ceil(places.max(1)).astype(int).tolist()
    along = places[:, 2] - places[:, 3]
    tall = np.linalg.norm(places[:, 3] - places[:, 0], axis=1) + np.linalg.norm(places[:, 2] - places[:, 1], axis=1)
    scales = (tall / 2 / (boxes[:, 3] - boxes[:, 1])).tolist()
    slopes = (along[:, 1] / along[:, 0]).tolist()
    return tuple(
        replace(w, x0=x0, y0=y0, x1=x1, y1=y1, size=w.size * scale, slope=slope)
        for w, (x0, y0), (x1, y1), scale, slope in zip(known, low, high, scales, slopes, strict=True)
    )
