"""A face made anew from itself, as an autoencoder would give it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.blending import blend
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.likeness import PARTS, outline, whole_faces
from omni_iml.data.synthesis.pixels import Pixels, to_pixels
from omni_iml.data.synthesis.scene import Donor, Scene

_DOWN = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR}
_UP = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


@dataclass(frozen=True)
class RegrowFace:
    """Blend a face with itself, moved and warped a little, sampled down and up, in slightly other colours.

    Attributes:
        parts: names of `likeness.PARTS`, one of which is drawn.
        smallest: face that is worth it, pixels.
        scale: range that the face is sampled down to, as a share of its size.
        shift: largest move, as a share of the face's side.
        noise: largest standard deviation of the grain added, grey levels.
    """

    practice: ClassVar[str] = "Self-blended images (Shiohara and Yamasaki 2022), Face X-ray (Li et al. 2020)"

    parts: tuple[str, ...] = ("inner_face", "whole_face", "whole_face")
    smallest: int = 36
    scale: tuple[float, float] = (0.3, 0.8)
    shift: float = 0.03
    noise: float = 2.5

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        base = scene.pixels
        known = whole_faces(scene.faces, self.smallest)
        if not known:
            raise NothingToEdit("no whole face is known in the picture.")
        place = known[int(rng.integers(len(known)))]
        name = self.parts[int(rng.integers(len(self.parts)))]
        mask = outline(rng, PARTS[name], place, base.shape[:2])
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not rows.size:
            raise NothingToEdit("the face lies outside the picture.")
        side = place[2] - place[0]
        border = 2 + int(side * self.shift * 2)
        y0, x0 = max(int(rows[0]) - border, 0), max(int(columns[0]) - border, 0)
        window = slice(y0, int(rows[-1]) + border + 1), slice(x0, int(columns[-1]) + border + 1)
        below, here = base[window], mask[window]
        patch, did = self._grown(rng, below, side)
        feather = side * float(rng.uniform(0.02, 0.15))
        out = base.copy()
        out[window] = blend(below, patch, here, feather)
        return Edit(out, mask, {"part": name, "face": list(place), "feather_pixels": feather, **did})

    def _grown(self, rng: Generator, face: Pixels, side: int) -> tuple[Pixels, dict[str, object]]:
        height, width = face.shape[:2]
        moved = np.asarray(self._moved(rng, face, side), np.uint8) if rng.random() < 0.7 else face
        scale = float(rng.uniform(*self.scale))
        small = max(4, round(width * scale)), max(4, round(height * scale))
        down, up = (list(kinds)[int(rng.integers(len(kinds)))] for kinds in (_DOWN, _UP))
        grown = cv2.resize(cv2.resize(moved, small, interpolation=_DOWN[down]), (width, height), interpolation=_UP[up])
        if up == "nearest":  # as a transposed convolution smooths its own grid
            grown = cv2.GaussianBlur(grown, (0, 0), 0.45 / scale)
        sharpened = float(rng.choice([0.0, rng.uniform(0.2, 0.9)]))
        values = grown.astype(np.float32)
        values += sharpened * (values - cv2.GaussianBlur(values, (0, 0), 1.0 / scale))
        values = values * rng.uniform(0.96, 1.04, 3).astype(np.float32) + rng.uniform(-5, 5, 3).astype(np.float32)
        noise = float(rng.choice([0.0, rng.uniform(0.2, 1.0) * self.noise]))
        if noise:
            values += noise * rng.standard_normal(values.shape).astype(np.float32)
        did: dict[str, object] = {"scale": scale, "down": down, "up": up, "sharpened": sharpened, "noise_levels": noise}
        return to_pixels(values), did

    def _moved(self, rng: Generator, face: Pixels, side: int) -> Pixels:
        """A small shift and zoom, and a smooth bend of half as much."""
        height, width = face.shape[:2]
        zoom = rng.uniform(0.98, 1.02, 2)
        shift = rng.uniform(-self.shift, self.shift, 2) * side
        bend = rng.standard_normal((2, 4, 4)).astype(np.float32) * np.float32(self.shift * side / 4)
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), 0).astype(np.float32)  # (2, H, W)
        middle = np.array([width, height], np.float32)[:, None, None] / 2
        smooth = np.stack([cv2.resize(b, (width, height), interpolation=cv2.INTER_CUBIC) for b in bend])
        places = (grid - middle) * zoom[:, None, None] + middle + shift[:, None, None] + smooth
        across, down = places.astype(np.float32)
        return np.asarray(cv2.remap(face, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), np.uint8)
