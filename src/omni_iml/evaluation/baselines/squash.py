"""From a measure of 0 and more to 0..1: the share of an outlier's distance, by median and spread of the picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from omni_iml.io.orientation import to_displayed
from omni_iml.types import EvidenceImage

_DEVIATIONS = 3.0  # a value so many spreads above the median becomes 0.5


def squashed(measure: Callable[[EvidenceImage], NDArray[np.float32]]) -> Callable[[EvidenceImage], NDArray[np.float32]]:
    """A method out of a measure; see `outliers`."""

    def method(image: EvidenceImage) -> NDArray[np.float32]:
        return np.asarray(to_displayed(outliers(measure(image)), image.orientation))

    return method


def outliers(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring a measure to 0..1, rising with it: 0.5 is three robust deviations above the picture's median.

    Args:
        values: float32 ``(H, W)``.

    Returns:
        float32 ``(H, W)``; 0 everywhere for a flat measure.
    """
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle))) or float(values.std())
    if not spread:
        return np.zeros(values.shape, np.float32)
    z = (values - middle) / (spread * _DEVIATIONS)
    return np.asarray(np.clip(z / (1 + np.abs(z)), 0, 1), np.float32)
