"""Copy-move: a place of the picture covered by another place of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.blending import blend, poisson
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.filters import FILTERS
from omni_iml.data.synthesis.objects import outline
from omni_iml.data.synthesis.pieces import Piece, bounds, cut_out, draw_place, draw_reshape, placed
from omni_iml.data.synthesis.pixels import Mask, Pixels
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.synthesis.shapes import drawn_in

_TRIES = 12
_RETOUCHES = ("tone", "gaussian_blur", "noise", "colour", "sharpen")


@dataclass(frozen=True)
class CopyMove:
    """Cover a region with another place of the same picture; the label is the pasted copies only.

    Attributes:
        area: smallest and largest share of the picture that a copy covers.
        feather: largest width of the soft edge, pixels.
        lines: whether the copy is a text line instead of an object: upright, in its own size.
        outlines: what an object follows: names of `objects.OUTLINES`, or "free"; each as frequent as it is named.
        again: probability of a second copy of the same piece; of a third after it.
    """

    practice: ClassVar[str] = "CoMoFoD (Tralic et al. 2013), tampCOCO of CAT-Net, DEFACTO (Mahfoudi et al. 2019)"

    area: tuple[float, float] = (0.01, 0.4)
    feather: float = 5.0
    lines: bool = False
    outlines: tuple[str, ...] = ("superpixels", "grabcut", "grabcut", "free")
    again: float = 0.12

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        base = scene.pixels
        room = base.shape[0], base.shape[1]
        if self.lines:
            source, kind = drawn_in(rng, *room, self.area, lines=True)
        else:
            source, kind = outline(rng, base, (self.area[0], min(self.area[1], 0.3)), self.outlines, whole=True)
        if not source.any():
            raise NothingToEdit("the picture shows nothing to copy.")
        piece = cut_out(base, source)
        y0, x0, y1, x1 = bounds(source)
        pixels, mask = base, np.zeros(room, np.uint8)
        copies: list[dict[str, Any]] = []
        while not copies or (len(copies) < 3 and not self.lines and rng.random() < self.again):
            pasted = self._paste(rng, pixels, piece, source, mask, (y0, x0))
            if pasted is None:
                break
            pixels, copy, did = pasted
            mask |= copy
            copies.append(did)
        if not copies:
            raise NothingToEdit("the copy finds no other place.")
        return Edit(pixels, mask, {"shape": kind, "source_box": [x0, y0, x1, y1], "copies": copies})

    def _paste(
        self, rng: Generator, pixels: Pixels, piece: Piece, source: Mask, taken: Mask, at: tuple[int, int]
    ) -> tuple[Pixels, Mask, dict[str, Any]] | None:
        """One copy, or none where no try found it a place off its source and off the other copies."""
        room = source.shape[0], source.shape[1]
        did: dict[str, Any] = {}
        if not self.lines:
            reshape = draw_reshape(rng, piece, room, self.area)
            piece = reshape(piece)
            did |= reshape.told()
            if rng.random() < 0.3:
                name = _RETOUCHES[int(rng.integers(len(_RETOUCHES)))]
                retouched, chosen = FILTERS[name](rng, piece.pixels)
                piece = Piece(retouched, piece.mask)
                did["retouch"] = {"kind": name, **chosen}
        if not piece.mask.any():
            return None
        care = 4 if rng.random() < 0.6 else 1
        for _ in range(_TRIES):
            place = draw_place(rng, piece, pixels, care)
            window, seen = placed(piece, place, room)
            copied = seen.mask > 0
            # A copy may lie a little over its source, as in a row of bushes; mostly on it, it would hardly show.
            if copied.any() and (source[window] | taken[window])[copied].mean() < 0.25:
                break
        else:
            return None
        below = np.ascontiguousarray(pixels[window])
        if rng.random() < 0.12:
            did["seamless"] = True
            joined = poisson(below, seen.pixels, seen.mask)
        else:
            did["feather_pixels"] = feather = 0.0 if rng.random() < 0.45 else float(rng.uniform(1, self.feather))
            joined = blend(below, seen.pixels, seen.mask, feather)
        out, mask = pixels.copy(), np.zeros(room, np.uint8)
        out[window], mask[window] = joined, seen.mask
        # Of the boxes' corners; for a copy in the source's own form that is the shift of every pixel.
        y, x = bounds(piece.mask)[:2]
        return out, mask, {"shift_pixels": [place[0] + y - at[0], place[1] + x - at[1]], **did}
