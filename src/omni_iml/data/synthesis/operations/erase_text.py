"""Words taken away, paper laid in their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.ink import around
from omni_iml.data.synthesis.operations.words_of import draw_words, hull, line_of, words_of
from omni_iml.data.synthesis.repaint import Page, draw_finish
from omni_iml.data.synthesis.scene import Donor, Scene

_TRIES = 4


@dataclass(frozen=True)
class EraseText:
    """Erase a word, some words of a line, or a line.

    Attributes:
        most: words that are erased at most.
    """

    practice: ClassVar[str] = "DocTamper (Qu et al. 2023)"

    most: int = 6

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        words = words_of(scene)
        page = Page(rng, scene.pixels, draw_finish(rng, whole=0.55))
        for word in draw_words(rng, words)[:_TRIES]:
            line = line_of(word, words)
            at, count = line.index(word), int(rng.integers(1, self.most + 1))
            taken = line[at : at + count]
            try:
                # A box around a sloping line would reach into its neighbours.
                boxes = [hull([one]) for one in taken] if abs(word.slope) > 0.01 else [hull(taken)]
                for box in boxes:
                    box = around(box, 2, scene.pixels.shape)
                    page.repaint(box, box)
            except NothingToEdit:
                if not page.mask.any():
                    continue
            did = {"box": list(hull(taken)), "text": " ".join(one.text for one in taken), "words": len(taken)}
            return Edit(page.pixels, page.mask, {**did, **page.finish.told()})
        raise NothingToEdit("no word that can be told from its paper")
