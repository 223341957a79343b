"""Local filters: a region blurred, sharpened, made noisy, resampled or recompressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.blending import blend
from omni_iml.data.synthesis.edit import Edit
from omni_iml.data.synthesis.history import Jpeg
from omni_iml.data.synthesis.pixels import to_pixels
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.synthesis.shapes import drawn_in

_KINDS = ("blur", "noise", "sharpen", "regrow", "recompress")


@dataclass(frozen=True)
class LocalFilter:
    """Blur, noise, sharpen, resample or recompress inside a region.

    Attributes:
        area: smallest and largest share of the picture that is filtered.
        feather: largest width of the soft edge, pixels.
    """

    practice: ClassVar[str] = "ManTraNet (Wu et al. 2019)"

    area: tuple[float, float] = (0.01, 0.4)
    feather: float = 5.0

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        base = scene.pixels
        height, width = base.shape[:2]
        mask, shape = drawn_in(rng, height, width, self.area)
        kind = _KINDS[int(rng.integers(len(_KINDS)))]
        if kind == "blur":
            changed = np.asarray(cv2.GaussianBlur(base, (0, 0), float(rng.uniform(0.7, 2.5))), np.uint8)
        elif kind == "noise":
            noise = rng.standard_normal(base.shape).astype(np.float32) * rng.uniform(3, 12)
            changed = to_pixels(base + noise)
        elif kind == "sharpen":
            soft = cv2.GaussianBlur(base, (0, 0), 1.0).astype(np.float32)
            changed = to_pixels(base + rng.uniform(0.5, 1.5) * (base - soft))
        elif kind == "regrow":  # the low-pass and upsampling spectrum of a decoder network
            small = cv2.resize(base, None, fx=(f := float(rng.uniform(0.35, 0.7))), fy=f, interpolation=cv2.INTER_AREA)
            changed = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
        else:
            changed = Jpeg(int(rng.integers(40, 85))).through(base)
        feather = float(rng.choice([0.0, rng.uniform(1, self.feather)]))
        return Edit(blend(base, changed, mask, feather), mask, {"shape": shape, "kind": kind})
