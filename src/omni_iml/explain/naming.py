"""What a region is called and where it stands: by the text in and around it, or by what else was measured.

Objects are not recognised here: that is the work of a language model. A region without text is called by its size, and
its relative position says what lies next to it of what is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omni_iml.evidence.text_lines import TextLine, Word
from omni_iml.types import Box, Region

_COVERED = 0.5  # of a word that the region covers, or of the region that the word does


def name_of(region: Region, lines: Sequence[TextLine]) -> str:
    """The text in a region as read, or its size in words.

    Args:
        region: in displayed pixels.
        lines: what was read.
    """
    words = [read for line in lines for word in covered(line, region.box) if (read := _covered_text(word, region.box))]
    if words:
        return " ".join(words)
    x0, y0, x1, y1 = region.box
    return f"A region of {x1 - x0}x{y1 - y0} pixels, {region.area_share:.1%} of the picture"


def covered(line: TextLine, box: Box) -> list[Word]:
    """The words of a line that a box covers for the better part, or that cover the better part of the box."""
    return [
        word for word in line.words if _shared(word.box, box) >= _COVERED * max(1, min(_area(word.box), _area(box)))
    ]


def _covered_text(word: Word, box: Box) -> str:
    """The characters of a word whose middle lies in a box, each being given the same width."""
    x0, x1 = word.box[0], word.box[2]
    pitch = (x1 - x0) / max(1, len(word.text))
    return "".join(letter for at, letter in enumerate(word.text) if box[0] <= x0 + (at + 0.5) * pitch < box[2])


def line_of(region: Region, lines: Sequence[TextLine]) -> TextLine | None:
    """The text line that a region belongs to: the one with the largest intersection over union (appendix D.1)."""
    best = max(lines, key=lambda line: _iou(line.box, region.box), default=None)
    return best if best is not None and covered(best, region.box) else None


def in_text(region: Region, unread: Sequence[Box]) -> bool:
    """Whether text that was not read covers the better part of a region."""
    shared = sum(_shared(box, region.box) for box in unread)
    return shared >= _COVERED * _area(region.box)


def place_of(
    region: Region,
    lines: Sequence[TextLine],
    unread: Sequence[Box],
    others: Sequence[Box],
    source: tuple[float, float] | None,
    width: int,
    height: int,
) -> str:
    """The text line that holds a region, or where it lies to what is known near it.

    Args:
        region: in displayed pixels.
        lines: what was read.
        unread: boxes of text that was found and not read.
        others: boxes of the other regions.
        source: middle of the place it was copied from, where there is one.
        width: of the picture.
        height: likewise.
    """
    line = line_of(region, lines)
    if line is not None:
        return f"In the text line: {line.text}"
    if source is not None:
        way = _direction(region.box, (*source, *source))
        return f"{way} the place that it repeats, at {source[0]:.0f}, {source[1]:.0f}"
    if in_text(region, unread):
        return "In text that was not read"
    if lines:
        near = min(lines, key=lambda line: _gap(line.box, region.box))
        return f"{_direction(region.box, near.box)} the text line: {near.text}"
    if others:
        other = min(others, key=lambda box: _gap(box, region.box))
        size = f"{other[2] - other[0]}x{other[3] - other[1]}"
        return f"{_direction(region.box, other)} another region, of {size} pixels"
    x0, y0, x1, y1 = region.box
    edges = {"left": x0, "upper": y0, "right": width - x1, "lower": height - y1}
    edge = min(edges, key=lambda name: edges[name])
    return f"{edges[edge]} pixels from the {edge} edge of the image"


def _direction(box: Box, other: Sequence[float]) -> str:
    x = (box[0] + box[2] - other[0] - other[2]) / 2
    y = (box[1] + box[3] - other[1] - other[3]) / 2
    if abs(x) > abs(y):
        return "To the right of" if x > 0 else "To the left of"
    return "Below" if y > 0 else "Above"


def _gap(box: Box, other: Box) -> float:
    across = max(0, max(box[0], other[0]) - min(box[2], other[2]))
    down = max(0, max(box[1], other[1]) - min(box[3], other[3]))
    return float(np.hypot(across, down))


def _area(box: Box) -> int:
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])


def _shared(box: Box, other: Box) -> int:
    return _area((max(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), min(box[3], other[3])))


def _iou(box: Box, other: Box) -> float:
    shared = _shared(box, other)
    return shared / max(1, _area(box) + _area(other) - shared)
