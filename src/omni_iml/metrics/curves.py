"""All that depends on the order of a map's values, from one sort: AUC, the best F1, a histogram for whole sets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 2048
"""Bins of the histograms, 1/64 wide in log-odds from -16 to 16: values of 8 bits each have a bin of their own."""

TOP_SHARE = 0.01
"""Share of a picture's pixels, at least one, whose mean is the top-k score."""

_CHUNK = 1 << 15  # what stays in a processor's cache

_EDGES: NDArray[np.float32] = (1 / (1 + np.exp(-(np.arange(1, BINS) / 64 - 16)))).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Curves:
    """Figures of one map against its truth.

    Attributes:
        auc: tie-aware ROC AUC, exact; nan without pixels of both classes.
        best_f1: over all thresholds that are values of the map, and over map and inverted map, on the kept pixels; nan
            where none is kept.
        tampered: int64 ``(BINS,)``, tampered pixels in each bin of the map's values, lowest first.
        authentic: int64 ``(BINS,)``, authentic ones.
        maximum: largest value of the map.
        top: mean of the largest `TOP_SHARE` of its values.
    """

    auc: float
    best_f1: float
    tampered: NDArray[np.int64]
    authentic: NDArray[np.int64]
    maximum: float
    top: float


def curves(probability: NDArray[np.float32], truth: NDArray[np.bool_], kept: NDArray[np.bool_]) -> Curves:
    """Sort a map once and read everything off; about 60 bytes a pixel beside the map.

    Args:
        probability: float32 ``(H, W)``, 0..1, not nan.
        truth: bool ``(H, W)``, True = tampered.
        kept: bool ``(H, W)``, the pixels that the best F1 looks at.

    Raises:
        ValueError: the shapes differ, the map is empty, or a value is outside 0..1 or nan.
    """
    if not probability.shape == truth.shape == kept.shape or not probability.size:
        raise ValueError(f"map {probability.shape}, truth {truth.shape} and band {kept.shape} must have one size.")
    values = probability.ravel().astype(np.float32, copy=False)
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 1):
        raise ValueError("the map holds nan or values outside 0 to 1; give probabilities.")
    ordered, label, inside_band = _sorted(values, truth.ravel(), kept.ravel())
    found = np.cumsum(label, dtype=np.int32)
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]).astype(np.int32), np.int32(values.size - 1))
    up_to = found[ends] if ends.size < values.size else found  # tampered pixels not above each value
    tampered = np.diff(up_to, prepend=np.int32(0))
    below = ends + np.int32(1) - up_to  # authentic pixels not above each value
    positives = int(found[-1])
    pairs = positives * (values.size - positives)
    # A tampered pixel wins against the authentic ones below its value, and half against those of its value.
    doubled = _dot(tampered[1:], below[:-1] + below[1:]) + int(tampered[0]) * int(below[0])

    bounds = np.concatenate([[0], np.searchsorted(ordered, _EDGES, side="left"), [values.size]])
    tampered_bins = np.diff(np.where(bounds > 0, found[np.maximum(bounds, 1) - 1], 0)).astype(np.int64)
    top = max(1, math.ceil(TOP_SHARE * values.size))
    return Curves(
        auc=doubled / (2 * pairs) if pairs else math.nan,
        best_f1=_best_f1(ends, label, inside_band),
        tampered=tampered_bins,
        authentic=np.diff(bounds) - tampered_bins,
        maximum=high,
        top=float(ordered[-top:].mean(dtype=np.float64)),
    )


def _sorted(
    values: NDArray[np.float32], label: NDArray[np.bool_], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Values, smallest first, and what goes with them.

    The bits of numbers from 0 to 1 rise with them and leave two of 32 free, which carry the flags: sorting whole
    numbers is several times as fast as sorting an index.
    """
    key = (values + np.float32(0)).view(np.uint32) << 2  # adding zero turns -0 into 0
    key |= label
    key |= kept.astype(np.uint32) << 1
    key.sort()
    return (key >> 2).view(np.float32), (key & 1) != 0, (key & 2) != 0


def _dot(a: NDArray[np.int32], b: NDArray[np.int32]) -> int:
    """Exact sum of products: float64 has all whole numbers up to 2**53."""
    return sum(
        int(np.dot(a[i : i + _CHUNK].astype(np.float64), b[i : i + _CHUNK].astype(np.float64)))
        for i in range(0, a.size, _CHUNK)
    )


def _best_f1(ends: NDArray[np.int32], label: NDArray[np.bool_], kept: NDArray[np.bool_]) -> float:
    """TruFor's best F1: prediction = map > t for each value t of the map among the kept pixels.

    Args:
        ends: place of the last pixel of each value, in ascending order.
        label: of the pixels in that order.
        kept: likewise.
    """
    missed_at = np.cumsum(label & kept, dtype=np.int32)
    left_at = np.cumsum(kept, dtype=np.int32)
    positives, size = int(missed_at[-1]), int(left_at[-1])
    if not size:
        return math.nan
    missed, left = missed_at[ends], left_at[ends]
    first = int(np.searchsorted(left, 1))  # below the smallest kept value, nothing is a threshold
    best = 0.0
    for start in range(first, ends.size, _CHUNK):
        fn, under = (x[start : start + _CHUNK].astype(np.float64) for x in (missed, left))
        # F1 = 2 TP / (called + positives); of the inverted map, 2 FN / (not called + positives).
        plain = 2 * (positives - fn) / np.maximum(size + positives - under, 1)
        swapped = 2 * fn / (under + positives)
        best = max(best, float(plain.max()), float(swapped.max()))
    return best
