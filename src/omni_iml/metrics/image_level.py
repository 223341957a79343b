"""Figures of whole pictures: was it tampered with, from one score a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omni_iml.metrics.auc import roc_auc

Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]

CALIBRATION_BINS = 15


def accuracy(scores: Scores, labels: Labels) -> float:
    """Share of pictures on the right side of 0.5 (strictly above = tampered)."""
    return float(np.mean((scores > 0.5) == labels)) if scores.size else math.nan


def balanced_accuracy(scores: Scores, labels: Labels) -> float:
    """Mean of the recalls of both classes at 0.5; nan without both classes."""
    return (sensitivity(scores, labels) + specificity(scores, labels)) / 2


def sensitivity(scores: Scores, labels: Labels) -> float:
    """Share of the tampered pictures above 0.5; nan without one."""
    return float(np.mean(scores[labels] > 0.5)) if labels.any() else math.nan


def specificity(scores: Scores, labels: Labels) -> float:
    """Share of the authentic pictures not above 0.5; nan without one."""
    return float(np.mean(scores[~labels] <= 0.5)) if not labels.all() else math.nan


def f1(scores: Scores, labels: Labels) -> float:
    """F1 of the class "tampered" at 0.5 over the pooled pictures, with IMDL-BenCo's epsilon of 1e-9."""
    called = scores > 0.5
    tp, fp, fn = (float(np.sum(x)) for x in (called & labels, called & ~labels, ~called & labels))
    p, r = tp / (tp + fp + 1e-9), tp / (tp + fn + 1e-9)
    return 2 * p * r / (p + r + 1e-9)


def f1_of_rates(scores: Scores, labels: Labels) -> float:
    """What MVSS-Net's evaluation calls F1: the harmonic mean of sensitivity and specificity; nan where both are 0."""
    called = scores > 0.5
    tp, fp, fn, tn = (
        float(np.sum(x)) for x in (called & labels, called & ~labels, ~called & labels, ~called & ~labels)
    )
    sen, spe = tp / (tp + fn + 1e-6), tn / (tn + fp + 1e-6)
    return 2 * sen * spe / (sen + spe) if sen + spe else math.nan


def auc(scores: Scores, labels: Labels) -> float:
    """Tie-aware ROC AUC; nan without both classes."""
    return roc_auc(scores, labels)


def recall_at(rate: float) -> Callable[[Scores, Labels], float]:
    """The largest recall at no more than this share of false alarms.

    Args:
        rate: share of authentic pictures that may be called tampered, 0..1.
    """

    def recall(scores: Scores, labels: Labels) -> float:
        false, true = _roc(scores, labels)
        return float(true[false <= rate].max()) if false.size else math.nan

    return recall


def equal_error_rate(scores: Scores, labels: Labels) -> float:
    """Where false alarms and misses are equally frequent, on the straight line between two points of the ROC."""
    false, true = _roc(scores, labels)
    if not false.size:
        return math.nan
    gap = false - (1 - true)  # rises from -1 to 1
    after = int(np.argmax(gap >= 0))
    if gap[after] == 0:
        return float(false[after])
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(false[after - 1] + share * (false[after] - false[after - 1]))


def calibration_error(scores: Scores, labels: Labels) -> float:
    """Expected calibration error over `CALIBRATION_BINS` bins of equal width (Guo et al. 2017)."""
    if not scores.size:
        return math.nan
    bins = np.minimum((scores * CALIBRATION_BINS).astype(np.intp), CALIBRATION_BINS - 1)
    gap = np.bincount(bins, scores - labels, CALIBRATION_BINS)
    return float(np.abs(gap).sum() / scores.size)


def _roc(scores: Scores, labels: Labels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """False and true positive rates at every distinct threshold, from none called to all; empty for one class alone."""
    if labels.all() or not labels.any():
        return np.zeros(0), np.zeros(0)
    order = np.argsort(-scores, kind="stable")
    ordered, label = scores[order], labels[order]
    ends = np.append(np.flatnonzero(np.diff(ordered)), ordered.size - 1)
    true = np.cumsum(label)[ends]
    false = ends + 1 - true
    return np.append(0, false / false[-1]), np.append(0, true / true[-1])


FIGURES: Mapping[str, Callable[[Scores, Labels], float]] = {
    "image AUC": auc,
    "image accuracy": accuracy,
    "image balanced accuracy": balanced_accuracy,
    "image F1": f1,
    "image F1 of rates": f1_of_rates,
    "recall at 1% false alarms": recall_at(0.01),
    "recall at 5% false alarms": recall_at(0.05),
    "equal error rate": equal_error_rate,
    "calibration error": calibration_error,
}
"""Every figure by the name that results print."""


def image_figures(scores: ArrayLike, labels: ArrayLike) -> dict[str, float]:
    """All figures of a set.

    Args:
        scores: ``(N,)``, one a picture, 0..1; those that are nan must be left out and counted by the caller.
        labels: bool ``(N,)``, True = tampered.

    Raises:
        ValueError: the lengths differ, or a score is nan or outside 0..1.
    """
    s, t = np.asarray(scores, np.float64), np.asarray(labels, np.bool_)
    if s.ndim != 1 or s.shape != t.shape:
        raise ValueError(f"scores {s.shape} and labels {t.shape} must be one row of one length.")
    if s.size and not (s.min() >= 0 and s.max() <= 1):
        raise ValueError("a score is nan or outside 0 to 1; calibrate it first.")
    return {name: figure(s, t) for name, figure in FIGURES.items()}
