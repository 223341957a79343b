"""All that depends on the order of a map's values, from one sort: AUCs, the best F1, a histogram for whole sets.

Three AUCs go by one name in the field and are kept apart here: the tie-aware one (a tie is half a pair), IMDL-BenCo's
(ties in raster order, so that a constant map gets what the mask's place gives it), and the same of the inverted map.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 2048
"""Bins of the histograms, 1/64 wide in log-odds from -16 to 16: values of 8 bits each have a bin of their own."""

TOP_SHARE = 0.01
"""Share of a picture's pixels, at least one, whose mean is the top-k score."""

_EDGES: NDArray[np.float32] = (1 / (1 + np.exp(-(np.arange(1, BINS) / 64 - 16)))).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Curves:
    """Figures of one map against its truth.

    Attributes:
        auc: tie-aware ROC AUC, exact; nan without pixels of both classes, as are the next two.
        auc_raster: ties in raster order, the earlier pixel ranked higher.
        auc_inverted: the same of 1 - map, in float32.
        best_f1: over all thresholds that are values of the map, and over map and inverted map, on the kept pixels; nan
            where none is kept.
        tampered: int64 ``(BINS,)``, tampered pixels in each bin of the map's values, lowest first.
        authentic: int64 ``(BINS,)``, authentic ones.
        maximum: largest value of the map.
        top: mean of the largest `TOP_SHARE` of its values.
    """

    auc: float
    auc_raster: float
    auc_inverted: float
    best_f1: float
    tampered: NDArray[np.int64]
    authentic: NDArray[np.int64]
    maximum: float
    top: float


def curves(probability: NDArray[np.float32], truth: NDArray[np.bool_], kept: NDArray[np.bool_]) -> Curves:
    """Sort a map once and read everything off; at most 60 bytes a pixel beside the map.

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
    flat = truth.ravel()
    order = _descending(values)
    ordered, label = values[order], flat[order]
    found = np.cumsum(label, dtype=np.int64)
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), values.size - 1)  # last of each group of ties
    positives = int(found[-1])
    pairs = positives * (values.size - positives)

    at_end = found[ends]
    total = ends + 1
    before = np.append(0, at_end[:-1])
    inside = at_end - before
    authentic_inside = np.diff(total, prepend=0) - inside
    doubled = int((authentic_inside * (2 * before + inside)).sum())
    inverted = np.float32(1) - values
    bounds = values.size - np.searchsorted(ordered[::-1], _EDGES, side="left")  # how many lie at or above each edge
    above = np.concatenate([[values.size], bounds, [0]])
    tampered_above = np.concatenate([[positives], np.where(bounds > 0, found[np.maximum(bounds, 1) - 1], 0), [0]])
    tampered = -np.diff(tampered_above)
    top = max(1, math.ceil(TOP_SHARE * values.size))
    return Curves(
        auc=doubled / (2 * pairs) if pairs else math.nan,
        auc_raster=_raster_auc(label, found) if pairs else math.nan,
        auc_inverted=_raster_auc(*_labels(inverted, flat)) if pairs else math.nan,
        best_f1=_best_f1(ordered, label, kept.ravel()[order]),
        tampered=tampered.astype(np.int64),
        authentic=(-np.diff(above) - tampered).astype(np.int64),
        maximum=high,
        top=float(ordered[:top].mean(dtype=np.float64)),
    )


def _descending(values: NDArray[np.float32]) -> NDArray[np.intp]:
    """Order of non-negative numbers, largest first, ties as they come: a radix sort in two passes of 16 bits."""
    bits = ~(values + np.float32(0)).view(np.uint32)  # adding zero turns -0 into 0
    order = np.argsort(bits.astype(np.uint16), kind="stable")
    return np.asarray(order[np.argsort((bits >> 16).astype(np.uint16)[order], kind="stable")])


def _labels(values: NDArray[np.float32], flat: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    label = flat[_descending(values)]
    return label, np.cumsum(label, dtype=np.int64)


def _raster_auc(label: NDArray[np.bool_], found: NDArray[np.int64]) -> float:
    """Share of (tampered, authentic) pairs of which the tampered one comes first."""
    positives = int(found[-1])
    # Python integers: at 100 million pixels the product is beyond float64's whole numbers.
    return int(found[~label].sum()) / (positives * (label.size - positives))


def _best_f1(ordered: NDArray[np.float32], label: NDArray[np.bool_], kept: NDArray[np.bool_]) -> float:
    """TruFor's best F1: prediction = map > t for each value t of the map among the kept pixels."""
    ordered, label = ordered[kept], label[kept]
    if not ordered.size:
        return math.nan
    starts = np.append(0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)  # pixels above t, for each t
    found = np.append(0, np.cumsum(label, dtype=np.int64))
    tp = found[starts]
    fp = starts - tp
    fn = found[-1] - tp
    tn = label.size - starts - fn
    plain = 2 * tp / np.maximum(2 * tp + fp + fn, 1)
    swapped = 2 * fn / np.maximum(2 * fn + tn + tp, 1)
    return float(max(plain.max(), swapped.max()))
