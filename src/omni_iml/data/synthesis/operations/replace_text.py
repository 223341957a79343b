"""A word replaced by another one, set as the page sets it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from numpy.random import Generator

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.content import other_text
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.ink import around, cells, union
from omni_iml.data.synthesis.lettering import Lettering, measure
from omni_iml.data.synthesis.operations.words_of import draw_words, first_edit, one_word, words_of
from omni_iml.data.synthesis.repaint import Page, draw_finish
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.words import WordBox

_TRIES = 3


@dataclass(frozen=True)
class ReplaceText:
    """Take a word away and set another one, or another number, in its place: same baseline, ink, size and sharpness.

    Attributes:
        like: probability of a face that is only like the page's, where the page's own is known.
        widest: how much wider than the old word the new one may be, where the page has room, as a share.
    """

    practice: ClassVar[str] = "DocTamper (Qu et al. 2023)"

    like: float = 0.25
    widest: float = 0.35

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        words = words_of(scene)
        tries = draw_words(rng, words)[:_TRIES]
        return first_edit(tries, lambda word: self._replaced(rng, scene, word, words), "no word that can be set again")

    def _replaced(self, rng: Generator, scene: Scene, word: WordBox, words: tuple[WordBox, ...]) -> Edit:
        line = word
        word = one_word(rng, scene.pixels, word)
        lettering, ink, box = measure(rng, scene.pixels, word)
        page = Page(rng, scene.pixels, draw_finish(rng))
        text = word.text if lettering.score or len(word.text.split()) == 1 else ""
        start = float(lettering.x)
        width = lettering.advance(text) if text and lettering.score else float(word.x1 - word.x0)
        if not text and width > 7 * (word.y1 - word.y0):  # a line whose text is not known: the last characters of it
            runs = cells(ink.cover)
            keep = runs[-int(rng.integers(3, 9)) :] if len(runs) > 8 else runs
            start, width = float(box[0] + keep[0][0]), float(keep[-1][1] - keep[0][0])
        style = lettering
        if lettering.score and rng.random() < self.like and (alike := fonts.like(lettering.face, text or "0", 4)):
            style = lettering.in_face(alike[int(rng.integers(len(alike)))].name)
        new = other_text(rng, text, style.face, width, style.advance)
        if not fonts.draws(style.face, new):
            raise NothingToEdit("no word that can be set again")
        length = style.advance(new)
        space = style.advance(" ") if lettering.score else 0.3 * (word.y1 - word.y0)
        inside = word.x1 < line.x1 - 2
        room = width * 1.06 if inside else self._room(word, words, start, width, scene.pixels.shape[1], space)
        if length > room:
            style = replace(style, stretch=style.stretch * max(0.7, room / length))
            length = style.advance(new)
        if lettering.score == 0:  # an unknown word: keep to the box it filled
            style = replace(style, stretch=style.stretch * min(1.15, max(0.8, width / max(length, 1.0))))
        style = replace(style, y=style.y + (start - style.x) * style.slope, x=start)
        old = (int(start) - 1, word.y0 - 1, int(start + width) + 2, word.y1 + 1)
        target = union(around(old, 0, scene.pixels.shape), around(style.bounds(new), 0, scene.pixels.shape))
        cover = style.cover(new, target)
        cover = style.softened(cover) if page.finish.matched_blur else cover * style.strength
        page.repaint(target, old, cover, lettering.colour)
        return Edit(page.pixels, page.mask, {**told(word, text, new, style), **page.finish.told()})

    def _room(
        self,
        word: WordBox,
        words: tuple[WordBox, ...],
        start: float,
        width: float,
        page: int,
        space: float,
    ) -> float:
        nexts = [w.x0 for w in words if w.x0 >= word.x1 and w.y0 < word.y1 and w.y1 > word.y0]
        return min((min(nexts) - space if nexts else page - 2.0) - start, width * (1 + self.widest))


def told(word: WordBox, text: str, new: str, style: Lettering) -> dict[str, Any]:
    """Plain values of what was written, for the sample's JSON."""
    return {
        "box": [word.x0, word.y0, word.x1, word.y1],
        "text": text,
        "new_text": new,
        "font": style.face.replace("\\", "/").rsplit("/", 1)[-1],
        "size_pixels": round(style.size, 2),
        "match": round(style.score, 3),
    }
