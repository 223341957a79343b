"""Removal: a thing covered with what surrounds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.blending import blend, poisson
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.inpainting import Inpainter, diffused, filled_by, grain, load_inpainter, patched
from omni_iml.data.synthesis.objects import outline, solid
from omni_iml.data.synthesis.pieces import window_around
from omni_iml.data.synthesis.pixels import Mask, Pixels, to_pixels
from omni_iml.data.synthesis.scene import Donor, Scene

_LARGEST = 0.6  # share of the picture; a fill needs surroundings
_Filled = tuple[Pixels, dict[str, Any]]


@dataclass(frozen=True)
class Remove:
    """Mark a thing loosely and fill the mark from its surroundings.

    Attributes:
        area: smallest and largest share of the picture that the thing covers.
        fills: ways of filling, each as frequent as the others: "telea", "navier_stokes", "patches" or "learned".
        inpainter: what "learned" calls: a function of pixels and mask, or its name "package.module:function".
        outlines: what the thing's outline is: names of `objects.OUTLINES`, or "free"; each as frequent as it is named.
    """

    practice: ClassVar[str] = (
        "DEFACTO (Mahfoudi et al. 2019); Telea 2004, Bertalmio et al. 2001; patches after He & Sun 2012"
    )

    area: tuple[float, float] = (0.01, 0.12)
    fills: tuple[str, ...] = ("telea", "navier_stokes", "patches")
    inpainter: Inpainter | str | None = None
    outlines: tuple[str, ...] = ("superpixels", "grabcut", "grabcut", "free")

    def __post_init__(self) -> None:
        """Raise at once if a way of filling is unknown or "learned" has nothing to call."""
        if unknown := set(self.fills) - set(_FILLS):
            raise ValueError(f"fill {', '.join(sorted(unknown))}: is unknown; the fills are {', '.join(_FILLS)}.")
        if "learned" in self.fills and self.inpainter is None:
            raise ValueError("fill 'learned': has no inpainter; give one, or its name package.module:function.")
        if isinstance(self.inpainter, str):
            object.__setattr__(self, "inpainter", load_inpainter(self.inpainter))

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        base = scene.pixels
        thing, kind = outline(rng, base, self.area, self.outlines)
        mask = _marked(rng, thing)
        if not 0 < mask.mean() < _LARGEST:
            raise NothingToEdit("the picture shows nothing that its surroundings could cover.")
        fill = self.fills[int(rng.integers(len(self.fills)))]
        pixels, chosen = _FILLS[fill](self, rng, base, mask)
        return Edit(pixels, mask, {"shape": kind, "kind": fill, **chosen})

    def _diffuse(self, rng: Generator, base: Pixels, mask: Mask, kind: Any) -> _Filled:
        radius = int(rng.integers(3, 6))
        filled, strength = diffused(base, mask, kind, radius), 0.0
        if rng.random() < 0.5:  # editors add grain to hide the smooth patch
            strength = float(rng.uniform(0.5, 1.2))
            window = window_around(mask, 8)
            filled[window] = to_pixels(filled[window] + strength * grain(rng, base, mask))
            filled = blend(base, filled, mask, 0.0)
        return filled, {"radius_pixels": radius, "grain": strength}

    def _patch(self, rng: Generator, base: Pixels, mask: Mask) -> _Filled:
        found = patched(base, mask)
        if found is None:
            raise NothingToEdit("no other place of the picture has room for what shall be covered.")
        filled, offsets = found
        edge = ("seamless", "soft", "hard")[int(rng.choice(3, p=[0.6, 0.25, 0.15]))]
        window = window_around(mask, 8)
        below, patch, inside = (np.ascontiguousarray(a[window]) for a in (base, filled, mask))
        out = base.copy()
        if edge == "seamless":
            out[window] = poisson(below, patch, inside)
        else:
            out[window] = blend(below, patch, inside, float(rng.uniform(1, 4)) if edge == "soft" else 0.0)
        return out, {"offsets_pixels": offsets, "edge": edge}

    def _learned(self, rng: Generator, base: Pixels, mask: Mask) -> _Filled:
        assert callable(self.inpainter)
        return filled_by(self.inpainter, base, mask), {}


_FILLS: dict[str, Callable[[Remove, Generator, Pixels, Mask], _Filled]] = {
    "telea": lambda self, rng, base, mask: self._diffuse(rng, base, mask, "telea"),
    "navier_stokes": lambda self, rng, base, mask: self._diffuse(rng, base, mask, "navier_stokes"),
    "patches": Remove._patch,
    "learned": Remove._learned,
}


def _marked(rng: Generator, thing: Mask) -> Mask:
    """A thing and some pixels around it, its outline smooth, as a brush or lasso marks it."""
    reach = int(rng.integers(1, 3 + max(thing.shape) // 100))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return solid(np.asarray(cv2.dilate(thing, disc), np.uint8))
