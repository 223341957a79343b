"""Splicing: a piece of another picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.blending import blend, match_colour, poisson, relight
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.objects import outline
from omni_iml.data.synthesis.pieces import cut_out, draw_place, draw_reshape, placed
from omni_iml.data.synthesis.scene import Donor, Scene

_SMALLEST = 24  # pixels a side of a donor worth cutting from


@dataclass(frozen=True)
class Splice:
    """Paste a piece of another picture at a place, size, colour, light and edge of an editor's choice.

    Attributes:
        area: smallest and largest share of the picture that is covered.
        feather: largest width of the soft edge, pixels.
        outlines: what the pieces follow: names of `objects.OUTLINES`, or "free"; each as frequent as it is named.
        seamless: whether the piece is joined by its gradients (Poisson) instead of an edge.
    """

    practice: ClassVar[str] = (
        "tampCOCO of CAT-Net (Kwon et al. 2022), DEFACTO (Mahfoudi et al. 2019); "
        "colours after Reinhard et al. 2001, seamless after Pérez et al. 2003"
    )

    area: tuple[float, float] = (0.01, 0.4)
    feather: float = 5.0
    outlines: tuple[str, ...] = ("superpixels", "grabcut", "grabcut", "free")
    seamless: bool = False

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        base = scene.pixels
        room = base.shape[0], base.shape[1]
        other = donor(rng)
        # Mirrored pixels that fill a small donor up are nobody's picture.
        other = other.window(0, 0, *other.extent)
        if min(other.extent) < _SMALLEST:
            raise NothingToEdit("the donor is too small to cut from.")
        shape, kind = outline(rng, other.pixels, self.area, self.outlines, whole=True)
        if not shape.any():
            raise NothingToEdit("the donor shows nothing to cut out.")
        piece = cut_out(other.pixels, shape)
        reshape = draw_reshape(rng, piece, room, self.area)
        piece = reshape(piece)
        if not piece.mask.any():
            raise NothingToEdit("the piece is too small to place.")
        # Some care for where a thing could stand; what is joined by its gradients takes on the colours around it.
        tries = 12 if self.seamless or rng.random() < 0.75 else 1
        window, piece = placed(piece, place := draw_place(rng, piece, base, tries), room)
        did: dict[str, Any] = {"shape": kind, "place": list(place), **reshape.told()}
        patch, below = piece.pixels, np.ascontiguousarray(base[window])
        colours = ("kept", "matched", "relit")[int(rng.choice(3, p=[0.35, 0.45, 0.2]))]
        if colours == "matched":
            did["matched_strength"] = strength = float(rng.uniform(0.4, 1.0))
            patch = match_colour(patch, below, piece.mask, strength)
        elif colours == "relit":
            patch, did["light"] = relight(rng, patch)
        if self.seamless:
            did["mixed_gradients"] = mixed = bool(rng.random() < 0.2)
            joined = poisson(below, patch, piece.mask, mixed=mixed)
        else:
            did["feather_pixels"] = feather = 0.0 if rng.random() < 0.45 else float(rng.uniform(1, self.feather))
            joined = blend(below, patch, piece.mask, feather)
        pixels, mask = base.copy(), np.zeros(room, np.uint8)
        pixels[window], mask[window] = joined, piece.mask
        return Edit(pixels, mask, did)
