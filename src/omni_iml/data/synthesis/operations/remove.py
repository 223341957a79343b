"""Removal: a region filled from what surrounds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.blending import blend
from omni_iml.data.synthesis.edit import Edit
from omni_iml.data.synthesis.pixels import to_pixels
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.synthesis.shapes import drawn_in


@dataclass(frozen=True)
class Remove:
    """Fill a region from its surroundings by diffusion, at times with grain.

    Attributes:
        area: smallest and largest share of the picture that is filled.
    """

    practice: ClassVar[str] = "DEFACTO; Telea 2004, Bertalmio et al. 2001"

    area: tuple[float, float] = (0.01, 0.12)

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        base = scene.pixels
        height, width = base.shape[:2]
        mask, shape = drawn_in(rng, height, width, self.area)
        kind = ("telea", "navier_stokes")[int(rng.integers(2))]
        method = cv2.INPAINT_TELEA if kind == "telea" else cv2.INPAINT_NS
        filled = np.asarray(cv2.inpaint(base, mask, 3, method), np.uint8)
        if rng.random() < 0.4:  # editors add grain to hide the smooth patch
            noise = rng.standard_normal(base.shape[:2]).astype(np.float32)[..., None] * rng.uniform(1, 5)
            filled = to_pixels(filled + noise)
        return Edit(blend(base, filled, mask, 0.0), mask, {"shape": shape, "kind": kind})
