"""A whole line typed again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from numpy.random import Generator

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.content import other_text
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.ink import around
from omni_iml.data.synthesis.lettering import Lettering, measure
from omni_iml.data.synthesis.operations.replace_text import told
from omni_iml.data.synthesis.operations.words_of import draw_words, first_edit, hull, line_of, words_of
from omni_iml.data.synthesis.repaint import Page, draw_finish
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.words import WordBox
from omni_iml.types import Box

_TRIES = 4


@dataclass(frozen=True)
class RetypeLine:
    """Take a line away and type it again with one word or number changed, so that all of it looks alike.

    Attributes:
        like: probability of a face that is only like the page's, where the page's own is known.
        words: most words of a line that are typed again.
    """

    practice: ClassVar[str] = "RTM (Luo et al. 2024)"

    like: float = 0.35
    words: int = 8

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        words = words_of(scene)
        page = Page(rng, scene.pixels, draw_finish(rng, whole=0.6))
        tries = draw_words(rng, words)[:_TRIES]
        return first_edit(tries, lambda word: self._typed(rng, page, word, words), "no line whose face is known")

    def _typed(self, rng: Generator, page: Page, word: WordBox, words: tuple[WordBox, ...]) -> Edit:
        lettering, _, _ = measure(rng, page.before, word)
        if lettering.score == 0:  # typed in a face that was guessed, a whole line deceives nobody
            raise NothingToEdit("no line whose face is known")
        line = line_of(word, words)
        first = max(0, min(line.index(word), len(line) - self.words))
        line = line[first : first + self.words]
        style = lettering
        if lettering.score and rng.random() < self.like and (alike := fonts.like(lettering.face, word.text, 4)):
            style = lettering.in_face(alike[int(rng.integers(len(alike)))].name)
        changed = int(rng.integers(len(line)))
        typed = []
        for number, one in enumerate(line):
            wide = float(one.x1 - one.x0)
            text = one.text if fonts.draws(style.face, one.text) else ""
            new = text if text and number != changed else other_text(rng, text, style.face, wide, style.advance)
            if not fonts.draws(style.face, new):
                raise NothingToEdit("no line whose face is known")
            typed.append(new)
        full: Box = around(hull(line), 1, page.before.shape)
        if abs(lettering.slope) < 0.01:
            page.repaint(full, full)
        for one, new in zip(line, typed, strict=True):
            box = around((one.x0, one.y0, one.x1, one.y1), 1, page.before.shape)
            if abs(lettering.slope) >= 0.01:
                page.repaint(box, box)
            self._set(page, one, new, style)
        new_text = " ".join(typed)
        did = {**told(word, " ".join(one.text for one in line), new_text, style), "words": len(line)}
        return Edit(page.pixels, page.mask, {**did, **page.finish.told()})

    @staticmethod
    def _set(page: Page, one: WordBox, new: str, style: Lettering) -> None:
        here = replace(style, x=float(one.x0), y=style.y + (one.x0 - style.x) * style.slope)
        here = replace(here, stretch=here.stretch * min(1.1, (one.x1 - one.x0 + 2) / max(1.0, here.advance(new))))
        box = around(here.bounds(new), 0, page.before.shape)
        cover = here.cover(new, box)
        cover = here.softened(cover) if page.finish.matched_blur else cover * here.strength
        page.ink(box, cover, here.colour)
