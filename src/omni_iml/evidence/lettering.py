"""Lettering: height, stroke width, baseline and spacing of the characters in a region against the rest of their line.

What is usual is taken from the same picture: runs of as many characters in every line, each against the rest of its
own. So capitals beside small letters, or wide letters beside narrow ones, are no surprise where they are common.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.measuring import Comparison, Measure, Measurement, rank
from omni_iml.evidence.placements import FEWEST
from omni_iml.types import Box

Numbers = NDArray[np.float64]

_TALLEST, _SHORTEST = 1.2, 0.3  # of a line's height: what is a character rather than a rule or a dot
_FEWEST_OTHERS = 3  # characters of the line outside the run
_LEAST_CONTRAST = 24  # grey levels between ink and ground
_MOST_RUNS = 150
_LONGEST_RUN = 24


@dataclass(frozen=True)
class Lettering:
    """The characters of a line, from left to right, each a number an entry.

    Attributes:
        left: of the character's box, in pixels.
        right: half-open.
        top: likewise.
        bottom: half-open.
        stroke: width of its strokes in pixels.
    """

    left: Numbers
    right: Numbers
    top: Numbers
    bottom: Numbers
    stroke: Numbers


def lettering_of(luma: NDArray[np.float32], box: Box) -> Lettering | None:
    """Measure the characters of a line of text.

    Args:
        luma: float32 ``(H, W)``, upright, 0..255.
        box: of the line, in pixels, half-open.

    Returns:
        Its characters; None where ink and ground cannot be told apart. Characters that touch count as one.
    """
    x0, y0, x1, y1 = max(0, box[0]), max(0, box[1]), min(luma.shape[1], box[2]), min(luma.shape[0], box[3])
    part = luma[y0:y1, x0:x1].astype(np.uint8)
    if min(part.shape) < 6:
        return None
    level, _ = cv2.threshold(part, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    dark = part <= level
    if dark.all() or not dark.any() or part[~dark].mean() - part[dark].mean() < _LEAST_CONTRAST:
        return None
    ink = np.asarray(dark if dark.mean() < 0.5 else ~dark, np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    high = stats[:, cv2.CC_STAT_HEIGHT]
    kept = (high > _SHORTEST * part.shape[0]) & (high < _TALLEST * part.shape[0]) & (high >= 5)
    kept[0] = False
    chosen = np.flatnonzero(kept)
    chosen = chosen[np.argsort(stats[chosen, cv2.CC_STAT_LEFT], kind="stable")]
    deep = np.asarray(cv2.distanceTransform(np.pad(ink, 1), cv2.DIST_L2, 5))[1:-1, 1:-1]
    ridge = (deep > 0) & (deep >= cv2.dilate(deep, np.ones((3, 3), np.uint8)) - 1e-3)
    count = np.bincount(labels[ridge], minlength=len(stats))
    width = 2 * np.bincount(labels[ridge], weights=deep[ridge], minlength=len(stats)) / np.maximum(count, 1) - 1
    left, top, wide, tall = (stats[chosen, at].astype(np.float64) for at in range(4))
    return Lettering(x0 + left, x0 + left + wide, y0 + top, y0 + top + tall, width[chosen])


def _height(line: Lettering, run: NDArray[np.bool_]) -> tuple[float, float, float]:
    tall = line.bottom - line.top
    inside, rest = float(np.quantile(tall[run], 0.8)), float(np.quantile(tall[~run], 0.8))
    return abs(float(np.log2(inside / rest))), inside, rest


def _stroke(line: Lettering, run: NDArray[np.bool_]) -> tuple[float, float, float]:
    inside, rest = (max(0.5, float(np.median(line.stroke[some]))) for some in (run, ~run))
    return abs(float(np.log2(inside / rest))), inside, rest


def _baseline(line: Lettering, run: NDArray[np.bool_]) -> tuple[float, float, float]:
    middle = (line.left + line.right) / 2
    x, y = middle[~run], line.bottom[~run]
    first, second = np.triu_indices(len(x), 1)
    apart = x[second] - x[first]
    far = np.abs(apart) > 1
    # The line through the other characters' feet: medians, for g, p and q reach below it.
    slope = float(np.median((y[second] - y[first])[far] / apart[far])) if far.any() else 0.0
    slope = float(np.clip(slope, -0.2, 0.2))
    rest = float(np.median(y - slope * x))
    below = float(np.median(line.bottom[run] - slope * middle[run])) - rest
    return abs(below) / float(np.median(line.bottom - line.top)), below, 0.0


def _spacing(line: Lettering, run: NDArray[np.bool_]) -> tuple[float, float, float]:
    gaps = line.left[1:] - line.right[:-1]
    own = run[1:] & run[:-1]
    if not own.any() or own.all():
        return float("nan"), 0.0, 0.0
    inside, rest = float(np.median(gaps[own])), float(np.median(gaps[~own]))
    return abs(inside - rest) / float(np.median(line.bottom - line.top)), inside, rest


def _never(*_: object) -> Comparison | None:
    return None


def _said(what: str, more: str, less: str) -> Callable[[Comparison], str]:
    def describe(found: Comparison) -> str:
        how = more if found.value > found.reference else less
        return f"{what} {found.value:.1f} pixels, and {found.reference:.1f} in the rest of its line: {how}"

    return describe


def _describe_baseline(found: Comparison) -> str:
    where = "below" if found.value > 0 else "above"
    return f"The characters stand {abs(found.value):.1f} pixels {where} the line through the feet of the others"


_PEERS = "runs of as many characters in this picture"

_WAYS: tuple[tuple[Measure, Callable[[Lettering, NDArray[np.bool_]], tuple[float, float, float]]], ...] = (
    (
        Measure(
            "font_height", "Font Inconsistency", "pixels", 0.05, _never,
            _said("The characters are as high as", "they are higher", "they are lower"), _PEERS,
        ),
        _height,
    ),
    (
        Measure(
            "stroke_width", "Font Inconsistency", "pixels", 0.1, _never,
            _said("The strokes are as wide as", "they are bolder", "they are thinner"), _PEERS,
        ),
        _stroke,
    ),
    (
        Measure("baseline", "Alignment Inconsistency", "pixels", 0.03, _never, _describe_baseline, _PEERS),
        _baseline,
    ),
    (
        Measure(
            "spacing", "Alignment Inconsistency", "pixels", 0.05, _never,
            _said("The gaps between characters are", "they stand wider", "they stand closer"), _PEERS,
        ),
        _spacing,
    ),
)  # fmt: skip

TEXT_MEASURES: tuple[Measure, ...] = tuple(measure for measure, _ in _WAYS)
"""Differences: octaves of height and stroke width; baseline and spacing as shares of the characters' height."""


def measure_lettering(
    luma: NDArray[np.float32],
    lines: Sequence[Box],
    masks: Sequence[NDArray[np.bool_]],
    thresholds: Mapping[str, float],
) -> list[tuple[Measurement, ...]]:
    """Measure the characters in regions against the rest of their lines.

    Args:
        luma: float32 ``(H, W)``, upright.
        lines: boxes of the text lines.
        masks: bool ``(H, W)`` each.
        thresholds: by name of the measurement.

    Returns:
        For each mask what could be measured: nothing where it holds no character, or its line has fewer than three
        others, or the picture fewer than 19 other runs.
    """
    known = [line for line in (lettering_of(luma, box) for box in lines) if line is not None and len(line.left)]
    suspected = np.zeros(luma.shape, bool)
    for mask in masks:
        suspected |= mask
    free = [line for line in known if not _inside(line, suspected).any()]
    return [_measure(known, free, mask, thresholds) for mask in masks]


def _inside(line: Lettering, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which characters of a line have their middle in a mask."""
    x, y = ((low + high) / 2 for low, high in ((line.left, line.right), (line.top, line.bottom)))
    return np.asarray(mask[y.astype(np.intp), x.astype(np.intp)])


def _measure(
    known: Sequence[Lettering], free: Sequence[Lettering], mask: NDArray[np.bool_], thresholds: Mapping[str, float]
) -> tuple[Measurement, ...]:
    runs = [(line, _inside(line, mask)) for line in known]
    line, run = max(runs, key=lambda pair: int(pair[1].sum()), default=(None, np.zeros(0, bool)))
    length = int(run.sum())
    if line is None or not 1 <= length <= _LONGEST_RUN or len(run) - length < _FEWEST_OTHERS:
        return ()
    peers = [
        (other, start)
        for other in free
        for start in range(len(other.left) - length + 1)
        if len(other.left) - length >= _FEWEST_OTHERS
    ]
    if len(peers) < FEWEST:
        return ()
    peers = [peers[at] for at in np.unique(np.linspace(0, len(peers) - 1, _MOST_RUNS).astype(int))]
    found = []
    for measure, way in _WAYS:
        difference, value, reference = way(line, run)
        others = []
        for other, start in peers:
            at = np.arange(len(other.left))
            others.append(way(other, (at >= start) & (at < start + length))[0])
        comparison = Comparison(np.array([difference, *others]), value, reference, {"characters": float(length)})
        ranked = rank(measure, comparison, thresholds[measure.name])
        if ranked is not None:
            found.append(ranked)
    return tuple(found)
