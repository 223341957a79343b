"""Text of a sign, plate or package taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from omni_iml.data.synthesis.edit import Edit
from omni_iml.data.synthesis.ink import cells
from omni_iml.data.synthesis.operations.words_of_signs import draw_sign
from omni_iml.data.synthesis.pixels import to_pixels
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.synthesis.signs import extent, grain, ground, only_in, put_back, strokes


@dataclass(frozen=True)
class EraseSign:
    """Paint or inpaint a text's strokes over with their ground: the whole text or some characters of it.

    Attributes:
        smallest: height of a text that is worth it, pixels.
        part: probability that only some characters go.
        grainy: probability that the ground's noise is put back.
    """

    practice: ClassVar[str] = "EraseNet's scenes (Liu et al. 2020), DocTamper (Qu et al. 2023)"

    smallest: int = 9
    part: float = 0.4
    grainy: float = 0.7

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        sign, word = draw_sign(rng, scene, self.smallest)
        x0, y0, x1, y1 = extent(sign.ink, sign.text)
        ink = only_in(sign.ink.cover, (x0, y0, x1, y1), 0.08 * (y1 - y0))
        runs = cells(sign.ink.cover[y0:y1, x0:x1])
        some = len(runs) > 2 and bool(rng.random() < self.part)
        if some:
            first = int(rng.integers(len(runs) - 1))
            last = int(rng.integers(first, min(len(runs), first + 4)))
            ink[:, : x0 + runs[first][0]] = 0
            ink[:, x0 + runs[last][1] :] = 0
        grainy = bool(rng.random() < self.grainy)
        bare = ground(rng, sign)
        if grainy:
            bare = bare + grain(rng, sign, 1.0) * strokes(sign.ink.cover, sign.scale)[..., None]
        alpha = strokes(ink, 2.5 * sign.scale)
        pixels, mask = put_back(scene.pixels, sign, to_pixels(bare), alpha)
        return Edit(pixels, mask, {"box": [word.x0, word.y0, word.x1, word.y1], "some": some, "grain": grainy})
