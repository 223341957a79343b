"""Splicing: a piece of another picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from omni_iml.data.synthesis.blending import blend, match_colour, warp
from omni_iml.data.synthesis.edit import Edit
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.synthesis.shapes import drawn_in


@dataclass(frozen=True)
class Splice:
    """Paste a piece of another picture, with geometry, colour and edge as an editor would.

    Attributes:
        area: smallest and largest share of the picture that is covered.
        feather: largest width of the soft edge, pixels.
    """

    practice: ClassVar[str] = "tampCOCO of CAT-Net (Kwon et al. 2022); colours after Reinhard et al. 2001"

    area: tuple[float, float] = (0.01, 0.4)
    feather: float = 5.0

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        base = scene.pixels
        height, width = base.shape[:2]
        mask, shape = drawn_in(rng, height, width, self.area)
        patch = warp(rng, donor(rng).window(0, 0, height, width).pixels, float(rng.choice([0.0, 1.0], p=[0.4, 0.6])))
        if matched := bool(rng.random() < 0.3):
            patch = match_colour(patch, base, mask)
        feather = float(rng.choice([0.0, rng.uniform(1, self.feather)]))
        did = {"shape": shape, "colour_matched": matched, "feather_pixels": feather}
        return Edit(blend(base, patch, mask, feather), mask, did)
