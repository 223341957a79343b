"""Mentioned text found again among the text lines that were read: the paper's way for documents and scene text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from omni_iml.evidence.text_lines import TextLine, TextReader
from omni_iml.explain.refine.areas import whole
from omni_iml.explain.refine.rule import Candidate, Mention
from omni_iml.types import Box

_SHORTEST_ALIKE = 4  # characters; shorter texts must be found as they are
_LEAST_ALIKE = 80.0  # of 100
_ELSEWHERE = re.compile(r"\b(above|below|under|over|beside|next|between|left|right|near)\b", re.IGNORECASE)


class TextFinder:
    """Finds mentions by reading the picture.

    Args:
        reader: that does.
    """

    name = "rapidocr"

    def __init__(self, reader: TextReader) -> None:
        self._reader = reader

    def find(self, pixels: NDArray[np.uint8], mentions: Sequence[Mention]) -> list[Candidate]:
        """Read a picture and find what is mentioned.

        Args:
            pixels: uint8 ``(H, W, 3)`` RGB, upright.
            mentions: what an explanation names.

        Returns:
            The places of each mention; see `text_candidates`.
        """
        if not any(mention.content for mention in mentions):
            return []
        return text_candidates(self._reader.read(pixels), mentions, *pixels.shape[:2])


def text_candidates(lines: Sequence[TextLine], mentions: Sequence[Mention], height: int, width: int) -> list[Candidate]:
    """Find mentioned text in lines.

    Case, blanks and full or half width do not matter. Every place that reads as the mention counts; if there is none,
    and the mention has four characters or more, the most similar piece of each line from 80 of 100 on. Places in the
    line that holds the mention, by its relative position, come before all others.

    Args:
        lines: as read.
        mentions: what an explanation names.
        height: of the picture, in pixels.
        width: likewise.

    Returns:
        Boxes as candidates, scored by the reading and the likeness of the texts. A word's characters are given equal
        widths.
    """
    spelled = [_spelled(line) for line in lines]
    found: list[Candidate] = []
    for number, mention in enumerate(mentions):
        wanted = _folded(mention.content)
        if not wanted:
            continue
        named = [line for line in spelled if _is_named(line, mention.relative)]
        places = _places(wanted, named) or _places(wanted, spelled)
        for line, start, end, alike in places:
            area = whole(line.box(start, end), height, width)
            if area is not None:
                found.append(Candidate(area, alike * line.score, number, f"“{line.text[start:end]}”"))
    return found


@dataclass(frozen=True)
class _Line:
    """A line without blanks, folded, with a box for each character."""

    text: str
    boxes: tuple[Box, ...]
    score: float

    def box(self, start: int, end: int) -> Box:
        edges = np.array(self.boxes[start:end])
        return (*edges[:, :2].min(0).tolist(), *edges[:, 2:].max(0).tolist())


def _spelled(line: TextLine) -> _Line:
    letters: list[str] = []
    boxes: list[Box] = []
    for word in line.words:
        x0, y0, x1, y1 = word.box
        pitch = (x1 - x0) / max(1, len(word.text))
        for at, letter in enumerate(word.text):
            own = (round(x0 + at * pitch), y0, round(x0 + (at + 1) * pitch), y1)
            for part in _folded(letter):
                letters.append(part)
                boxes.append(own)
    return _Line("".join(letters), tuple(boxes), line.score)


def _folded(text: str) -> str:
    """Without case, width and blanks, as `omni_iml.metrics.texts.ocr_accuracy` compares."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _is_named(line: _Line, relative: str) -> bool:
    """Whether a relative position says that the mention is in that line."""
    if len(line.text) < _SHORTEST_ALIKE or _ELSEWHERE.search(relative.partition(":")[0]):
        return False
    return fuzz.partial_ratio(line.text, _folded(relative)) >= _LEAST_ALIKE


def _places(wanted: str, lines: Sequence[_Line]) -> list[tuple[_Line, int, int, float]]:
    """Line, first and last character (half-open) and likeness, 0..1."""
    exact = [(line, at, at + len(wanted), 1.0) for line in lines for at in _occurrences(wanted, line.text)]
    if exact or len(wanted) < _SHORTEST_ALIKE:
        return exact
    alike = []
    for line in lines:
        if len(line.text) >= _SHORTEST_ALIKE:
            match = fuzz.partial_ratio_alignment(wanted, line.text, score_cutoff=_LEAST_ALIKE)
            if match is not None and match.dest_end > match.dest_start:
                alike.append((line, match.dest_start, match.dest_end, match.score / 100))
    return alike


def _occurrences(wanted: str, text: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)
