"""From rows of counts to the figures of a data set under a protocol, with intervals and with all that was left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omni_iml.evaluation.counting import Row
from omni_iml.evaluation.formulas import Values, counts_of, picture_values
from omni_iml.evaluation.protocol import Protocol
from omni_iml.metrics.auc import roc_auc_from_histograms
from omni_iml.metrics.bootstrap import Estimate, resampled
from omni_iml.metrics.image_level import FIGURES, image_figures


@dataclass(frozen=True)
class SetScore:
    """One data set under one protocol.

    Attributes:
        data: name of the data set.
        domain: of it.
        protocol: name of the protocol; where it makes an exception of this set, the other's.
        asked: name of the protocol that was asked for.
        view: what the model was shown.
        n: pictures scored.
        n_authentic: those of them that the data set calls authentic.
        n_empty: those that it calls tampered although their mask has no tampered pixel.
        pixel: pixel figures by name; `Estimate.skipped` counts the pictures whose figure was nan.
        image: figures of whole pictures by name; empty without both classes.
        image_score: what the pictures' scores are: "classifier", "maximum" or "top".
        n_scored: pictures with such a score.
        with_authentic: the first pixel figure if authentic pictures counted as the protocol's own code counts them when
            it meets some; nan where there is none.
    """

    data: str
    domain: str
    protocol: str
    asked: str
    view: str
    n: int
    n_authentic: int
    n_empty: int
    pixel: Mapping[str, Estimate]
    image: Mapping[str, Estimate]
    image_score: str
    n_scored: int
    with_authentic: float

    @property
    def n_nan(self) -> int:
        """The most pictures that a pixel figure left out because it was nan for them."""
        return max((estimate.skipped for estimate in self.pixel.values()), default=0)


def score_set(rows: Sequence[Row], protocol: Protocol, *, resamples: int = 1000, seed: int = 0) -> SetScore:
    """Score one data set in one view.

    Args:
        rows: of one data set and one view, in the order of the data set.
        protocol: as asked for; its exceptions are looked up.
        resamples: of the bootstrap over pictures.
        seed: of it.

    Raises:
        ValueError: no row, or rows of several sets or views.
    """
    if len({(row.data, row.view) for row in rows}) != 1:
        raise ValueError("give the rows of one data set in one view, at least one.")
    first, actual = rows[0], protocol.of(rows[0].data)
    looked_at = [row for row in rows if actual.pictures == "all" or row.label]
    pixel = {name: _estimate(looked_at, actual, formula, resamples, seed) for name, formula in actual.figures.items()}
    kind = actual.image_score
    if kind == "classifier" and not any(math.isfinite(row.score) for row in rows):
        kind = "maximum"  # masks made by anybody come without a score; the result says what stood in
    scores, labels = image_scores(rows, kind)
    formula = next(iter(actual.figures.values()))
    everything = _estimate(rows, actual, formula, 0, seed).mean if len(looked_at) < len(rows) else math.nan
    return SetScore(
        data=first.data,
        domain=first.domain,
        protocol=actual.name,
        asked=protocol.name,
        view=first.view,
        n=len(rows),
        n_authentic=sum(row.label == 0 for row in rows),
        n_empty=sum(row.label == 1 and _is_empty(row, actual) for row in rows),
        pixel=pixel,
        image=_image(scores, labels, resamples, seed),
        image_score=kind,
        n_scored=int(scores.size),
        with_authentic=everything,
    )


def _is_empty(row: Row, protocol: Protocol) -> bool:
    tp, _, fn, _ = row.counts[protocol.counting.name]
    return tp + fn == 0


def image_scores(rows: Sequence[Row], kind: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores and labels of the pictures that have a score of this kind.

    Args:
        rows: of any sets.
        kind: "classifier", "maximum" or "top".
    """
    name = {"classifier": "score", "maximum": "maximum", "top": "top"}[kind]
    scores = np.array([getattr(row, name) for row in rows], np.float64)
    known = np.isfinite(scores)
    return scores[known], np.array([row.label == 1 for row in rows], np.bool_)[known]


def _estimate(rows: Sequence[Row], protocol: Protocol, formula: str, resamples: int, seed: int) -> Estimate:
    if formula == "pooled auc":
        return _pooled_auc(rows, resamples, seed)
    columns, combine, batch = _OF_SETS.get(formula, _plain(formula))(rows, protocol)
    undefined = np.isnan(columns).any(0)
    n, skipped = int((~undefined).sum()), int(undefined.sum())
    if n == 0 or (skipped and protocol.undefined == "spoil"):
        return Estimate(math.nan, math.nan, math.nan, n, skipped)
    defined = columns[:, ~undefined]
    point = float(combine(_batched_mean(defined, batch)[:, None])[0])
    return _with_interval(point, defined, combine, skipped, resamples, seed)


def _with_interval(
    point: float, columns: Values, combine: Callable[[Values], Values], skipped: int, resamples: int, seed: int
) -> Estimate:
    n = columns.shape[1]
    if n < 2 or resamples < 1:
        return Estimate(point, math.nan, math.nan, n, skipped)
    drawn = combine(resampled(columns, resamples, seed))
    low, high = np.quantile(drawn[~np.isnan(drawn)], [0.025, 0.975]) if not np.isnan(drawn).all() else (math.nan,) * 2
    return Estimate(point, float(low), float(high), n, skipped)


def _batched_mean(columns: Values, batch: int) -> Values:
    if not batch:
        return np.asarray(columns.mean(1))
    parts = [columns[:, start : start + batch].mean(1) for start in range(0, columns.shape[1], batch)]
    return np.asarray(np.mean(parts, 0))


_Means = tuple[Values, Callable[[Values], Values], int]
"""Values of each picture ``(K, N)``, their means ``(K, R)`` to the figure ``(R,)``, and how many are a batch."""


def _plain(formula: str) -> Callable[[Sequence[Row], Protocol], _Means]:
    def means(rows: Sequence[Row], protocol: Protocol) -> _Means:
        return picture_values(rows, protocol, formula)[None], lambda values: np.asarray(values[0]), protocol.batch

    return means


def _pooled_iou(rows: Sequence[Row], protocol: Protocol) -> _Means:
    tp, fp, fn, _ = counts_of(rows, protocol.counting)
    return np.stack([tp, tp + fp + fn]), lambda means: _divide(means[0], means[1]), 0


def _f1_of_means(rows: Sequence[Row], protocol: Protocol) -> _Means:
    columns = np.stack([picture_values(rows, protocol, name) for name in ("precision", "recall bare")])

    def combine(means: Values) -> Values:
        return np.asarray(2 * means[0] * means[1] / (means[0] + means[1] + protocol.epsilon))

    return columns, combine, protocol.batch


_OF_SETS: Mapping[str, Callable[[Sequence[Row], Protocol], _Means]] = {
    "pooled iou": _pooled_iou,
    "f1 of means": _f1_of_means,
}
"""Figures that no single picture has. "pooled auc" is the third."""

_FEW_PICTURES = 1000  # a histogram of each is held for the bootstrap


def _pooled_auc(rows: Sequence[Row], resamples: int, seed: int) -> Estimate:
    """The set's pixels as if they were one picture's; an interval only where the histograms fit into little memory."""
    point, _ = pooled_auc(rows)
    if math.isnan(point):
        return Estimate(math.nan, math.nan, math.nan, 0, len(rows))
    if len(rows) > _FEW_PICTURES:
        return Estimate(point, math.nan, math.nan, len(rows), 0)

    def combine(means: Values) -> Values:
        above, below = np.split(means, 2)
        return _divide((above * (2 * np.cumsum(below, 0) - below)).sum(0), 2 * above.sum(0) * below.sum(0))

    columns = np.array([np.concatenate([row.tampered, row.authentic]) for row in rows], np.float64).T
    return _with_interval(point, columns, combine, 0, min(resamples, 200), seed)


def _divide(part: Values, whole: Values) -> Values:
    result = np.full(part.shape, np.nan)
    np.divide(part, whole, out=result, where=whole != 0)
    return result


def pooled_auc(rows: Iterable[Row]) -> tuple[float, float]:
    """AUC over all pixels of some pictures, exact for maps of 8 bits, and how far it may be off for others.

    Returns:
        The AUC, and half the share of (tampered, authentic) pairs that fall into one bin.
    """
    tampered = authentic = np.zeros(1, np.int64)
    for row in rows:
        tampered, authentic = tampered + row.tampered, authentic + row.authentic
    pairs = int(tampered.sum()) * int(authentic.sum())
    shared = sum(int(a) * int(b) for a, b in zip(tampered, authentic, strict=True))
    return roc_auc_from_histograms(tampered, authentic), shared / (2 * pairs) if pairs else math.nan


def _image(scores: NDArray[np.float64], labels: NDArray[np.bool_], resamples: int, seed: int) -> dict[str, Estimate]:
    if labels.all() or not labels.any():
        return {}
    point = image_figures(scores, labels)
    rng = np.random.default_rng(seed)
    draws: dict[str, list[float]] = {name: [] for name in FIGURES}
    for _ in range(min(resamples, 400)):
        chosen = rng.integers(0, scores.size, scores.size)
        for name, figure in FIGURES.items():
            draws[name].append(figure(scores[chosen], labels[chosen]))
    return {name: _interval(value, draws[name], scores.size) for name, value in point.items()}


def _interval(value: float, draws: list[float], n: int) -> Estimate:
    kept = [draw for draw in draws if not math.isnan(draw)]
    if not kept:
        return Estimate(value, math.nan, math.nan, n, 0)
    low, high = np.quantile(kept, [0.025, 0.975])
    return Estimate(value, float(low), float(high), n, 0)


def mean_of(values: Iterable[float]) -> float:
    """Plain mean of what is defined; nan where nothing is."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def domain_means(scores: Sequence[SetScore], figure: str) -> dict[str, float]:
    """Averages as the papers' tables have them: pictures -> set -> domain -> mean of the domains.

    Args:
        scores: of one protocol.
        figure: name of a pixel figure.

    Returns:
        Domain -> mean over its sets, in the order of first appearance, and "average" over the domains.
    """
    sets: dict[str, list[float]] = {}
    for score in scores:
        if figure in score.pixel:
            sets.setdefault(score.domain, []).append(score.pixel[figure].mean)
    means = {domain: mean_of(values) for domain, values in sets.items()}
    return {**means, "average": mean_of(means.values())}
