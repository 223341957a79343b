"""Words and characters copied from one place of a page to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.ink import around, cells, separate, union
from omni_iml.data.synthesis.operations.words_of import draw_words, line_of, words_of
from omni_iml.data.synthesis.repaint import Page, draw_finish
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.words import WordBox
from omni_iml.types import Box

_TRIES = 5


@dataclass(frozen=True)
class CopyText:
    """Copy a word or a character of the page over another one, or into blank space.

    Attributes:
        character: probability that a character is copied instead of a word.
        blank: probability that a word goes into blank space instead of over another word.
        raw: probability that the paper comes with the ink.
        scale: largest difference in height between the two words, as a share.
    """

    practice: ClassVar[str] = "DocTamper (Qu et al. 2023), RTM (Luo et al. 2024)"

    character: float = 0.35
    blank: float = 0.3
    raw: float = 0.35
    scale: float = 0.15

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        words = words_of(scene)
        page = Page(rng, scene.pixels, draw_finish(rng, whole=0.4))
        kind = "character" if rng.random() < self.character else "blank" if rng.random() < self.blank else "word"
        raw = bool(rng.random() < self.raw)
        for source in draw_words(rng, words)[:_TRIES]:
            try:
                if kind == "character":
                    places = self._characters(rng, scene, source, words)
                elif kind == "blank":
                    places = self._into_blank(rng, page, source, words)
                else:
                    places = self._over_word(rng, scene, source, words)
                self._copy(page, *places, raw)
            except NothingToEdit:
                continue
            if page.mask.any():
                did: dict[str, Any] = {
                    "kind": kind,
                    "paper_copied": raw,
                    "from": list(places[0]),
                    "to": list(places[1]),
                }
                return Edit(page.pixels, page.mask, {**did, **page.finish.told()})
        raise NothingToEdit("no two words that are alike")

    def _alike(self, word: WordBox, source: WordBox) -> bool:
        """Whether both are set in the same face and size, as far as that is known."""
        if word.size and source.size:
            return word.font == source.font and abs(word.size / source.size - 1) < 0.06
        return abs((word.y1 - word.y0) / (source.y1 - source.y0) - 1) <= self.scale

    def _over_word(
        self, rng: Generator, scene: Scene, source: WordBox, words: tuple[WordBox, ...]
    ) -> tuple[Box, Box, Box | None]:
        """Where ink comes from, where it goes, and what it replaces."""
        wide = source.x1 - source.x0

        def fits(word: WordBox) -> bool:
            return self._alike(word, source) and 0.6 < (word.x1 - word.x0) / wide < 2.2 and not _same_text(word, source)

        target = draw_words(rng, words, fits)[0]
        room = _room_after(target, words, scene.pixels.shape[1])
        box = around((source.x0, source.y0, min(source.x1, source.x0 + room), source.y1), 1, scene.pixels.shape)
        left, bottom = target.x0 - (source.x0 - box[0]), target.y1 + (box[3] - source.y1)
        to = (left, bottom - (box[3] - box[1]), left + box[2] - box[0], bottom)
        return box, to, (target.x0 - 1, target.y0 - 1, target.x1 + 1, target.y1 + 1)

    def _characters(
        self, rng: Generator, scene: Scene, source: WordBox, words: tuple[WordBox, ...]
    ) -> tuple[Box, Box, Box | None]:
        target = draw_words(rng, words, lambda w: self._alike(w, source))[0]
        a, b = _cell_boxes(scene, source), _cell_boxes(scene, target)
        for _ in range(12):
            one, other = a[int(rng.integers(len(a)))], b[int(rng.integers(len(b)))]
            ratio = (one[2] - one[0]) / (other[2] - other[0])
            if one != other and 0.75 < ratio < 1.3:
                shift = (other[0] + other[2] - one[0] - one[2]) // 2
                down = target.y1 - source.y1
                to = (one[0] + shift, one[1] + down, one[2] + shift, one[3] + down)
                return one, to, other
        raise NothingToEdit("no two words that are alike")

    def _into_blank(
        self, rng: Generator, page: Page, source: WordBox, words: tuple[WordBox, ...]
    ) -> tuple[Box, Box, Box | None]:
        box = around((source.x0, source.y0, source.x1, source.y1), 1, page.before.shape)
        wide, tall = box[2] - box[0], box[3] - box[1]
        for word in draw_words(rng, words)[:8]:
            line = line_of(word, words)
            gap = max(2, int(0.35 * tall))
            for x, y in ((line[-1].x1 + gap, line[-1].y1), (line[0].x0, line[0].y1 + int(1.5 * tall))):
                if page.blank.free(x - 2, y - tall - 1, x + wide + 2, y + 2):
                    return box, (x, y - tall, x + wide, y), None
        raise NothingToEdit("no two words that are alike")

    def _copy(self, page: Page, source: Box, to: Box, old: Box | None, raw: bool) -> None:
        height, width = page.before.shape[:2]
        if to[0] < 0 or to[1] < 0 or to[2] > width or to[3] > height:
            raise NothingToEdit("no two words that are alike")
        pixels = page.before[source[1] : source[3], source[0] : source[2]]
        if raw:
            if old is not None:
                spare = around(union(old, to), 0, page.before.shape)
                page.repaint(spare, old)
            page.paste(to, pixels)
            return
        wide = around(source, 4, page.before.shape)
        ink = separate(page.before[wide[1] : wide[3], wide[0] : wide[2]])
        inside = (slice(source[1] - wide[1], source[3] - wide[1]), slice(source[0] - wide[0], source[2] - wide[0]))
        target = around(union(old, to) if old is not None else to, 0, page.before.shape)
        cover = np.zeros((target[3] - target[1], target[2] - target[0]), np.float32)
        texture: NDArray[np.float32] = np.zeros((*cover.shape, 3), np.float32)
        place = (slice(to[1] - target[1], to[3] - target[1]), slice(to[0] - target[0], to[2] - target[0]))
        own = ink.cover[inside]
        # A ring around the strokes goes with them: ink that ran into the paper.
        ring = cv2.dilate((own > 0.15).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        cover[place] = np.where(ring, np.maximum(own, 0.04), 0)
        texture[place] = pixels.astype(np.float32) - ink.paper[inside]
        page.repaint(target, old, cover, None, texture)


def _same_text(word: WordBox, other: WordBox) -> bool:
    return word == other or bool(word.text and word.text == other.text)


def _room_after(word: WordBox, words: tuple[WordBox, ...], width: int) -> int:
    """Columns from a word's beginning to the next word of its line or the picture's end."""
    nexts = [w.x0 for w in words if w.x0 >= word.x1 and w.y0 < word.y1 and w.y1 > word.y0]
    return max(word.x1 - word.x0, (min(nexts) - 3 if nexts else width - 3) - word.x0)


def _cell_boxes(scene: Scene, word: WordBox) -> list[Box]:
    box = around((word.x0, word.y0, word.x1, word.y1), 2, scene.pixels.shape)
    ink = separate(scene.pixels[box[1] : box[3], box[0] : box[2]])
    found = [(box[0] + a - 1, word.y0, box[0] + b + 1, word.y1) for a, b in cells(ink.cover, 0.3) if b - a > 2]
    found = [cell for cell in found if cell[0] >= 0 and cell[2] <= scene.pixels.shape[1]]
    if not found:
        raise NothingToEdit("no two words that are alike")
    return found
