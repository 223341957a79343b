"""Ink and paper taken apart, and paper laid where ink was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.synthesis.edit import NothingToEdit
from omni_iml.data.synthesis.pixels import Mask, Pixels
from omni_iml.types import Box

_FAINTEST = 18.0  # levels between ink and paper; what is nearer cannot be told from noise
_PLACES = 48


@dataclass(frozen=True)
class Ink:
    """A piece of a page, taken apart: pixel = paper + cover (colour - paper) + noise.

    Attributes:
        paper: float32 ``(h, w, 3)``, smooth, also under the ink.
        colour: float32 ``(3,)``, of full ink.
        cover: float32 ``(h, w)``, how much ink there is, 0..1.
        noise: standard deviation of what the paper alone does not explain where there is no ink, levels.
    """

    paper: NDArray[np.float32]
    colour: NDArray[np.float32]
    cover: NDArray[np.float32]
    noise: float


def separate(patch: Pixels) -> Ink:
    """Take a piece of a page apart; the more frequent of its two brightnesses is paper.

    Args:
        patch: a word with some paper around it.

    Raises:
        NothingToEdit: there are no two brightnesses.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(patch), cv2.COLOR_RGB2GRAY)
    _, bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    share = float(bright.mean())
    ink = bright == 0 if share >= 0.5 else bright > 0
    if not 0.004 < ink.mean() < 0.5:
        raise NothingToEdit("ink and paper cannot be told apart")
    values = patch.astype(np.float32)
    away = cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2) == 0
    if away.mean() < 0.06:
        away = ~ink
    size = max(5, grey.shape[0] // 2 * 2 + 1)
    kept = away.astype(np.float32)
    weight = cv2.blur(kept, (size, size))
    usual = values[away].mean(0)
    paper = cv2.blur(values * kept[..., None], (size, size)) + 0.01 * usual
    paper /= (weight + 0.01)[..., None]
    inked = values[ink]
    depth = np.abs(inked.mean(1) - usual.mean())
    colour = inked[depth >= np.partition(depth, 3 * (len(depth) - 1) // 4)[3 * (len(depth) - 1) // 4]].mean(0)
    step = colour - paper
    length = (step * step).sum(2)
    if float(np.sqrt(length.mean() / 3)) < _FAINTEST:
        raise NothingToEdit("ink and paper cannot be told apart")
    cover = np.clip(((values - paper) * step).sum(2) / np.maximum(length, 1.0), 0, 1)
    noise = float((values - paper)[away].std())
    return Ink(paper, colour, cover.astype(np.float32), noise)


def cells(cover: NDArray[np.float32], level: float = 0.25) -> list[tuple[int, int]]:
    """Where characters begin and end: runs of columns ``[start, end)`` that hold ink, between columns that do not."""
    inked = np.concatenate(([False], (cover > level).any(0), [False]))
    edges = np.flatnonzero(inked[1:] != inked[:-1])
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def around(box: Box, margin: int, shape: tuple[int, ...]) -> Box:
    """A box with a margin, cut to the picture."""
    x0, y0, x1, y1 = box
    return max(0, x0 - margin), max(0, y0 - margin), min(shape[1], x1 + margin), min(shape[0], y1 + margin)


def union(a: Box, b: Box) -> Box:
    """The box around two boxes."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


class Blank:
    """Where a picture has no ink.

    Args:
        ink: uint8 ``(H, W)``, 1 where there is ink.
    """

    def __init__(self, ink: Mask) -> None:
        self.height, self.width = ink.shape
        self._sums = cv2.integral(cv2.dilate(ink, np.ones((3, 3), np.uint8)))

    def free(self, x0: int, y0: int, x1: int, y1: int) -> bool:
        """Whether a box lies in the picture and holds no ink."""
        if x0 < 0 or y0 < 0 or x1 > self.width or y1 > self.height:
            return False
        sums = self._sums
        return int(sums[y1, x1]) - int(sums[y0, x1]) - int(sums[y1, x0]) + int(sums[y0, x0]) == 0

    def near(self, rng: Generator, box: Box) -> tuple[int, int] | None:
        """Left and top of the nearest of some blank places of a box's size, or none where none was met."""
        x0, y0, x1, y1 = box
        wide, tall = x1 - x0, y1 - y0
        if wide >= self.width or tall >= self.height:
            return None
        xs = rng.integers(0, self.width - wide + 1, _PLACES)
        ys = rng.integers(0, self.height - tall + 1, _PLACES)
        order = np.argsort(np.abs(xs - x0) + 2 * np.abs(ys - y0), kind="stable")
        for k in order.tolist():
            x, y = int(xs[k]), int(ys[k])
            if self.free(x, y, x + wide, y + tall):
                return x, y
        return None


def grain(rng: Generator, pixels: Pixels, blank: Blank, box: Box, noise: float) -> NDArray[np.float32]:
    """What paper has on top of its colour, for a box: taken from a blank place of the page, else noise of its strength.

    Returns:
        float32 ``(h, w, 3)``, levels, about 0.
    """
    x0, y0, x1, y1 = box
    if place := blank.near(rng, box):
        x, y = place
        spot = pixels[y : y + y1 - y0, x : x + x1 - x0].astype(np.float32)
        soft: NDArray[Any] = cv2.blur(spot, (15, 15))
        return np.asarray(spot - soft, np.float32)
    fine = rng.standard_normal((y1 - y0, x1 - x0, 1), dtype=np.float32) * np.float32(min(noise, 6.0))
    return np.repeat(fine, 3, 2)


def steepest(cover: NDArray[np.float32], least: float) -> float:
    """How steep edges are: the mean of the steepest eighth of the steps from column to column.

    Args:
        cover: float32 ``(h, w)``, ink.
        least: smaller steps are none.
    """
    steps = np.abs(np.diff(cover, axis=1)).ravel()
    steps = steps[steps > least]
    if not steps.size:
        return 0.0
    count = max(1, steps.size // 8)
    return float(np.partition(steps, steps.size - count)[-count:].mean())
