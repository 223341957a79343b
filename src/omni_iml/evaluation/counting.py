"""One picture's map and truth to one row of counts, from which every protocol's figures are reduced."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omni_iml.evaluation.protocol import STANDARD_COUNTINGS, Counting, TruthRule
from omni_iml.metrics.bands import Band
from omni_iml.metrics.curves import curves

Four = tuple[int, int, int, int]


@dataclass(frozen=True)
class Truth:
    """A picture's mask under both rules that are in use.

    Attributes:
        above_half: bool ``(H, W)``: mean over RGB above 127.5.
        non_zero: bool ``(H, W)``: any value but zero; the same as `above_half` in a mask of black and white.
        valid: bool ``(H, W)``, the pixels that exist (padding does not), or None for all.
    """

    above_half: NDArray[np.bool_]
    non_zero: NDArray[np.bool_]
    valid: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Truth:
        """A mask of two values."""
        return cls(mask, mask)

    @property
    def gray(self) -> bool:
        """Whether the two rules differ."""
        return self.above_half is not self.non_zero and bool((self.above_half != self.non_zero).any())

    def by(self, rule: TruthRule) -> NDArray[np.bool_]:
        """The mask by a rule."""
        return self.above_half if rule == "above half" else self.non_zero


@dataclass(frozen=True, eq=False)
class Row:
    """What was counted on one picture.

    Attributes:
        data: name of the data set.
        domain: of the data set.
        key: name of the picture in it.
        view: what the model was shown; see `omni_iml.evaluation.protocol.Protocol.view`.
        label: 1 tampered, 0 authentic, as the data set says.
        height: of the map, pixels.
        width: of the map.
        counts: true positives, false positives, false negatives and true negatives by `Counting.name`.
        auc: tie-aware; nan without pixels of both classes.
        best_f1: by TruFor's rule, within its band; nan where no pixel is kept.
        tampered: int64 ``(BINS,)``, histogram of the map over tampered pixels.
        authentic: int64 ``(BINS,)``, over authentic ones.
        score: the classifier's, 0..1; nan where there is none.
        maximum: largest value of the map.
        top: mean of the map's largest values.
    """

    data: str
    domain: str
    key: str
    view: str
    label: int
    height: int
    width: int
    counts: Mapping[str, Four]
    auc: float
    best_f1: float
    tampered: NDArray[np.int64]
    authentic: NDArray[np.int64]
    score: float
    maximum: float
    top: float


def count_picture(
    probability: NDArray[np.float32],
    truth: Truth,
    *,
    data: str = "",
    domain: str = "natural",
    key: str = "",
    view: str = "original",
    label: int | None = None,
    score: float = math.nan,
    countings: Iterable[Counting] = STANDARD_COUNTINGS,
) -> Row:
    """Count one picture once, for all protocols.

    Args:
        probability: float32 ``(H, W)``, 0..1.
        truth: of the same size.
        data: goes into the row, as do the next five.
        domain: likewise.
        key: likewise.
        view: likewise.
        label: likewise; None = whether the truth has a tampered pixel.
        score: likewise.
        countings: what is counted.

    Raises:
        ValueError: sizes differ, or the map holds nan or values outside 0..1.
    """
    if probability.shape != truth.above_half.shape or probability.ndim != 2:
        raise ValueError(
            f"the map is {probability.shape} and the truth {truth.above_half.shape}; bring both to one size."
        )
    band = Band().kept(truth.above_half)
    height, width = probability.shape
    if truth.valid is not None:
        # Padding: pixels that do not exist are in no count, no curve and no band.
        keep = truth.valid.ravel()
        probability, band = probability.ravel()[keep][None], band.ravel()[keep][None]
        truth = Truth(truth.above_half.ravel()[keep][None], truth.non_zero.ravel()[keep][None])
    probability = np.ascontiguousarray(probability, np.float32)
    drawn = curves(probability, truth.above_half, band)
    return Row(
        data=data,
        domain=domain,
        key=key,
        view=view,
        label=int(truth.non_zero.any()) if label is None else label,
        height=height,
        width=width,
        counts={c.name: _four(probability, truth, c, band) for c in countings},
        auc=drawn.auc,
        best_f1=drawn.best_f1,
        tampered=drawn.tampered,
        authentic=drawn.authentic,
        score=score,
        maximum=drawn.maximum,
        top=drawn.top,
    )


def called(probability: NDArray[np.float32], counting: Counting) -> NDArray[np.bool_]:
    """Which pixels of a map are called tampered, bool of its shape."""
    values = np.float32(1) - probability if counting.inverted else probability
    if counting.bits:
        most = 2**counting.bits - 1
        values = np.floor(values * np.float32(most)) / np.float32(most)
    return np.asarray(values > counting.threshold if counting.strict else values >= counting.threshold)


def _four(probability: NDArray[np.float32], truth: Truth, counting: Counting, band: NDArray[np.bool_]) -> Four:
    positive, mask = called(probability, counting), truth.by(counting.truth)
    if counting.band is not None:
        kept = band if counting.band == Band() else counting.band.kept(mask)
        positive, mask = positive[kept], mask[kept]
    both = int(np.count_nonzero(positive & mask))
    called_, actual = int(np.count_nonzero(positive)), int(np.count_nonzero(mask))
    return both, called_ - both, actual - both, mask.size - called_ - actual + both
