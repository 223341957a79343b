"""Calibrate the image-level score on whole pictures, so that false alarms do not grow with the size of the picture.

A picture's logit is the largest of its tiles' logits, and the larger the picture, the larger that of authentic ones.
So ``score = sigmoid(scale * logit + bias + log_tiles * ln(size))``, the size in 512x512 pixels, is fitted on judged
pictures of all sizes that the sources have, and on pictures of up to 64 tiles put together from those of one tile: an
authentic one from authentic tiles, a tampered one with one tampered tile among them.

The verdict "tampered" begins where false alarms are rare enough at every size, in every domain, and among files that
nobody ever touched: those are what users have, and among many synthetic pictures their false alarms would go unseen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from omni_iml.inference.verdict import UNIT_AREA
from omni_iml.types import Grade

TILE_COUNTS = (4, 9, 16, 36, 64)
"""Tiles of the pictures that are put together, side by side without overlap."""

SIZE_BINS = (0.0, 0.5, 1.5, 4.0, np.inf)
"""Borders, in 512x512 pixels, of the sizes at which false alarms are bounded one by one."""

GRADES: tuple[Grade, ...] = ("good", "limited", "poor")
FEWEST = 20
"""Pictures of a class and size, or grade, without which nothing is concluded from it."""

_ASSEMBLED = 400


class Picture(Protocol):
    """What calibration needs to know of a judged picture; `omni_iml.evaluation.whole_pictures.Judged` is one."""

    @property
    def tampered(self) -> bool:
        """What the picture is."""

    @property
    def domain(self) -> str:
        """Name of its domain."""

    @property
    def kind(self) -> str:
        """How it was made: "synthetic", or "source" for a file as it was found."""

    @property
    def pixels(self) -> int:
        """Height times width."""

    @property
    def grade(self) -> Grade:
        """Fitness of the file."""

    @property
    def logit(self) -> float:
        """The largest image-level logit of its tiles."""


@dataclass(frozen=True)
class Calibration:
    """Fitted calibration and thresholds.

    Attributes:
        scale: of the logit.
        bias: added.
        log_tiles: times ln(size), added; the size in 512x512 pixels, at least 1.
        tampered_at: score that at most ``false_alarms`` of authentic pictures of any size, domain or kind reach.
        no_trace_below: score that at most ``missed`` of tampered pictures stay below.
        no_trace_grades: grades of fitness of which ``no_trace_below`` holds that too: of others the model cannot know.
    """

    scale: float
    bias: float
    log_tiles: float
    tampered_at: float
    no_trace_below: float
    no_trace_grades: tuple[Grade, ...] = ("good", "limited")

    def score(self, logits: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores in 0..1 of pictures with these largest logits and sizes in 512x512 pixels."""
        z = self.scale * logits + self.bias + self.log_tiles * np.log(np.maximum(sizes, 1.0))
        return np.asarray(1 / (1 + np.exp(-z)))


def calibrate(
    pictures: Sequence[Picture], *, tile: int, false_alarms: float = 0.05, missed: float = 0.2, seed: int = 0
) -> Calibration:
    """Fit on judged pictures.

    Args:
        pictures: tampered and authentic ones, of all sizes.
        tile: side of the model's tiles, pixels.
        false_alarms: largest share of authentic pictures called tampered: at every size, and in every domain and kind
            of which 20 pictures are authentic.
        missed: largest share of tampered pictures said to show no trace, at every size.
        seed: of the drawing of tiles.

    Raises:
        ValueError: fewer than 20 pictures of a class that are one tile large, or logits that do not tell the classes
            apart at all.
    """
    groups = [*_by_size(pictures), *_assembled(pictures, tile, seed)]
    logits, sizes, truth = (np.concatenate(column) for column in zip(*groups, strict=True))
    # Each group has the same say, however many pictures of its size there are.
    weight = np.concatenate([np.full(len(group[0]), 1 / len(group[0])) for group in groups]) * len(logits) / len(groups)
    features = np.stack([logits, np.log(np.maximum(sizes, 1.0))], 1)
    fit = LogisticRegression(C=1e6).fit(features, truth, sample_weight=weight)
    scale, log_tiles = (float(value) for value in fit.coef_[0])
    if scale <= 0:
        raise ValueError("calibration: tampered pictures do not have larger logits than authentic ones; train longer.")
    fitted = Calibration(scale, float(fit.intercept_[0]), log_tiles, 1.0, 0.0)
    scored = [(fitted.score(of_size, size), label) for of_size, size, label in groups]
    below = [float(np.quantile(scores[label == 1], missed, method="lower")) for scores, label in scored]
    authentic = [*(scores[label == 0] for scores, label in scored), *_authentic_alike(pictures, fitted)]
    # A verdict is "at or above" the threshold, and many large pictures share one largest tile: step over the tie.
    reached = [float(np.quantile(scores, 1 - false_alarms, method="higher")) for scores in authentic]
    tampered_at = min(max(reached) + 1e-5, 1.0)
    no_trace_below = min(*below, tampered_at)
    grades = _knowing(pictures, fitted, no_trace_below, missed)
    return Calibration(fitted.scale, fitted.bias, log_tiles, tampered_at, no_trace_below, grades)


_Group = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]


def _by_size(pictures: Sequence[Picture]) -> Iterator[_Group]:
    """Logits, sizes and truth of the pictures in each of `SIZE_BINS` that has enough of both classes."""
    size = np.array([p.pixels for p in pictures]) / UNIT_AREA
    logit = np.array([p.logit for p in pictures])
    truth = np.array([p.tampered for p in pictures]).astype(np.int64)
    for low, high in pairwise(SIZE_BINS):
        inside = (size >= low) & (size < high)
        if min(np.count_nonzero(inside & (truth == label)) for label in (0, 1)) >= FEWEST:
            yield logit[inside], size[inside], truth[inside]


def _assembled(pictures: Sequence[Picture], tile: int, seed: int) -> Iterator[_Group]:
    """The same of pictures put together from those that are at most one tile large."""
    small = [p for p in pictures if p.pixels <= tile**2]
    authentic, tampered = (np.array([p.logit for p in small if p.tampered == label]) for label in (False, True))
    if min(len(authentic), len(tampered)) < FEWEST:
        raise ValueError(f"calibration: fewer than {FEWEST} one-tile pictures of a class; judge more of them.")
    rng = np.random.default_rng(seed)
    for tiles in TILE_COUNTS:
        clean = rng.choice(authentic, (_ASSEMBLED, tiles)).max(1)
        # One edited tile among authentic ones; the edit may spread over neighbours, which only helps.
        edited = np.maximum(rng.choice(tampered, _ASSEMBLED), rng.choice(authentic, (_ASSEMBLED, tiles - 1)).max(1))
        truth = np.repeat([0, 1], _ASSEMBLED)
        yield np.concatenate([clean, edited]), np.full(2 * _ASSEMBLED, tiles * tile**2 / UNIT_AREA), truth


def _authentic_alike(pictures: Sequence[Picture], fitted: Calibration) -> Iterator[NDArray[np.float64]]:
    """Scores of the authentic pictures of each domain, and of each kind, that has enough of them."""
    authentic = [p for p in pictures if not p.tampered]
    for alike in (attrgetter("domain"), attrgetter("kind")):
        for _, group in groupby(sorted(authentic, key=alike), key=alike):
            scores = _scores(list(group), fitted)
            if len(scores) >= FEWEST:
                yield scores


def _scores(pictures: Sequence[Picture], fitted: Calibration) -> NDArray[np.float64]:
    return fitted.score(np.array([p.logit for p in pictures]), np.array([p.pixels / UNIT_AREA for p in pictures]))


def _knowing(
    pictures: Sequence[Picture], fitted: Calibration, no_trace_below: float, missed: float
) -> tuple[Grade, ...]:
    """Grades of which enough tampered pictures were judged, and few enough of them said to show no trace."""
    known = []
    for grade in GRADES:
        chosen = [p for p in pictures if p.grade == grade and p.tampered]
        if len(chosen) >= FEWEST and float(np.mean(_scores(chosen, fitted) < no_trace_below)) <= missed:
            known.append(grade)
    return tuple(known)
