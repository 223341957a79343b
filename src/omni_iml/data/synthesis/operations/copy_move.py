"""Copy-move: a place of the picture covered by another place of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.blending import blend, warp
from omni_iml.data.synthesis.edit import Edit
from omni_iml.data.synthesis.pixels import to_pixels
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.synthesis.shapes import drawn_in


@dataclass(frozen=True)
class CopyMove:
    """Cover a region with another place of the same picture; the label is the pasted copy only.

    Attributes:
        area: smallest and largest share of the picture that is covered.
        feather: largest width of the soft edge, pixels.
        lines: whether the region is a text line instead of an object.
    """

    practice: ClassVar[str] = "CAT-Net's and DEFACTO's sets (Mahfoudi et al. 2019)"

    area: tuple[float, float] = (0.01, 0.4)
    feather: float = 5.0
    lines: bool = False

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        base = scene.pixels
        height, width = base.shape[:2]
        mask, shape = drawn_in(rng, height, width, self.area, lines=self.lines)
        # The picture is taken as periodic, so that any shift finds pixels.
        shift = [int(rng.integers(side // 8, side - side // 8)) for side in (height, width)]
        moved = np.roll(base, shift, (0, 1))
        if rng.random() < 0.4:
            moved = warp(rng, moved, 1.0)
        if rng.random() < 0.2:
            gain, offset = rng.uniform(0.85, 1.15), rng.uniform(-12, 12)
            moved = to_pixels(moved * gain + offset)
        feather = float(rng.choice([0.0, rng.uniform(1, self.feather)]))
        return Edit(blend(base, moved, mask, feather), mask, {"shape": shape, "shift_pixels": shift})
