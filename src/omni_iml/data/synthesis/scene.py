"""What an operation works on: pixels, and what is known of the things in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from omni_iml.data.finding import faces_through
from omni_iml.data.synthesis.pixels import Pixels
from omni_iml.data.words import WordBox, seen_through
from omni_iml.types import Box


@dataclass(frozen=True)
class Scene:
    """A piece of an authentic picture.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` RGB. Never written to: it may be a view of a cache.
        words: known words in it, in its own coordinates.
        faces: known faces ``(x0, y0, x1, y1)``, pixels, half-open, in its own coordinates and inside it.
        filled: rows and columns at the bottom and right that are mirrored, because the source is smaller.
    """

    pixels: Pixels
    words: tuple[WordBox, ...] = ()
    faces: tuple[Box, ...] = ()
    filled: tuple[int, int] = (0, 0)

    @property
    def extent(self) -> tuple[int, int]:
        """Height and width of the part that is the source's own."""
        height, width = self.pixels.shape[:2]
        return height - self.filled[0], width - self.filled[1]

    def window(self, y: int, x: int, height: int, width: int) -> Scene:
        """The part of ``height`` by ``width`` pixels from row ``y`` and column ``x`` on; it must lie inside."""
        pixels = np.ascontiguousarray(self.pixels[y : y + height, x : x + width])
        own_height, own_width = self.extent
        filled = max(0, y + height - own_height), max(0, x + width - own_width)
        faces = faces_through(self.faces, y, x, height, width)
        return Scene(pixels, seen_through(self.words, y, x, height, width), faces, filled)

    def painted(self, pixels: Pixels) -> Scene:
        """The same things, in other pixels of the same shape."""
        return replace(self, pixels=pixels)


Donor = Callable[[Generator], Scene]
"""Draws another authentic picture of at least the scene's height and width, on a JPEG grid of its own."""
