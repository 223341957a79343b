"""The last steps of every edit of text: paper over what was there, ink on top, made like its surroundings or not."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.finding.words import ink_of
from omni_iml.data.synthesis.history import Jpeg
from omni_iml.data.synthesis.ink import Blank, around, grain, separate
from omni_iml.data.synthesis.pixels import Mask, Pixels, to_pixels
from omni_iml.types import Box


@dataclass(frozen=True)
class Finish:
    """How carefully an edit is made like its surroundings.

    Attributes:
        whole: whether the whole box is repainted instead of the strokes alone.
        paper: "grain" (paper of the page's own colour and grain), "flat" (one colour), or "inpaint" (Telea 2004).
        matched_blur: whether new ink is as soft as the page's; else it is as sharp as an editor draws it.
        soften: sigma of a blur over what was changed, pixels; 0 for none.
        quality: of a JPEG compression of what was changed, before it is put in; 0 for none.
    """

    whole: bool
    paper: str
    matched_blur: bool
    soften: float = 0.0
    quality: int = 0

    def told(self) -> dict[str, object]:
        """Plain values for the sample's JSON."""
        return {
            "region": "box" if self.whole else "strokes",
            "paper": self.paper,
            "matched_blur": self.matched_blur,
            "soften_sigma_pixels": round(self.soften, 2),
            "local_quality": self.quality,
        }


def draw_finish(rng: Generator, whole: float = 0.5) -> Finish:
    """How careful somebody is: mostly so, for what is seen at once does not circulate.

    Args:
        rng: source of all choices.
        whole: probability that the whole box is repainted.
    """
    return Finish(
        bool(rng.random() < whole),
        ("grain", "flat", "inpaint")[int(rng.choice(3, p=[0.68, 0.17, 0.15]))],
        bool(rng.random() < 0.72),
        float(rng.uniform(0.3, 0.8)) if rng.random() < 0.2 else 0.0,
        int(rng.integers(60, 96)) if rng.random() < 0.28 else 0,
    )


class Page:
    """A picture of a page that is being edited: what was changed so far, and where.

    Args:
        rng: source of all choices.
        pixels: the page before; it is not changed.
        finish: how the edit is made.
    """

    def __init__(self, rng: Generator, pixels: Pixels, finish: Finish) -> None:
        self.rng, self.before, self.finish = rng, pixels, finish
        self.pixels = pixels.copy()
        self.mask: Mask = np.zeros(pixels.shape[:2], np.uint8)
        self.blank = Blank(ink_of(pixels))

    def repaint(
        self,
        box: Box,
        old: Box | None,
        cover: NDArray[np.float32] | None = None,
        colour: NDArray[np.float32] | None = None,
        texture: NDArray[np.float32] | None = None,
    ) -> None:
        """Change what is in a box.

        Args:
            box: what may be changed, inside the picture.
            old: the ink in this part of the box is taken away; none where new ink lies on blank paper.
            cover: new ink, float32 ``(h, w)`` of the box, 0..1; none to erase only.
            colour: of the new ink, float32 ``(3,)``.
            texture: float32 ``(h, w, 3)``, what new ink adds to paper where it is copied instead of drawn, levels.
        """
        x0, y0, x1, y1 = box
        part = self.before[y0:y1, x0:x1]
        wide = around(box, 4 + (y1 - y0) // 4, self.before.shape)
        inside = (slice(y0 - wide[1], y1 - wide[1]), slice(x0 - wide[0], x1 - wide[0]))
        inked = np.zeros(part.shape[:2], bool) if cover is None else cover > 0.03
        taken = np.zeros(part.shape[:2], bool)
        paper, noise = np.asarray(cv2.blur(part.astype(np.float32), (15, 15)), np.float32), 0.0
        if old is not None:
            ink = separate(self.before[wide[1] : wide[3], wide[0] : wide[2]])
            paper, noise = ink.paper[inside], ink.noise
            limits = (slice(max(0, old[1] - y0), max(0, old[3] - y0)), slice(max(0, old[0] - x0), max(0, old[2] - x0)))
            strokes = (
                cv2.dilate((ink.cover[inside] > 0.1).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2) > 0
            )
            taken[limits] = True if self.finish.whole else strokes[limits]
        if self.finish.whole:
            taken |= _hull(inked)
        new = part.astype(np.float32)
        if taken.any():
            new = np.where(taken[..., None], self._fill(wide, inside, paper, taken, box, noise), new)
        region = taken | inked
        if cover is not None:
            if texture is not None:
                new = np.where(inked[..., None], new + texture, new)
            elif colour is not None:
                new = new * (1 - cover[..., None]) + colour * cover[..., None]
        if not region.any():
            return
        self._put(box, to_pixels(new), region)

    def _fill(
        self,
        wide: Box,
        inside: tuple[slice, slice],
        paper: NDArray[np.float32],
        taken: NDArray[np.bool_],
        box: Box,
        noise: float,
    ) -> NDArray[np.float32]:
        if self.finish.paper == "inpaint":
            around_it = np.ascontiguousarray(self.before[wide[1] : wide[3], wide[0] : wide[2]])
            holes = np.zeros(around_it.shape[:2], np.uint8)
            holes[inside] = taken
            return np.asarray(cv2.inpaint(around_it, holes, 3, cv2.INPAINT_TELEA), np.float32)[inside]
        if self.finish.paper == "flat":
            return np.broadcast_to(paper.reshape(-1, 3).mean(0), paper.shape).astype(np.float32)
        return paper + grain(self.rng, self.before, self.blank, box, noise)

    def ink(self, box: Box, cover: NDArray[np.float32], colour: NDArray[np.float32]) -> None:
        """Lay ink on what is in a box by now: paper that was repainted before.

        Args:
            box: inside the picture.
            cover: float32 ``(h, w)`` of the box, 0..1.
            colour: float32 ``(3,)``.
        """
        x0, y0, x1, y1 = box
        share = cover[..., None]
        new = self.pixels[y0:y1, x0:x1] * (1 - share) + colour * share
        if (inked := cover > 0.03).any():
            self._put(box, to_pixels(new), inked)

    def paste(self, box: Box, patch: Pixels) -> None:
        """Put a piece, paper and all, into a box of its size."""
        self._put(box, patch, np.ones(patch.shape[:2], bool))

    def _put(self, box: Box, new: Pixels, region: NDArray[np.bool_]) -> None:
        x0, y0, x1, y1 = box
        if self.finish.soften:
            soft = cv2.GaussianBlur(new, (0, 0), self.finish.soften)
            new = np.where(region[..., None], np.asarray(soft, np.uint8), new)
        here = self.pixels[y0:y1, x0:x1]
        here[region] = new[region]
        if self.finish.quality:
            # The piece lay in another file before: on a grid that is not this picture's.
            left, top = (int(v) for v in self.rng.integers(0, 8, 2))
            x, y = max(0, x0 - left), max(0, y0 - top)
            piece = Jpeg(self.finish.quality).through(np.ascontiguousarray(self.pixels[y : y1 + 8, x : x1 + 8]))
            again = piece[y0 - y : y0 - y + (y1 - y0), x0 - x : x0 - x + (x1 - x0)]
            here[region] = again[region]
        self.mask[y0:y1, x0:x1][region] = 1


def _hull(inked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The box around what is inked."""
    hull = np.zeros_like(inked)
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    if rows.size:
        hull[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return hull
