"""What every measurement shares: the picture it reads, what it gives, and how unusual that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.placements import FEWEST, Placements
from omni_iml.types import EvidenceImage

T = TypeVar("T")


class Subject:
    """A picture and the maps that measurements make of it, each made once.

    Args:
        image: the picture, in stored orientation.
        suspected: bool ``(H, W)``, every region.

    Attributes:
        image: the picture.
        suspected: every region.
        luma: float32 ``(H, W)``, 0..255.
    """

    def __init__(self, image: EvidenceImage, suspected: NDArray[np.bool_]) -> None:
        self.image, self.suspected = image, suspected
        self.luma = np.asarray(cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY), np.float32)
        self._kept: dict[object, object] = {}
        self._making = RLock()  # a map may need another

    def once(self, make: Callable[[Subject], T]) -> T:
        """What ``make`` gives of this picture; it is called the first time only, whatever threads ask."""
        if make not in self._kept:
            with self._making:
                if make not in self._kept:
                    self._kept[make] = make(self)
        return self._kept[make]  # type: ignore[return-value]


@dataclass(frozen=True)
class Comparison:
    """A number inside a region against its surroundings, and the same at the reference places.

    Attributes:
        differences: float ``(1 + P,)``, 0 and more, the region's first; nan where it cannot be told.
        value: inside the region.
        reference: in the surroundings.
        details: more numbers that the sentence needs; directions are those of the picture as displayed.
    """

    differences: NDArray[np.floating]
    value: float
    reference: float
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """One thing measured at one region.

    Attributes:
        name: of the measurement, for example "noise_level".
        title: the paper's title for such an artifact.
        value: inside the region.
        reference: in its surroundings.
        unit: of both.
        difference: how far they lie apart, in the measurement's own terms, 0 and more.
        usual: the difference that 19 of 20 reference places stay below.
        strength: difference / usual: above 1, fewer than 1 in 20 places of the same picture differ as much.
        threshold: strength above which it is a finding.
        places: how many reference places there were.
        sentence: what was measured, in words.
        details: more numbers, by name; directions are those of the picture as displayed, as the sentence's are.
    """

    name: str
    title: str
    value: float
    reference: float
    unit: str
    difference: float
    usual: float
    strength: float
    threshold: float
    places: int
    sentence: str
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_finding(self) -> bool:
        """Whether it is unusual enough to be reported."""
        return self.strength > self.threshold


@dataclass(frozen=True)
class Measure:
    """A way to measure.

    Attributes:
        name: key of its threshold.
        title: the paper's title for such an artifact.
        unit: of value and reference.
        floor: the smallest difference that means anything: the usual one counts for no less.
        compare: what is measured; None where it cannot be.
        describe: the first clause of the sentence, of a comparison.
        peers: what it is ranked among, in words.
    """

    name: str
    title: str
    unit: str
    floor: float
    compare: Callable[[Subject, Placements], Comparison | None]
    describe: Callable[[Comparison], str]
    peers: str = "places of the same shape in this picture"


def rank(measure: Measure, comparison: Comparison, threshold: float) -> Measurement | None:
    """Say how unusual a comparison is in its picture.

    Args:
        measure: what was measured.
        comparison: its result.
        threshold: strength above which it is a finding.

    Returns:
        The measurement; None where it cannot be told at the region, or at fewer than `FEWEST` reference places.
    """
    difference = float(comparison.differences[0])
    others = comparison.differences[1:]
    others = others[np.isfinite(others)]
    if not np.isfinite(difference) or others.size < FEWEST:
        return None
    usual = max(float(np.quantile(others, 0.95)), measure.floor)
    below = int(np.count_nonzero(others < difference))
    return Measurement(
        name=measure.name,
        title=measure.title,
        value=comparison.value,
        reference=comparison.reference,
        unit=measure.unit,
        difference=difference,
        usual=usual,
        strength=difference / usual,
        threshold=threshold,
        places=others.size,
        sentence=f"{measure.describe(comparison)}; {_odds(below, others.size, measure.peers)}.",
        details=comparison.details,
    )


def _odds(below: int, count: int, peers: str) -> str:
    as_much = "none" if below == count else f"{count - below}"
    return f"{as_much} of {count} {peers} differ{'s' if below == count else ''} as much"
