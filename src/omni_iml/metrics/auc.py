"""Area under the ROC curve, with ties counted as half: P(score of a tampered pixel > score of an authentic one)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omni_iml.metrics.counts import kept_pixels

_NEEDLES = 1 << 20  # positives ranked at a time: bounds the two int64 rank arrays to 16 MB


def roc_auc(score: ArrayLike, truth: ArrayLike, valid: ArrayLike | None = None) -> float:
    """Tie-aware ROC AUC of a score map, exact.

    The Mann-Whitney statistic is summed in whole numbers, so the only rounding is the final division. Scores of 8 bits
    need no sort; others cost O(n log n) time and a copy of the scores in their own type.

    Args:
        score: numbers of any shape, higher = more likely tampered; not nan.
        truth: bool or integer of the same shape; 0 = authentic, 1 = tampered, 255 = ignored.
        valid: bool or 0/1 of the same shape; pixels that are 0 here are left out as well.

    Returns:
        0..1; nan when one of the two classes has no pixel, because there is no curve then.

    Raises:
        ValueError: the shapes differ, a score is nan, or a label is none of those above.
    """
    score, truth = np.asarray(score), np.asarray(truth)
    if score.shape != truth.shape:
        raise ValueError(
            f"the scores have the shape {score.shape} and the truth {truth.shape}; "
            "bring both to the truth's size before scoring."
        )
    if np.issubdtype(score.dtype, np.floating) and bool(np.isnan(score).any()):
        raise ValueError("the scores hold nan, which has no rank; find out where the model produced it.")
    kept = kept_pixels(truth, valid)
    tampered = truth == 1
    positives, negatives = score[kept & tampered], score[kept & ~tampered]
    if score.dtype == np.bool_ or score.dtype == np.uint8:
        return roc_auc_from_histograms(
            np.bincount(positives.astype(np.uint8), minlength=256),
            np.bincount(negatives.astype(np.uint8), minlength=256),
        )
    if not positives.size or not negatives.size:
        return math.nan
    positives.sort()
    negatives.sort()
    doubled: int = 0  # twice the number of pairs in the right order, a tie being half a pair
    for start in range(0, positives.size, _NEEDLES):
        needles = positives[start : start + _NEEDLES]
        doubled += int(np.searchsorted(negatives, needles, side="left").sum(dtype=np.int64))
        doubled += int(np.searchsorted(negatives, needles, side="right").sum(dtype=np.int64))
    return doubled / (2 * int(positives.size) * int(negatives.size))


def roc_auc_from_histograms(positives: ArrayLike, negatives: ArrayLike) -> float:
    """ROC AUC from how often each score level occurs: for 8-bit maps (exact) and for sets too large to hold.

    Scores that share a level count as ties, so with binned scores the result differs from the exact one by at most
    half the share of (tampered, authentic) pairs that fall into one bin.

    Args:
        positives: whole numbers ``(K,)``, tampered pixels at each level, lowest level first.
        negatives: whole numbers ``(K,)``, authentic pixels at each level.

    Returns:
        0..1; nan when one of the two histograms is empty.

    Raises:
        ValueError: the histograms are not whole numbers of zero or more of one length.
    """
    above, below = _histogram(positives, "positives"), _histogram(negatives, "negatives")
    if above.shape != below.shape:
        raise ValueError(f"the histograms have {above.size} and {below.size} levels; bin both by the same edges.")
    n_above, n_below = int(above.sum()), int(below.sum())
    if not n_above or not n_below:
        return math.nan
    # Negatives strictly below a level twice, plus those at the level once.
    ranks = 2 * np.cumsum(below) - below
    # Python integers: the products of many pictures' counts would not fit 64 bits.
    doubled = sum(int(count) * int(rank) for count, rank in zip(above, ranks, strict=True) if count)
    return doubled / (2 * n_above * n_below)


def _histogram(counts: ArrayLike, name: str) -> NDArray[np.int64]:
    values = np.asarray(counts)
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer) or (values.size and values.min() < 0):
        raise ValueError(f"{name} must be one row of whole numbers of zero or more; use numpy.bincount.")
    return values.astype(np.int64)
