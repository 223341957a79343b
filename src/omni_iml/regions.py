"""From a probability map to tampered regions, and from a place in a picture to one of the nine positions."""

from __future__ import annotations

import re

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.types import POSITIONS, Region

MAX_REGIONS = 100
"""Regions reported unless the caller says otherwise: the largest; a noisy map can have a hundred thousand."""

_STRIP_PIXELS = 1 << 22  # pixels averaged at a time: numpy.bincount makes 8-byte copies of labels and weights
_BY_NAME = {name.casefold(): name for name in POSITIONS}


def find_regions(
    probability: NDArray[np.floating],
    threshold: float,
    *,
    min_area_share: float = 0.0,
    min_mean_probability: float = 0.0,
    max_regions: int | None = MAX_REGIONS,
) -> tuple[Region, ...]:
    """Connected regions of a probability map, pixels that touch at a corner being connected.

    Args:
        probability: float ``(H, W)`` in displayed orientation, 0..1.
        threshold: a pixel belongs to a region when its probability is strictly greater.
        min_area_share: smallest region kept, as a share of the picture's pixels, inclusive.
        min_mean_probability: lowest mean probability of a region kept, inclusive.
        max_regions: how many regions are returned at most, the largest; None = all.

    Returns:
        The regions, largest first; equal ones from the top, then from the left.

    Raises:
        ValueError: the map is not ``(H, W)`` of floating point numbers, is empty, or holds nan.
    """
    probability = np.asarray(probability)
    if probability.ndim != 2 or not probability.size or not np.issubdtype(probability.dtype, np.floating):
        raise ValueError(
            f"the probability map must be (H, W) of floating point numbers, not {probability.dtype} "
            f"{probability.shape}; divide an 8-bit map by 255."
        )
    if np.isnan(probability.max()):
        raise ValueError("the probability map holds nan; find out where the model produced it.")
    height, width = probability.shape
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(
        (probability > threshold).astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.int64)
    shares = areas / (height * width)
    means = np.minimum(label_sums(probability, np.asarray(labels, np.int32), count) / np.maximum(areas, 1), 1.0)
    kept = (shares >= min_area_share) & (means >= min_mean_probability)
    kept[0] = False  # the background
    chosen = np.flatnonzero(kept)
    order = np.lexsort((chosen, stats[chosen, cv2.CC_STAT_LEFT], stats[chosen, cv2.CC_STAT_TOP], -areas[chosen]))
    return tuple(
        _region(stats[label], shares[label], means[label], centroids[label], width, height)
        for label in chosen[order][:max_regions]
    )


def position(x: float, y: float, width: float, height: float) -> str:
    """Which of the nine positions a point has: cells of a 3x3 grid, a border belonging to the cell after it.

    Args:
        x: from the picture's left edge, 0..width, in pixels; the centre of the leftmost pixel column is at 0.5.
        y: from the picture's top edge, 0..height, likewise.
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        One of `omni_iml.types.POSITIONS`.

    Raises:
        ValueError: the point lies outside the picture, or the picture has no area.
    """
    if not (width > 0 and height > 0 and 0 <= x <= width and 0 <= y <= height):
        raise ValueError(f"the point ({x}, {y}) lies outside a picture of {width} x {height}; check its coordinates.")
    # Products rather than quotients, so that a border in whole pixels is met exactly.
    column = int(3 * x >= width) + int(3 * x >= 2 * width)
    row = int(3 * y >= height) + int(3 * y >= 2 * height)
    return POSITIONS[3 * row + column]


def parse_position(text: str) -> str:
    """Read one of the nine positions as people and language models write it.

    Args:
        text: the name in any case, also with "of the image" and a full stop after it: "top left of the image."

    Returns:
        The name as in `omni_iml.types.POSITIONS`.

    Raises:
        ValueError: it is none of the nine.
    """
    words = " ".join(text.casefold().split())
    name = re.sub(r"( of the image)?\s?\.?$", "", words, count=1)
    if name not in _BY_NAME:
        raise ValueError(f"{text!r} is not one of the nine positions; use one of: {', '.join(POSITIONS)}.")
    return _BY_NAME[name]


def label_sums(probability: NDArray[np.floating], labels: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """Sum of a map over each label, in strips of rows.

    Args:
        probability: float ``(H, W)``.
        labels: int32 ``(H, W)``, 0..count - 1.
        count: of the labels.

    Returns:
        float64 ``(count,)``.
    """
    height, width = labels.shape
    # A strip is never smaller than the table it is added to, so the time stays linear in pixels.
    rows = max(1, max(_STRIP_PIXELS, count) // width)
    sums = np.zeros(count, np.float64)
    for top in range(0, height, rows):
        strip = slice(top, top + rows)
        sums += np.bincount(labels[strip].ravel(), weights=probability[strip].ravel(), minlength=count)
    return sums


def _region(
    stats: NDArray[np.int32], share: float, mean: float, centroid: NDArray[np.float64], width: int, height: int
) -> Region:
    left, top, wide, high = (int(value) for value in stats[: cv2.CC_STAT_AREA])
    # OpenCV averages pixel indices; the middle of a pixel lies half a pixel further.
    x, y = float(centroid[0]) + 0.5, float(centroid[1]) + 0.5
    return Region(
        box=(left, top, left + wide, top + high),
        area_share=float(share),
        mean_probability=float(mean),
        position=position(x, y, width, height),
    )
