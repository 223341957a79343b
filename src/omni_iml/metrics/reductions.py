"""IoU, precision, recall and F1 of each picture, from its confusion counts.

Two kinds of zero denominator can occur, and both are the caller's choice:

* truth **and** prediction are empty (a clean authentic picture): nothing was there and nothing was called, so every
  metric here takes the value ``both_empty``. The default nan means "skipped and counted":
  `omni_iml.metrics.bootstrap.bootstrap_mean` leaves it out of the mean and says how often. Some papers take 1.0,
  some 0.0.
* only one of the two is empty: precision of an empty prediction, or recall on an empty truth, takes ``one_empty``, by
  default 0.0, which agrees with IoU and F1, whose denominators are not zero then and whose value is 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from omni_iml.metrics.counts import Counts


def iou(counts: Counts, *, both_empty: float = math.nan) -> NDArray[np.float64]:
    """Intersection over union of the tampered pixels, TP / (TP + FP + FN).

    Args:
        counts: N pictures.
        both_empty: value where truth and prediction are empty.

    Returns:
        float64 ``(N,)``, 0..1.
    """
    return _ratio(counts.tp, counts.tp + counts.fp + counts.fn, both_empty)


def f1(counts: Counts, *, both_empty: float = math.nan) -> NDArray[np.float64]:
    """Pixel F1 (Dice), 2 TP / (2 TP + FP + FN).

    Args:
        counts: N pictures.
        both_empty: value where truth and prediction are empty.

    Returns:
        float64 ``(N,)``, 0..1.
    """
    return _ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn, both_empty)


def precision(counts: Counts, *, both_empty: float = math.nan, one_empty: float = 0.0) -> NDArray[np.float64]:
    """Share of the pixels called tampered that are, TP / (TP + FP).

    Args:
        counts: N pictures.
        both_empty: value where truth and prediction are empty.
        one_empty: value where the prediction alone is empty.

    Returns:
        float64 ``(N,)``, 0..1.
    """
    values = _ratio(counts.tp, counts.tp + counts.fp, one_empty)
    values[_both_empty(counts)] = both_empty
    return values


def recall(counts: Counts, *, both_empty: float = math.nan, one_empty: float = 0.0) -> NDArray[np.float64]:
    """Share of the tampered pixels that were found, TP / (TP + FN).

    Args:
        counts: N pictures.
        both_empty: value where truth and prediction are empty.
        one_empty: value where the truth alone is empty.

    Returns:
        float64 ``(N,)``, 0..1.
    """
    values = _ratio(counts.tp, counts.tp + counts.fn, one_empty)
    values[_both_empty(counts)] = both_empty
    return values


def false_alarm_area(counts: Counts) -> NDArray[np.float64]:
    """Share of the authentic pixels called tampered, FP / (FP + TN); nan where the picture has none.

    Args:
        counts: N pictures; on authentic ones this is the share of the whole picture.

    Returns:
        float64 ``(N,)``, 0..1.
    """
    return _ratio(counts.fp, counts.fp + counts.tn, math.nan)


def _both_empty(counts: Counts) -> NDArray[np.bool_]:
    return np.asarray(counts.tp + counts.fp + counts.fn == 0)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64], empty: float) -> NDArray[np.float64]:
    result = np.full(part.shape, empty, np.float64)
    np.divide(part, whole, out=result, where=whole > 0)
    return result
