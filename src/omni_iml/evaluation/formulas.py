"""The figures of each picture from its row of counts, as each protocol's own code computes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from omni_iml.evaluation.counting import Row
from omni_iml.evaluation.protocol import Counting, Protocol

Values = NDArray[np.float64]


def picture_values(rows: Sequence[Row], protocol: Protocol, formula: str) -> Values:
    """A figure of each picture.

    Args:
        rows: of one data set and view.
        protocol: whose counting, permutation, empty rule and epsilon hold.
        formula: name in `FORMULAS`.

    Returns:
        float64 ``(N,)``; nan where the figure is not defined, or the protocol leaves the picture out.
    """
    return FORMULAS[formula](rows, protocol)


def counts_of(rows: Sequence[Row], counting: Counting) -> NDArray[np.float64]:
    """float64 ``(4, N)``: TP, FP, FN, TN of each picture.

    Raises:
        KeyError: the rows were not counted so.
    """
    table = np.array([row.counts[counting.name] for row in rows], np.float64).reshape(-1, 4)
    return np.asarray(table.T)


def _ratio(part: Values, whole: Values) -> Values:
    result = np.full(part.shape, np.nan)
    np.divide(part, whole, out=result, where=whole != 0)
    return result


def _iou(c: Values, eps: float) -> Values:
    tp, fp, fn, _ = c
    return _ratio(tp, tp + fp + fn + eps)


def _precision(c: Values, eps: float) -> Values:
    tp, fp, fn, _ = c
    return _zero_if_one_empty(_ratio(tp, tp + fp + eps), tp + fp + fn)


def _recall(c: Values, eps: float) -> Values:
    tp, fp, fn, _ = c
    return _zero_if_one_empty(_ratio(tp, tp + fn + eps), tp + fp + fn)


def _recall_bare(c: Values, _: float) -> Values:
    """Without an epsilon: nan for a mask without tampered pixels."""
    return _ratio(c[0], c[0] + c[2])


def _zero_if_one_empty(values: Values, union: Values) -> Values:
    """Only one of truth and prediction is empty: the missing ratio is 0, as IoU and F1 are."""
    return np.where(np.isnan(values) & (union > 0), 0.0, values)


def _f1(c: Values, eps: float) -> Values:
    p, r = _precision(c, eps), _recall(c, eps)
    return _ratio(2 * p * r, p + r + eps)


def _dice(c: Values, eps: float) -> Values:
    tp, fp, fn, _ = c
    return _ratio(2 * tp, 2 * tp + fp + fn + eps)


def _accuracy(c: Values, eps: float) -> Values:
    return _ratio(c[0] + c[3], c.sum(0))


def _swapped(c: Values) -> Values:
    """The counts of the inverted prediction."""
    return np.asarray(c[[2, 3, 0, 1]])


def _by_counts(formula: Callable[[Values, float], Values]) -> Callable[[Sequence[Row], Protocol], Values]:
    def values(rows: Sequence[Row], protocol: Protocol) -> Values:
        c = counts_of(rows, protocol.counting)
        found = formula(c, protocol.epsilon)
        if protocol.permute == "benco" and formula is _iou:  # its IoU inverts the map, which differs at exactly 0.5
            other = counts_of(rows, replace(protocol.counting, inverted=True))
            found = np.maximum(found, formula(other, protocol.epsilon))
        elif protocol.permute != "none":
            found = np.fmax(found, formula(_swapped(c), protocol.epsilon))
        if protocol.empty == "skip":
            found = np.where(c[0] + c[2] == 0, np.nan, found)
        elif protocol.empty == "one":
            found = np.where(c[0] + c[1] + c[2] == 0, 1.0, found)
        return found

    return values


def _trufor_fixed(rows: Sequence[Row], protocol: Protocol) -> Values:
    """TruFor's F1 at 0.5. Its confusion matrix has one row where one label is all there is, which is then an error."""
    c = counts_of(rows, protocol.counting)
    with np.errstate(invalid="ignore"):
        best = np.maximum(*(2 * x[0] / np.maximum(2 * x[0] + x[1] + x[2], 1e-32) for x in (c, _swapped(c))))
    tp, fp, fn, tn = c
    single = (tp + fp + fn == 0) | (fp + fn + tn == 0)
    return np.where(single, np.nan, best)


def _mean_iou(rows: Sequence[Row], protocol: Protocol) -> Values:
    return _class_mean(counts_of(rows, protocol.counting))


def _mean_iou_permuted(rows: Sequence[Row], protocol: Protocol) -> Values:
    c = counts_of(rows, protocol.counting)
    return np.maximum(_class_mean(c), _class_mean(_swapped(c)))


def _class_mean(c: Values) -> Values:
    tp, fp, fn, tn = c
    return np.asarray((tn / np.maximum(1, tn + fp + fn) + tp / np.maximum(1, tp + fp + fn)) / 2)


def _column(name: str) -> Callable[[Sequence[Row], Protocol], Values]:
    def values(rows: Sequence[Row], _: Protocol) -> Values:
        return np.array([getattr(row, name) for row in rows], np.float64)

    return values


def _auc_benco(rows: Sequence[Row], protocol: Protocol) -> Values:
    """IMDL-BenCo's: 0 for a mask without tampered pixels, nan for one without authentic ones.

    Among equal values its order is whatever torch's unstable sort leaves, so its figure differs from one torch to the
    next; a tie is half a pair here, the middle of what it may give.
    """
    c = counts_of(rows, protocol.counting)
    found = _column("auc")(rows, protocol)
    if protocol.permute == "benco":
        found = np.maximum(found, 1 - found)
    return np.where(c[0] + c[2] == 0, 0.0, found)


FORMULAS: Mapping[str, Callable[[Sequence[Row], Protocol], Values]] = {
    "iou": _by_counts(_iou),
    "precision": _by_counts(_precision),
    "recall": _by_counts(_recall),
    "recall bare": _by_counts(_recall_bare),
    "f1": _by_counts(_f1),
    "dice": _by_counts(_dice),
    "accuracy": _by_counts(_accuracy),
    "dice fixed": _trufor_fixed,
    "best f1": _column("best_f1"),
    "mean iou": _mean_iou,
    "mean iou permuted": _mean_iou_permuted,
    "auc": _column("auc"),
    "auc of benco": _auc_benco,
}
"""Formula of each picture by name."""
