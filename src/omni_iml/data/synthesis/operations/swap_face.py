"""Faces swapped: the inner face, or eyes, nose or mouth, of somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.synthesis.blending import blend, match_colour, poisson
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.likeness import (
    PARTS,
    blurred_like,
    laid_over,
    lit_like,
    outline,
    whole_faces,
)
from omni_iml.data.synthesis.pixels import Mask, Pixels
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.types import Box


@dataclass(frozen=True)
class SwapFace:
    """Lay a part of another face over a face: aligned, coloured and blurred as it is, with a soft or Poisson edge.

    Attributes:
        parts: names of `likeness.PARTS`, one of which is drawn.
        within: probability that another face of the same picture is taken where there is one.
        smallest: face that is worth it, pixels.
        tries: pictures that are asked for a face.
        unlike: correlation below which two faces are no match (a profile on a front).
    """

    practice: ClassVar[str] = "FaceSwap; FaceForensics++ (Roessler et al. 2019), Face X-ray (Li et al. 2020)"

    parts: tuple[str, ...] = ("inner_face",)
    within: float = 0.6
    smallest: int = 36
    tries: int = 5
    unlike: float = 0.6

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        known = whole_faces(scene.faces, self.smallest)
        if not known:
            raise NothingToEdit("no whole face is known in the picture.")
        place = known[int(rng.integers(len(known)))]
        for _ in range(self.tries):
            others = [face for face in known if face != place]
            inside = bool(others) and rng.random() < self.within
            giver = scene if inside else donor(rng)
            faces = others if inside else whole_faces(giver.faces, max(self.smallest, (place[2] - place[0]) // 3))
            if not faces:
                continue
            face = faces[int(rng.integers(len(faces)))]
            matrix, mirrored, alike = laid_over(giver.pixels, face, scene.pixels, place)
            if alike < self.unlike:
                continue
            name = self.parts[int(rng.integers(len(self.parts)))]
            mask = outline(rng, PARTS[name], place, scene.pixels.shape[:2])
            mask &= _covered(giver.pixels, matrix, mask.shape)
            if mask.any():
                did = {"part": name, "face": list(place), "within": inside, "mirrored": mirrored, "alike": alike}
                return _swapped(rng, scene.pixels, giver.pixels, matrix, mask, place, did)
        raise NothingToEdit("none of the pictures that were asked has a face like this one.")


def _covered(giver: Pixels, matrix: NDArray[np.float64], shape: tuple[int, int]) -> Mask:
    """Where the warped picture has pixels of its own."""
    height, width = giver.shape[:2]
    corners = np.array([[1, 1], [width - 2, 1], [width - 2, height - 2], [1, height - 2]], float)
    covered = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(covered, np.rint(corners @ matrix[:, :2].T + matrix[:, 2]).astype(np.int32), 1)
    return covered


def _swapped(
    rng: Generator,
    base: Pixels,
    giver: Pixels,
    matrix: NDArray[np.float64],
    mask: Mask,
    place: Box,
    did: dict[str, Any],
) -> Edit:
    side = place[2] - place[0]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    border = 4
    y0, x0 = max(int(rows[0]) - border, 0), max(int(columns[0]) - border, 0)
    window = slice(y0, int(rows[-1]) + border + 1), slice(x0, int(columns[-1]) + border + 1)
    below, here = base[window], mask[window]
    shrinking = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if shrinking < 0.6:  # else detail finer than the new pixels would alias
        giver = np.asarray(cv2.GaussianBlur(giver, (0, 0), 0.4 / shrinking), np.uint8)
    local = matrix - [[0, 0, x0], [0, 0, y0]]
    method = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)[int(rng.integers(3))]
    size = below.shape[1], below.shape[0]
    warped = cv2.warpAffine(giver, local, size, flags=method, borderMode=cv2.BORDER_REPLICATE)
    patch = np.asarray(warped, np.uint8)
    matched = float(rng.uniform(0.6, 1.0))
    patch = match_colour(patch, below, here, matched)
    lit = float(rng.choice([0.0, rng.uniform(0.4, 1.0)], p=[0.3, 0.7]))
    patch = lit_like(patch, below, lit)
    sigma = 0.0
    if rng.random() < 0.8:
        patch, sigma = blurred_like(patch, below, here)
    seamless = bool(rng.random() < 0.3)
    if seamless:
        patch = poisson(below, patch, here)
    feather = float(rng.uniform(0.5, 2.0) if seamless else side * rng.uniform(0.02, 0.12))
    out = base.copy()
    out[window] = blend(below, patch, here, feather)
    did |= {
        "colour_matched": matched,
        "light_matched": lit,
        "blur_sigma_pixels": sigma,
        "seamless": seamless,
        "feather_pixels": feather,
    }
    return Edit(out, mask, did)
