"""Text lines of a picture, read by RapidOCR (extra explain), whose models come inside its package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omni_iml.types import Box, OmniError

_LEAST_SCORE = 0.8


class MissingReader(OmniError):  # noqa: N818 - named for what is missing
    """RapidOCR is not installed."""


@dataclass(frozen=True)
class Word:
    """A word of a line: its text and its upright box in pixels, half-open."""

    text: str
    box: Box


@dataclass(frozen=True)
class TextLine:
    """A line of text.

    Attributes:
        text: as read.
        score: of the reading, 0..1.
        box: upright box in pixels, half-open.
        words: from left to right.
    """

    text: str
    score: float
    box: Box
    words: tuple[Word, ...]


class TextReader:
    """Reads the text of pictures. Its models are loaded when it is made.

    Raises:
        MissingReader: RapidOCR is not installed.
    """

    def __init__(self) -> None:
        try:
            from rapidocr import RapidOCR
        except ModuleNotFoundError as error:
            raise MissingReader(
                f"Text cannot be read: {error.name} is not installed; run pip install 'omni-iml[explain]'."
            ) from error
        self._engine: Any = RapidOCR(params={"Global.log_level": "critical"})

    def read(self, pixels: NDArray[np.uint8]) -> tuple[TextLine, ...]:
        """Read a picture.

        Args:
            pixels: uint8 ``(H, W, 3)`` RGB, upright.

        Returns:
            Lines of text as a reader meets them: pieces side by side at one height are one line, from top to bottom.
        """
        found = self._engine(np.ascontiguousarray(pixels[:, :, ::-1]), return_word_box=True)
        if found is None or getattr(found, "boxes", None) is None or found.word_results is None:
            return ()
        pieces = []
        for quad, text, score, words in zip(found.boxes, found.txts, found.scores, found.word_results, strict=True):
            if score >= _LEAST_SCORE:
                read = tuple(Word(word[0], _upright(word[2])) for word in words if word[2] is not None)
                pieces.append(TextLine(str(text), float(score), _upright(quad), read))
        return joined(pieces)


def joined(pieces: Sequence[TextLine]) -> tuple[TextLine, ...]:
    """Join pieces that stand side by side: the reader cuts a line at its wide gaps.

    Args:
        pieces: in any order.

    Returns:
        Lines from top to bottom.
    """
    rows: list[list[TextLine]] = []
    for piece in sorted(pieces, key=lambda line: (line.box[1] + line.box[3], line.box[0])):
        for row in rows:
            if all(_level(piece.box, other.box) for other in row):
                row.append(piece)
                break
        else:
            rows.append([piece])
    return tuple(_line(sorted(row, key=lambda line: line.box[0])) for row in rows)


def _line(row: Sequence[TextLine]) -> TextLine:
    boxes = np.array([piece.box for piece in row])
    box = (*boxes[:, :2].min(0).tolist(), *boxes[:, 2:].max(0).tolist())
    words = tuple(word for piece in row for word in piece.words)
    return TextLine(" ".join(piece.text for piece in row), min(piece.score for piece in row), box, words)


def _level(box: Box, other: Box) -> bool:
    """Whether two boxes stand side by side: at one height, of like height, and not one over the other."""
    shared = min(box[3], other[3]) - max(box[1], other[1])
    heights = box[3] - box[1], other[3] - other[1]
    beside = min(box[2], other[2]) - max(box[0], other[0]) <= 0.2 * min(heights)
    return beside and shared > 0.6 * max(heights)


def _upright(quad: Any) -> Box:
    corners = np.asarray(quad, np.float64).reshape(-1, 2)
    (x0, y0), (x1, y1) = np.floor(corners.min(0)), np.ceil(corners.max(0))
    return int(x0), int(y0), int(x1), int(y1)
