"""The words that an operation may work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.random import Generator

from omni_iml.data.finding.words import find_words
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.ink import around, cells, separate
from omni_iml.data.synthesis.pixels import Pixels
from omni_iml.data.synthesis.scene import Scene
from omni_iml.data.words import WordBox

_SMALLEST, _TALLEST = 7, 130  # pixels in height


def words_of(scene: Scene) -> tuple[WordBox, ...]:
    """The words of a scene that can be read; found on the pixels where none are known.

    Raises:
        NothingToEdit: there is none.
    """
    height, width = scene.pixels.shape[:2]
    known = scene.words or find_words(scene.pixels)
    usable = tuple(
        word
        for word in known
        if _SMALLEST <= word.y1 - word.y0 <= _TALLEST
        and word.x1 - word.x0 >= 4
        and 0 <= word.x0 < word.x1 <= width
        and 0 <= word.y0 < word.y1 <= height
    )
    # Found "words" much larger or smaller than most are figures, rules and dirt as often as text.
    found = [word.y1 - word.y0 for word in usable if not word.text]
    usual = float(np.median(found)) if found else 0.0
    usable = tuple(word for word in usable if word.text or word.font or 0.6 < (word.y1 - word.y0) / usual < 1.7)
    # Of a rendered word that the picture's edge cut, only a part is there, in letters that are no longer known.
    whole = tuple(word for word in usable if word.text or not word.font)
    if not whole:
        raise NothingToEdit("no word that can be read")
    return whole


def draw_words(
    rng: Generator, words: tuple[WordBox, ...], wanted: Callable[[WordBox], bool] = lambda word: True
) -> list[WordBox]:
    """The wanted words in an order drawn at random; figures come first more often than not, for they are worth more."""
    chosen = [word for word in words if wanted(word)]
    if not chosen:
        raise NothingToEdit("no word that can be read")
    merit = np.array([1.0 + 1.5 * any(c.isdigit() for c in word.text) for word in chosen])
    order = rng.choice(len(chosen), len(chosen), replace=False, p=merit / merit.sum())
    return [chosen[int(k)] for k in order]


def first_edit(words: list[WordBox], attempt: Callable[[WordBox], Edit], otherwise: str) -> Edit:
    """What becomes of the first word that can be edited.

    Args:
        words: in the order in which they are tried.
        attempt: edits a word, or raises `NothingToEdit`.
        otherwise: the cause where none can be.

    Raises:
        NothingToEdit: none can be.
    """
    for word in words:
        try:
            return attempt(word)
        except NothingToEdit:
            continue
    raise NothingToEdit(otherwise)


def one_word(
    rng: Generator, pixels: Pixels, word: WordBox, wanted: Callable[[WordBox], bool] = lambda word: True
) -> WordBox:
    """A wanted word of a line that is known as a whole only: its gaps are where the widest gaps in the ink are.

    Args:
        rng: draws one of the words.
        pixels: the page.
        word: a word, or a line.
        wanted: which words of the line may be drawn.

    Returns:
        The word; one that is known by itself is its own, and of a line whose gaps do not agree with its text nothing is
        known but the box.
    """
    texts = word.text.split()
    if word.font or len(texts) < 2:
        return word
    box = around((word.x0, word.y0, word.x1, word.y1), 2, pixels.shape)
    runs = cells(separate(pixels[box[1] : box[3], box[0] : box[2]]).cover)
    gaps = np.array([after[0] - before[1] for before, after in pairwise(runs)])
    if len(gaps) < len(texts):
        return replace(word, text="")
    order = np.argsort(-gaps, kind="stable")
    between = np.sort(order[: len(texts) - 1])
    if gaps[order[len(texts) - 2]] < 1.25 * gaps[order[len(texts) - 1]]:
        return replace(word, text="")
    starts = [runs[0][0], *(runs[k + 1][0] for k in between.tolist())]
    ends = [*(runs[k][1] for k in between.tolist()), runs[-1][1]]
    parts = [
        replace(word, x0=box[0] + start, x1=box[0] + end, text=text)
        for start, end, text in zip(starts, ends, texts, strict=True)
    ]
    chosen = [part for part in parts if wanted(part)]
    return chosen[int(rng.integers(len(chosen)))] if chosen else replace(word, text="")


def line_of(word: WordBox, words: tuple[WordBox, ...]) -> list[WordBox]:
    """The words of a word's line, from left to right: beside it, equally tall and not far from each other."""
    tall = word.y1 - word.y0

    def beside(other: WordBox) -> bool:
        drop = word.slope * ((other.x0 + other.x1) - (word.x0 + word.x1)) / 2
        shared = min(other.y1, word.y1 + drop) - max(other.y0, word.y0 + drop)
        return shared > 0.5 * min(tall, other.y1 - other.y0) and 0.5 < (other.y1 - other.y0) / tall < 2

    row = sorted((other for other in words if beside(other)), key=lambda other: other.x0)
    at = row.index(word)
    first = last = at
    while first > 0 and row[first].x0 - row[first - 1].x1 < 1.6 * tall:
        first -= 1
    while last + 1 < len(row) and row[last + 1].x0 - row[last].x1 < 1.6 * tall:
        last += 1
    return row[first : last + 1]


def hull(words: list[WordBox]) -> tuple[int, int, int, int]:
    """The box around words."""
    return (
        min(word.x0 for word in words),
        min(word.y0 for word in words),
        max(word.x1 for word in words),
        max(word.y1 for word in words),
    )
