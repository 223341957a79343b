"""One character of a sign covered with another of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.ink import cells
from omni_iml.data.synthesis.operations.words_of_signs import draw_sign
from omni_iml.data.synthesis.pixels import to_pixels
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.synthesis.signs import extent, put_back


@dataclass(frozen=True)
class SwapCharacter:
    """Copy a character of a text over another one of about its width, in the light that falls there.

    Attributes:
        smallest: height of a text that is worth it, pixels.
        wider: largest ratio of the two characters' widths.
    """

    practice: ClassVar[str] = "DocTamper (Qu et al. 2023), Tampered-IC13 (Wang et al. 2022)"

    smallest: int = 11
    wider: float = 1.4

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        sign, word = draw_sign(rng, scene, self.smallest)
        x0, y0, x1, y1 = extent(sign.ink, sign.text)
        tall = y1 - y0
        found = [(x0 + a, x0 + b) for a, b in cells(sign.ink.cover[y0:y1, x0:x1]) if 0.2 * tall < b - a < 1.4 * tall]
        pairs = [
            (one, other)
            for one in found
            for other in found
            if one != other
            and max(one[1] - one[0], other[1] - other[0]) < self.wider * min(one[1] - one[0], other[1] - other[0])
        ]
        if not pairs:
            raise NothingToEdit("the text has no two characters of one width.")
        (a0, a1), (b0, b1) = pairs[int(rng.integers(len(pairs)))]
        top, bottom = max(0, y0 - 2), min(sign.flat.shape[0], y1 + 2)
        # A frame of ground around both, as far as the neighbours leave room.
        room = max(1, round(0.06 * tall))
        a0, a1, b0, b1 = a0 - room, a1 + room, b0 - room, b1 + room
        size = b1 - b0, bottom - top
        moved = np.asarray(cv2.resize(sign.flat[top:bottom, a0:a1], size, interpolation=cv2.INTER_CUBIC), np.float32)
        light = sign.ink.paper[top:bottom, b0:b1] - cv2.resize(sign.ink.paper[top:bottom, a0:a1], size)
        if matched := bool(rng.random() < 0.8):
            moved = moved + light
        flat = sign.flat.copy()
        flat[top:bottom, b0:b1] = to_pixels(moved)
        alpha = np.zeros(sign.ink.cover.shape, np.float32)
        alpha[top:bottom, b0:b1] = 1
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.5 * sign.scale), np.float32)
        pixels, mask = put_back(scene.pixels, sign, flat, alpha)
        return Edit(pixels, mask, {"box": [word.x0, word.y0, word.x1, word.y1], "light_matched": matched})
