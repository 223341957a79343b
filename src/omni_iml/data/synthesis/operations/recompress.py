"""Local recompression: a region that went through a compression of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.blending import blend
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.history import draw_jpeg
from omni_iml.data.synthesis.objects import outline
from omni_iml.data.synthesis.pieces import window_around
from omni_iml.data.synthesis.scene import Donor, Scene


@dataclass(frozen=True)
class Recompress:
    """Compress a region once or twice, on the picture's 8 grid or off it.

    Attributes:
        area: smallest and largest share of the picture.
        quality: smallest and largest of libjpeg's quality.
        outlines: what the region follows: names of `objects.OUTLINES`, or "free"; each as frequent as it is named.
    """

    practice: ClassVar[str] = "JPEG ghosts (Farid 2009), ManTraNet (Wu et al. 2019)"

    area: tuple[float, float] = (0.01, 0.4)
    quality: tuple[int, int] = (40, 88)
    outlines: tuple[str, ...] = ("superpixels", "grabcut", "grabcut", "free")

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        mask, shape = outline(rng, scene.pixels, self.area, self.outlines)
        if not mask.any():
            raise NothingToEdit("the region lies outside the picture.")
        aligned = bool(rng.random() < 0.3)
        rows, columns = window_around(mask, 16)
        # The file that the region comes from starts at the window's corner.
        offsets = (0, 0) if aligned else tuple(int(v) for v in rng.integers(0, 8, 2))
        window = tuple(
            slice(side.start // 8 * 8 + offset if side.start >= 8 else 0, side.stop)
            for side, offset in zip((rows, columns), offsets, strict=True)
        )
        before = after = np.ascontiguousarray(scene.pixels[window])
        steps = [draw_jpeg(rng, self.quality) for _ in range(2 if rng.random() < 0.25 else 1)]
        for step in steps:
            after = step.through(after)
        pixels = scene.pixels.copy()
        pixels[window] = blend(before, after, np.ascontiguousarray(mask[window]), 0.0)
        told = [{"quality": step.quality, "subsampling": step.subsampling} for step in steps]
        corner = [int(window[0].start) % 8, int(window[1].start) % 8]
        return Edit(pixels, mask, {"shape": shape, "grid_offset": corner, "compressions": told})
