"""How far the mean over a set of pictures may be off: percentile bootstrap over the pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_DRAWS_AT_ONCE = 1 << 20  # bounds the index array to 8 MB
_FEW = 8


@dataclass(frozen=True)
class Estimate:
    """A mean over pictures and its bootstrap interval.

    Attributes:
        mean: arithmetic mean of the values that are defined; nan when there is none.
        low: lower end of the interval; nan with fewer than two values, which say nothing about their spread.
        high: upper end of the interval, nan likewise.
        n: number of values in the mean.
        skipped: number of values that were nan (undefined for their picture) and are not in the mean.
    """

    mean: float
    low: float
    high: float
    n: int
    skipped: int


def bootstrap_mean(values: ArrayLike, *, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> Estimate:
    """Mean of per-picture values with a percentile bootstrap interval.

    The same values, in the same order, with the same seed give the same interval on every machine.

    Args:
        values: ``(N,)``, one value a picture; nan = undefined, left out and counted.
        level: coverage of the interval, 0 < level < 1.
        resamples: how many sets are drawn with replacement.
        seed: of the generator.

    Returns:
        The estimate; of the values' unit.

    Raises:
        ValueError: values that are not one row or are infinite, a level outside (0, 1), or no resample.
    """
    row = np.asarray(values, np.float64)
    if row.ndim != 1 or bool(np.isinf(row).any()):
        raise ValueError(f"values must be one row of finite numbers or nan, not {row.shape}; give one a picture.")
    if not 0 < level < 1 or resamples < 1:
        raise ValueError(f"level {level} must lie between 0 and 1 and resamples {resamples} must be 1 or more.")
    defined = row[~np.isnan(row)]
    n, skipped = defined.size, row.size - defined.size
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0, skipped)
    if n == 1:
        return Estimate(float(defined[0]), math.nan, math.nan, 1, skipped)
    tail = (1 - level) / 2
    low, high = np.quantile(resampled(defined[None], resamples, seed)[0], [tail, 1 - tail])
    return Estimate(float(defined.mean()), float(low), float(high), n, skipped)


def resampled(columns: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Means over pictures drawn with replacement, the same draws for every value of a picture.

    Args:
        columns: float64 ``(K, N)``, K values of each of N pictures.
        resamples: how many sets are drawn.
        seed: of the generator.

    Returns:
        float64 ``(K, resamples)``.
    """
    n = columns.shape[1]
    generator = np.random.default_rng(seed)
    rows = max(1, _DRAWS_AT_ONCE // n)
    means = []
    for done in range(0, resamples, rows):
        drawn = generator.integers(0, n, (min(rows, resamples - done), n))
        if len(columns) <= _FEW:
            means.append(np.stack([column[drawn].mean(axis=1) for column in columns]))
        else:  # how often each picture was drawn, once for all columns
            times = np.stack([np.bincount(row, minlength=n) for row in drawn])
            means.append(columns @ times.T / n)
    return np.concatenate(means, axis=1)
