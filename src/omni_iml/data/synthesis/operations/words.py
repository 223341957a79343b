"""Words replaced and erased in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.edit import Edit
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.synthesis.text import erase_text, replace_text
from omni_iml.data.words import WordBox
from omni_iml.types import Box

_SMALLEST = 6  # pixels in height; no font draws letters below


@dataclass(frozen=True)
class ReplaceWord:
    """Erase a word's box and set other text there in the colour of its ink.

    Attributes:
        area: share of the picture wanted where no word is known.
    """

    practice: ClassVar[str] = "DocTamper (Qu et al. 2023)"

    area: tuple[float, float] = (0.01, 0.4)

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        height, width = scene.pixels.shape[:2]
        box = text_box(rng, height, width, self.area, scene.words)
        pixels, mask = replace_text(rng, scene.pixels, box)
        return Edit(pixels, mask, {"box": box})


@dataclass(frozen=True)
class EraseWord:
    """Paint a word's box over with its paper, or inpaint it.

    Attributes:
        area: share of the picture wanted where no word is known.
    """

    practice: ClassVar[str] = "DocTamper (Qu et al. 2023)"

    area: tuple[float, float] = (0.01, 0.4)

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        height, width = scene.pixels.shape[:2]
        box = text_box(rng, height, width, self.area, scene.words)
        pixels, mask = erase_text(rng, scene.pixels, box)
        return Edit(pixels, mask, {"box": box})


def text_box(rng: Generator, height: int, width: int, area: tuple[float, float], words: tuple[WordBox, ...]) -> Box:
    """Where text is edited.

    Args:
        rng: source of all choices.
        height: of the picture in pixels, 32 at least.
        width: of the picture in pixels, 32 at least.
        area: smallest and largest share of the picture wanted where no word is known.
        words: known words and text lines inside the picture.

    Returns:
        One to seven times as wide as tall: a part of a known word, or a box 9 to 64 pixels in height anywhere.
    """
    if known := [w for w in words if w.y1 - w.y0 >= _SMALLEST and w.x1 - w.x0 >= _SMALLEST]:
        word = known[int(rng.integers(len(known)))]
        wide = min(word.x1 - word.x0, int((word.y1 - word.y0) * rng.uniform(1, 7)))
        x = int(rng.integers(word.x0, word.x1 - wide + 1))
        return x, word.y0, x + wide, word.y1
    share = float(np.exp(rng.uniform(np.log(area[0]), np.log(area[1]))))
    side = np.sqrt(height * width)
    tall = int(np.clip(side * np.sqrt(share / rng.uniform(1.5, 6)), 9, min(64, height - 8, width - 8)))
    wide = int(np.clip(tall * rng.uniform(1, 7), tall, width - 8))
    x, y = int(rng.integers(0, width - wide)), int(rng.integers(0, height - tall))
    return x, y, x + wide, y + tall
