"""Text lines of a picture, read by RapidOCR (extra explain), whose models come inside its package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omni_iml.text import plain
from omni_iml.types import Box, OmniError

SCRIPTS = "the reader knows Chinese and Latin letters."
"""What its models were taught, for people."""

_LEAST_SCORE = 0.8
_THINNEST = 8
"""Longest side over shortest. RapidOCR enlarges the shortest to 736 pixels, and refuses pictures from 125 on."""


class MissingReader(OmniError):  # noqa: N818 - named for what is missing
    """RapidOCR is not installed."""


class UnreadableText(OmniError):  # noqa: N818 - twin of UnreadableImage
    """RapidOCR failed at a picture."""


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

        Raises:
            UnreadableText: the library failed.
        """
        return joined(_pieces(self._run(pixels, use_rec=True, return_word_box=True)))

    def unread(self, pixels: NDArray[np.uint8], lines: Sequence[TextLine]) -> tuple[Box, ...]:
        """Find text that was not read, as in a script that the models do not know.

        Args:
            pixels: uint8 ``(H, W, 3)`` RGB, upright.
            lines: what was read there.

        Returns:
            Boxes of what looks like text, for the better part outside the lines.

        Raises:
            UnreadableText: the library failed.
        """
        # A result of both steps leaves out what was found and not read.
        found = self._run(pixels, use_rec=False)
        quads = getattr(found, "boxes", None)
        boxes = [] if quads is None else [_upright(quad) for quad in quads]
        known = np.zeros(pixels.shape[:2], bool)
        for x0, y0, x1, y1 in (line.box for line in lines):
            known[max(0, y0) : y1, max(0, x0) : x1] = True
        parts = ((box, known[max(0, box[1]) : box[3], max(0, box[0]) : box[2]]) for box in boxes)
        return tuple(box for box, part in parts if part.size and part.mean() < 0.5)

    def _run(self, pixels: NDArray[np.uint8], **how: bool) -> Any:
        # It remembers what it was asked for last, so each call says everything.
        bgr = np.ascontiguousarray(_thick(pixels)[:, :, ::-1])
        try:
            return self._engine(bgr, use_det=True, use_cls=how["use_rec"], **how)
        except Exception as error:  # whatever its libraries raise: there is no list of it
            cause = plain(str(error)) or type(error).__name__
            raise UnreadableText(f"The text was not read: rapidocr failed ({cause}).") from error


def _thick(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture, its right or lower edge repeated where it is too thin a strip to be read."""
    height, width = pixels.shape[:2]
    more = [max(0, -(-other // _THINNEST) - side) for side, other in ((height, width), (width, height))]
    return np.pad(pixels, ((0, more[0]), (0, more[1]), (0, 0)), "edge") if any(more) else pixels


def _pieces(found: Any) -> list[TextLine]:
    """What RapidOCR returns, whichever of its forms it takes: without boxes, or without words, as on a blank page."""
    quads, texts = getattr(found, "boxes", None), getattr(found, "txts", None)
    if quads is None or texts is None:
        return []
    words = getattr(found, "word_results", None) or ()
    if len(words) != len(texts):
        # It leaves out lines whose words it cannot place, and does not say which.
        words = [()] * len(texts)
    pieces = []
    for quad, text, score, parts in zip(quads, texts, found.scores, words, strict=True):
        if score >= _LEAST_SCORE:
            placed = tuple(Word(part[0], _upright(part[2])) for part in parts if part[2] is not None)
            box = _upright(quad)
            pieces.append(TextLine(str(text), float(score), box, placed or (Word(str(text), box),)))
    return pieces


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
