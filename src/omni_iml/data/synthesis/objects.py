"""Outlines of things that a picture shows: where an editor would cut.

No segmentation masks come with the sources, so outlines are found in the pixels: unions of superpixels, and what
GrabCut takes for the foreground of a box. Both are found in a small copy of the picture and brought to its edges
afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from skimage.segmentation import slic

from omni_iml.data.synthesis.pieces import window_around
from omni_iml.data.synthesis.pixels import Mask, Pixels
from omni_iml.data.synthesis.shapes import drawn_in

_SUPERPIXEL_SIDE = 96  # pixels of the small copies
_GRABCUT_SIDE = 72
_TRIES = 8
_BOXES = 6  # that GrabCut may choose from
_COMPACT = 30.0  # CIELAB units that a union pays for reaching as far as its own width
_PIECES = 9  # superpixels in a union, about

Outline = Callable[[Generator, Pixels, float], Mask]


def outline(
    rng: Generator,
    pixels: Pixels,
    area: tuple[float, float],
    kinds: tuple[str, ...] = ("superpixels", "grabcut", "grabcut", "free"),
    *,
    whole: bool = False,
) -> tuple[Mask, str]:
    """The outline of something, or a free shape.

    Args:
        rng: source of all choices.
        pixels: the picture.
        area: smallest and largest share of the picture; small shares are as frequent as large ones by their logarithm.
        kinds: names of `OUTLINES`, or "free"; each as frequent as it is named.
        whole: whether free shapes that the picture's border cuts are drawn again, as far as a few tries go: elsewhere,
            their straight side gives them away.

    Returns:
        The mask, of the picture's height and width, and what it is: a name of `OUTLINES`, or that of a free shape,
        which is also drawn where the picture shows nothing of the size asked for.
    """
    height, width = pixels.shape[:2]
    kind = kinds[int(rng.integers(len(kinds)))]
    if kind != "free":
        share = float(np.exp(rng.uniform(np.log(area[0]), np.log(area[1]))))
        mask = OUTLINES[kind](rng, pixels, share)
        if 0.5 * area[0] <= mask.mean() <= 1.3 * area[1]:
            return mask, kind
    for _ in range(_TRIES):
        mask, kind = drawn_in(rng, height, width, area)
        seen = mask.mean() > 0.5 * area[0]  # the picture may show little of a shape
        if seen and not (whole and _at_border(mask)):
            break
    return mask, kind


def superpixels(rng: Generator, pixels: Pixels, share: float) -> Mask:
    """Neighbouring superpixels of like colour, joined until they cover about ``share`` of the picture.

    Superpixels at the picture's border are left out where that is possible: things that the border cuts have a straight
    side, which gives them away elsewhere.
    """
    small = _small(pixels, _SUPERPIXEL_SIDE)
    labels = slic(
        small, n_segments=int(np.clip(_PIECES / share, 24, 250)), compactness=10, max_num_iter=5, start_label=0
    )
    count = int(labels.max()) + 1
    colours = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    sizes = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    means = np.stack([np.bincount(labels.ravel(), colours[:, c], count) for c in range(3)], 1) / sizes[:, None]
    adjacent = np.zeros((count, count), bool)
    for one, other in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        adjacent[one, other] = adjacent[other, one] = True
    inner = np.ones(count, bool)
    inner[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = False
    rows, columns = np.indices(labels.shape)
    places = np.stack([np.bincount(labels.ravel(), v.ravel(), count) for v in (rows, columns)], 1) / sizes[:, None]
    wanted = share * labels.size
    start = int(rng.choice(np.flatnonzero(inner if inner.any() else ~inner)))
    chosen = np.zeros(count, bool)
    chosen[start] = True
    while sizes[chosen].sum() < wanted:
        candidates = np.flatnonzero(adjacent[chosen].any(0) & ~chosen & inner)
        if candidates.size == 0:
            break
        weights = sizes[chosen, None] / sizes[chosen].sum()
        unlike = np.linalg.norm(means[candidates] - (means[chosen] * weights).sum(0), axis=1)
        far = np.linalg.norm(places[candidates] - (places[chosen] * weights).sum(0), axis=1) / np.sqrt(wanted)
        chosen[candidates[int((unlike + _COMPACT * far).argmin())]] = True
    return _brought_to_edges(chosen[labels].astype(np.uint8), pixels)


def grabcut(rng: Generator, pixels: Pixels, share: float) -> Mask:
    """What GrabCut (Rother et al. 2004) takes for the foreground of a box that differs from its surroundings."""
    small = _small(pixels, _GRABCUT_SIDE)
    height, width = small.shape[:2]
    box = _standing_out(rng, small, min(0.6, 1.6 * share))
    y0, x0, y1, x1 = box
    # What lies far from the box says little about its surroundings, and costs time.
    top, left = max(0, y0 - (y1 - y0) // 2 - 4), max(0, x0 - (x1 - x0) // 2 - 4)
    near = np.s_[top : min(height, y1 + (y1 - y0) // 2 + 4), left : min(width, x1 + (x1 - x0) // 2 + 4)]
    found = np.full((height, width), cv2.GC_BGD, np.uint8)
    beyond = (y1 - y0) // 4, (x1 - x0) // 4
    found[max(2, y0 - beyond[0]) : y1 + beyond[0], max(2, x0 - beyond[1]) : x1 + beyond[1]] = cv2.GC_PR_BGD
    found[-2:], found[:, -2:] = cv2.GC_BGD, cv2.GC_BGD
    found[y0:y1, x0:x1] = cv2.GC_PR_FGD
    # A stroke in the middle, as users draw it: without one, little things lose all their pixels to the surroundings.
    stroke = round(0.3 * (x1 - x0)), round(0.3 * (y1 - y0))
    cv2.ellipse(found, ((x0 + x1) // 2, (y0 + y1) // 2), stroke, 0, 0, 360, cv2.GC_FGD, -1)
    labels = np.ascontiguousarray(found[near])
    # Its k-means draws from OpenCV's own generator.
    cv2.setRNGSeed(int(rng.integers(2**31 - 1)))
    models = np.zeros((2, 1, 65))
    cv2.grabCut(np.ascontiguousarray(small[near]), labels, (0, 0, 0, 0), models[0], models[1], 1, cv2.GC_INIT_WITH_MASK)
    foreground = np.zeros((height, width), np.uint8)
    foreground[near] = (labels == cv2.GC_PR_FGD) | (labels == cv2.GC_FGD)
    return _brought_to_edges(foreground, pixels)


OUTLINES: dict[str, Outline] = {"superpixels": superpixels, "grabcut": grabcut}
"""Ways of finding a thing's outline, by name: generator, picture and share of it wanted in, mask out."""


def solid(mask: Mask) -> Mask:
    """The largest connected part of a mask, its holes filled."""
    if not mask.any():
        return mask
    window = window_around(mask, 1)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(mask[window]), connectivity=4)
    part = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    # What can be reached from outside is no hole.
    outside = cv2.copyMakeBorder(1 - part.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, labels = cv2.connectedComponents(outside, connectivity=4)
    filled = np.zeros_like(mask)
    filled[window] = labels[1:-1, 1:-1] != labels[0, 0]
    return filled


def _at_border(mask: Mask) -> bool:
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


def _standing_out(rng: Generator, small: Pixels, share: float) -> tuple[int, int, int, int]:
    """Of some random boxes, the one whose colours differ most from those around it: ``y0, x0, y1, x1``."""
    height, width = small.shape[:2]
    best, most = (2, 2, height - 2, width - 2), -1.0
    values = small.astype(np.float32)
    for _ in range(_BOXES):
        aspect = float(np.exp(rng.uniform(-0.5, 0.5)))
        tall = int(np.clip(np.sqrt(share * height * width * aspect), 4, height - 4))
        wide = int(np.clip(np.sqrt(share * height * width / aspect), 4, width - 4))
        y, x = int(rng.integers(2, height - tall - 1)), int(rng.integers(2, width - wide - 1))
        inner = values[y + tall // 4 : y + tall - tall // 4, x + wide // 4 : x + wide - wide // 4].mean((0, 1))
        rows, columns = slice(max(0, y - 3), y + tall + 3), slice(max(0, x - 3), x + wide + 3)
        rim = values[rows, columns].sum((0, 1)) - values[y : y + tall, x : x + wide].sum((0, 1))
        around = rim / (values[rows, columns].size // 3 - tall * wide)
        contrast = float(np.abs(inner - around).sum())
        if contrast > most:
            best, most = (y, x, y + tall, x + wide), contrast
    return best


def _small(pixels: Pixels, side: int) -> Pixels:
    """A copy whose longer side has ``side`` pixels at most, and whose shorter one has 12 at least."""
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(12, round(width * scale)), max(12, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _brought_to_edges(small: Mask, pixels: Pixels) -> Mask:
    """A small copy's mask, enlarged and drawn to the picture's edges by a guided filter (He et al. 2010)."""
    height, width = pixels.shape[:2]
    small = solid(small)
    if not small.any():
        return np.zeros((height, width), np.uint8)
    scale = max(height / small.shape[0], width / small.shape[1])
    radius = int(np.ceil(1.5 * scale))
    rounded = cv2.GaussianBlur(small.astype(np.float32), (0, 0), 1.0)  # superpixels of flat surfaces are squares
    rough = np.asarray(cv2.resize(rounded, (width, height)), np.float32)
    rows, columns = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
    window = np.s_[
        max(0, int((rows[0] - 2) * scale) - radius) : int((rows[-1] + 3) * scale) + radius,
        max(0, int((columns[0] - 2) * scale) - radius) : int((columns[-1] + 3) * scale) + radius,
    ]
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[window]), cv2.COLOR_RGB2GRAY)
    mask = np.zeros((height, width), np.uint8)
    mask[window] = _guided((grey / 255).astype(np.float32), rough[window], radius) > 0.5
    return solid(mask)


def _guided(guide: NDArray[np.float32], values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """``values`` as locally linear functions of ``guide`` (0..1), in windows of ``radius``."""

    def mean(a: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(a, (2 * radius + 1, 2 * radius + 1)))

    mean_guide, mean_values = mean(guide), mean(values)
    slope = (mean(guide * values) - mean_guide * mean_values) / (mean(guide * guide) - mean_guide**2 + 1e-3)
    return mean(slope) * guide + mean(mean_values - slope * mean_guide)
