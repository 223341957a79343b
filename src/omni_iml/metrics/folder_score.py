"""The result of scoring a folder of predictions: counts a picture, means with intervals, and all that went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from omni_iml.metrics import reductions
from omni_iml.metrics.bootstrap import Estimate, bootstrap_mean
from omni_iml.metrics.counts import Counts

ProblemKind = Literal["missing", "ambiguous", "unreadable", "size", "dark", "gray"]


@dataclass(frozen=True)
class Problem:
    """Something wrong with one input.

    Attributes:
        kind: "missing" prediction, "ambiguous" names, "unreadable" file, another "size" than the truth, a mask too
            "dark" to mean anything, or a mask with "gray" levels, which is scored all the same, thresholded.
        path: the file it is about.
        message: one sentence that names the input, the cause and the way out.
    """

    kind: ProblemKind
    path: Path
    message: str


@dataclass(frozen=True)
class PictureScore:
    """What was counted on one picture.

    Attributes:
        name: the picture's relative name, with "/".
        truth: its truth mask.
        counts: one row.
        auc: tie-aware pixel AUC of the heat map, 0..1; nan without a heat map or without pixels of both classes.
    """

    name: str
    truth: Path
    counts: Counts
    auc: float

    @property
    def authentic(self) -> bool:
        """True when the truth holds no tampered pixel."""
        return bool(self.counts.authentic[0])


@dataclass(frozen=True)
class FolderScore:
    """The score of a folder.

    Attributes:
        threshold: heat map values strictly above it, 0..1, are tampered.
        pictures: all pictures that could be scored, authentic ones included, in the order of their truths' names.
        problems: all that was wrong, in the order it was found.
        extra: names of predictions without a truth mask, not scored.
    """

    threshold: float
    pictures: tuple[PictureScore, ...]
    problems: tuple[Problem, ...]
    extra: tuple[str, ...]

    @property
    def tampered(self) -> tuple[PictureScore, ...]:
        """The pictures that IoU, precision, recall, F1 and AUC are averaged over."""
        return tuple(picture for picture in self.pictures if not picture.authentic)

    @property
    def authentic(self) -> tuple[PictureScore, ...]:
        """The pictures with an empty truth, skipped by all metrics but the false alarm area."""
        return tuple(picture for picture in self.pictures if picture.authentic)

    @property
    def missing(self) -> tuple[Path, ...]:
        """Truth masks without a prediction."""
        return tuple(problem.path for problem in self.problems if problem.kind == "missing")

    @cached_property
    def iou(self) -> Estimate:
        """Mean pixel IoU of the tampered pictures."""
        return self._mean(reductions.iou)

    @cached_property
    def precision(self) -> Estimate:
        """Mean pixel precision of the tampered pictures; 0 for an empty prediction."""
        return self._mean(reductions.precision)

    @cached_property
    def recall(self) -> Estimate:
        """Mean pixel recall of the tampered pictures."""
        return self._mean(reductions.recall)

    @cached_property
    def f1(self) -> Estimate:
        """Mean pixel F1 of the tampered pictures."""
        return self._mean(reductions.f1)

    @cached_property
    def auc(self) -> Estimate:
        """Mean pixel AUC of the tampered pictures that have a heat map and pixels of both classes."""
        return bootstrap_mean([picture.auc for picture in self.tampered])

    @cached_property
    def false_alarm_area(self) -> Estimate:
        """Mean share of an authentic picture's pixels that are called tampered."""
        counts = Counts.concatenate(picture.counts for picture in self.authentic)
        return bootstrap_mean(reductions.false_alarm_area(counts))

    def _mean(self, metric: Callable[[Counts], NDArray[np.float64]]) -> Estimate:
        return bootstrap_mean(metric(Counts.concatenate(picture.counts for picture in self.tampered)))
