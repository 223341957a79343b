"""Local filters: a region blurred, smoothed, sharpened, made noisy, or changed in tone and colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.blending import blend
from omni_iml.data.synthesis.edit import Edit, NothingToEdit, differs
from omni_iml.data.synthesis.filters import FILTERS
from omni_iml.data.synthesis.objects import outline
from omni_iml.data.synthesis.pieces import window_around
from omni_iml.data.synthesis.scene import Donor, Scene

_TRIES = 3


@dataclass(frozen=True)
class LocalFilter:
    """One of an editor's filters inside a region.

    Attributes:
        area: smallest and largest share of the picture that is filtered.
        feather: largest width of the soft edge, pixels.
        filters: names of `FILTERS`, each as frequent as the others.
        outlines: what the region follows: names of `objects.OUTLINES`, or "free"; each as frequent as it is named.
    """

    practice: ClassVar[str] = "ManTraNet (Wu et al. 2019)"

    area: tuple[float, float] = (0.01, 0.4)
    feather: float = 5.0
    filters: tuple[str, ...] = tuple(FILTERS)
    outlines: tuple[str, ...] = ("superpixels", "grabcut", "grabcut", "free")

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        mask, shape = outline(rng, scene.pixels, self.area, self.outlines)
        if not mask.any():
            raise NothingToEdit("the region lies outside the picture.")
        feather = 0.0 if rng.random() < 0.45 else float(rng.uniform(1, self.feather))
        window = window_around(mask, 8)  # more than any filter reaches
        before, inside = (np.ascontiguousarray(values[window]) for values in (scene.pixels, mask))
        # What is smooth shows no blur, and what is grey no change of hue: an editor would choose another filter.
        for choice in rng.permutation(len(self.filters))[:_TRIES]:
            kind = self.filters[int(choice)]
            after, chosen = FILTERS[kind](rng, before)
            pixels = scene.pixels.copy()
            pixels[window] = blend(before, after, inside, feather)
            edit = Edit(pixels, mask, {"shape": shape, "kind": kind, "feather_pixels": feather, **chosen})
            if differs(scene.pixels, edit):
                return edit
        raise NothingToEdit("no filter shows here.")
