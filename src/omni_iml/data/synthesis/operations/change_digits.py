"""Digits changed within a number."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.synthesis.content import digit_places, digits_changed
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.ink import Ink, around, cells, union
from omni_iml.data.synthesis.lettering import Lettering, measure
from omni_iml.data.synthesis.operations.replace_text import told
from omni_iml.data.synthesis.operations.words_of import draw_words, first_edit, one_word, words_of
from omni_iml.data.synthesis.repaint import Page, draw_finish
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.words import WordBox
from omni_iml.types import Box

_TRIES, _SOURCES = 4, 8
_WELL = 0.55


@dataclass(frozen=True)
class ChangeDigits:
    """Change one to three digits of a number: drawn in the number's own face, or copied from elsewhere on the page.

    Attributes:
        most: digits that are changed at most.
        copied: probability that digits are copied from the page, where it has them in the same size.
    """

    practice: ClassVar[str] = "T-SROIE (Wang et al. 2022); DocTamper (Qu et al. 2023)"

    most: int = 3
    copied: float = 0.4

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        words = words_of(scene)
        tries = draw_words(rng, words, _has_digits)[:_TRIES]
        return first_edit(
            tries, lambda word: self._changed(rng, scene, word, words), "no number whose digits are known"
        )

    def _changed(self, rng: Generator, scene: Scene, word: WordBox, words: tuple[WordBox, ...]) -> Edit:
        word = one_word(rng, scene.pixels, word, _has_digits)
        lettering, ink, box = measure(rng, scene.pixels, word)
        if lettering.score < _WELL or not _has_digits(word):
            raise NothingToEdit("no number whose digits are known")
        places = digit_places(word.text)
        count = min(len(places), 1 + int(rng.choice(self.most, p=_falling(self.most))))
        chosen = tuple(sorted(int(p) for p in rng.choice(places, count, replace=False)))
        new = digits_changed(rng, word.text, chosen)
        page = Page(rng, scene.pixels, draw_finish(rng, whole=0.35))
        spans = _spans(word, lettering, ink, box)
        copied = 0
        for place in chosen:
            left, right = spans[place]
            cell = around(
                (int(np.floor(left)) - 1, word.y0 - 1, int(np.ceil(right)) + 1, word.y1 + 1), 0, self._shape(scene)
            )
            found = None
            if rng.random() < self.copied:
                found = _find_digit(rng, scene, words, word, new[place])
            if found is not None:
                cover, texture = _into(found, cell, lettering)
                page.repaint(cell, cell, cover, None, texture)
                copied += 1
                continue
            shift = (spans[place][1] - spans[place][0] - lettering.advance(new[place])) / 2
            at = left + shift
            target = around(union(cell, lettering.bounds(new[place], at)), 0, self._shape(scene))
            cover = lettering.cover(new[place], target, at)
            cover = lettering.softened(cover) if page.finish.matched_blur else cover * lettering.strength
            page.repaint(target, cell, cover, lettering.colour)
        did = {**told(word, word.text, new, lettering), "digits": list(chosen), "copied": copied, **page.finish.told()}
        return Edit(page.pixels, page.mask, did)

    @staticmethod
    def _shape(scene: Scene) -> tuple[int, ...]:
        return scene.pixels.shape


def _has_digits(word: WordBox) -> bool:
    return bool(digit_places(word.text))


def _falling(most: int) -> NDArray[np.float64]:
    shares = 0.5 ** np.arange(most)
    return np.asarray(shares / shares.sum(), np.float64)


def _spans(word: WordBox, lettering: Lettering, ink: Ink, box: Box) -> list[tuple[float, float]]:
    """Columns ``[start, end)`` of each character: by the face's advances, moved to runs of ink that agree."""
    ends = [lettering.x + lettering.advance(word.text[:k]) for k in range(len(word.text) + 1)]
    spans = list(pairwise(ends))
    runs = cells(ink.cover)
    seen = [k for k, character in enumerate(word.text) if not character.isspace()]
    if len(runs) == len(seen):
        for k, (a, b) in zip(seen, runs, strict=True):
            middle, half = box[0] + (a + b) / 2, (spans[k][1] - spans[k][0]) / 2
            if abs(middle - (spans[k][0] + half)) < 0.3 * lettering.size:
                spans[k] = (min(middle - half, box[0] + a - 0.5), max(middle + half, box[0] + b + 0.5))
    return spans


@dataclass(frozen=True)
class Glyph:
    """A digit as it stands elsewhere on the page.

    Attributes:
        cover: its ink, float32 ``(h, w)``.
        texture: what it adds to its paper, float32 ``(h, w, 3)``.
        baseline: row of its baseline in these arrays.
        middle: column of its middle.
    """

    cover: NDArray[np.float32]
    texture: NDArray[np.float32]
    baseline: float
    middle: float


def _find_digit(rng: Generator, scene: Scene, words: tuple[WordBox, ...], word: WordBox, digit: str) -> Glyph | None:
    """A digit of the same size elsewhere on the page, if one of some words that were looked at has it."""

    def fits(other: WordBox) -> bool:
        ratio = (other.size / word.size) if word.size and other.size else (other.y1 - other.y0) / (word.y1 - word.y0)
        return digit in other.text and other.font == word.font and other != word and abs(ratio - 1) < 0.05

    try:
        others = draw_words(rng, words, fits)[:_SOURCES]
    except NothingToEdit:
        return None
    for line in others[:2]:
        try:
            other = one_word(rng, scene.pixels, line, lambda part: digit in part.text)
            lettering, ink, box = measure(rng, scene.pixels, other)
        except NothingToEdit:
            continue
        if lettering.score < _WELL or digit not in other.text:
            continue
        place = other.text.index(digit)
        left, right = _spans(other, lettering, ink, box)[place]
        a, b = max(0, int(np.floor(left)) - box[0]), min(ink.cover.shape[1], int(np.ceil(right)) - box[0])
        if b - a < 2:
            continue
        pixels = scene.pixels[box[1] : box[3], box[0] + a : box[0] + b].astype(np.float32)
        baseline = lettering.y + (left - lettering.x) * lettering.slope - box[1]
        middle = (left + right) / 2 - box[0] - a
        return Glyph(ink.cover[:, a:b], pixels - ink.paper[:, a:b], float(baseline), float(middle))
    return None


def _into(glyph: Glyph, cell: Box, lettering: Lettering) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The glyph's ink and texture on a cell's pixels; whole pixels, so that it is not resampled."""
    x0, y0, x1, y1 = cell
    left = (x0 + x1) / 2
    dx = round(left - glyph.middle) - x0
    dy = round(lettering.y + (left - lettering.x) * lettering.slope - glyph.baseline) - y0
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    size = (x1 - x0, y1 - y0)
    cover = cv2.warpAffine(glyph.cover, matrix, size, flags=cv2.INTER_NEAREST)
    texture = cv2.warpAffine(glyph.texture, matrix, size, flags=cv2.INTER_NEAREST)
    return np.asarray(cover, np.float32), np.asarray(texture, np.float32)
