"""Text set where there was none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from numpy.random import Generator

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.content import other_text
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.ink import around
from omni_iml.data.synthesis.lettering import measure
from omni_iml.data.synthesis.operations.replace_text import told
from omni_iml.data.synthesis.operations.words_of import draw_words, first_edit, line_of, one_word, words_of
from omni_iml.data.synthesis.repaint import Page, draw_finish
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.words import WordBox

_TRIES = 5


@dataclass(frozen=True)
class InsertText:
    """Set words into blank space, as the words beside it are set: after a line, below one, or somewhere.

    Attributes:
        most: words that are set at most.
    """

    practice: ClassVar[str] = "DocTamper (Qu et al. 2023)"

    most: int = 3

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        words = words_of(scene)
        page = Page(rng, scene.pixels, draw_finish(rng, whole=0.25))
        tries = draw_words(rng, words)[:_TRIES]
        return first_edit(tries, lambda word: self._inserted(rng, page, word, words), "no blank place beside a word")

    def _inserted(self, rng: Generator, page: Page, word: WordBox, words: tuple[WordBox, ...]) -> Edit:
        lettering, _, _ = measure(rng, page.before, one_word(rng, page.before, word))
        wide, tall = word.x1 - word.x0, word.y1 - word.y0
        text = word.text if lettering.score else ""
        count = int(rng.integers(1, self.most + 1)) if not text or not text[:1].isdigit() else 1
        parts = [part for part in text.split(" ") if part] or [""]
        new = " ".join(
            other_text(rng, parts[int(rng.integers(len(parts)))], lettering.face, wide, lettering.advance)
            for _ in range(count)
        )
        if not fonts.draws(lettering.face, new):
            raise NothingToEdit("no blank place beside a word")
        line = line_of(word, words)
        gap, leading = 0.4 * tall, tall * float(rng.uniform(1.4, 2.0))
        ends = [
            (line[-1].x1 + gap, 0.0),
            (float(word.x0), leading),
            (float(line[0].x0), leading),
            (float(word.x0), -leading),
        ]
        order = [int(k) for k in rng.permutation(len(ends))]
        places = [(x, lettering.y + drop + (x - lettering.x) * lettering.slope) for x, drop in (ends[k] for k in order)]
        size = around(lettering.bounds(new, lettering.x), 0, (10**6, 10**6))
        if spot := page.blank.near(rng, (0, 0, size[2] - size[0] + 4, size[3] - size[1] + 4)):
            places.append((spot[0] + 3.0, spot[1] + 2.0 + lettering.y - lettering.bounds(new)[1]))
        for x, y in places:
            style = replace(lettering, x=x, y=y)
            box = style.bounds(new)
            if page.blank.free(box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1):
                cover = style.cover(new, box)
                cover = style.softened(cover) if page.finish.matched_blur else cover * style.strength
                page.repaint(box, None, cover, style.colour)
                at = WordBox(*box)
                return Edit(page.pixels, page.mask, {**told(at, "", new, style), **page.finish.told()})
        raise NothingToEdit("no blank place beside a word")
