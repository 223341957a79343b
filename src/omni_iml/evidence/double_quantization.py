"""Double quantization: blocks whose coefficients lack the comb that a former compression left (Lin et al. 2009)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.blocks import SIDE, spread_out
from omni_iml.types import EvidenceImage

# The lowest AC frequencies, (row, column) in a block: high ones are quantized to 0 almost everywhere.
_FREQUENCIES = ((0, 1), (1, 0), (1, 1), (2, 0), (0, 2), (1, 2), (2, 1), (3, 0), (0, 3))
_REACH = 40  # coefficients beyond are too few for a histogram
_LONGEST = 12  # periods looked for
_CLEAR = 1.6  # how many times the average a comb's teeth must be


def double_quantization(evidence: EvidenceImage) -> NDArray[np.float32]:
    """How little each block shares the comb of the picture's twice quantized coefficients.

    A coefficient that was quantized with a coarse step and then with a finer one falls into some bins more often than
    into others, with a period; one that was pasted in from elsewhere falls anywhere. Both probabilities are read off
    the histogram of each of nine frequencies, and their logarithms summed.

    Args:
        evidence: the picture.

    Returns:
        float32 ``(H, W)``: larger where a block is less likely to share the comb; 0 everywhere where there is none, as
        in pictures compressed once, or never.
    """
    height, width = evidence.pixels.shape[:2]
    coefficients = evidence.trace.coefficients
    total = np.zeros((coefficients.shape[0] // SIDE, coefficients.shape[1] // SIDE))
    for row, column in _FREQUENCIES:
        values = coefficients[row::SIDE, column::SIDE]
        histogram = np.bincount(np.clip(values + _REACH, 0, 2 * _REACH).ravel(), minlength=2 * _REACH + 1).astype(float)
        histogram[[0, -1]] = 0  # these hold all that was cut off
        period = comb_period(histogram)
        if period > 1:
            usual = np.convolve(histogram, np.ones(period), "same") + 1e-9  # bins of one period
            shared = np.clip(histogram / usual, 1e-3, 1)
            evidence_of = np.log(1 / period) - np.log(shared)
            inside = np.abs(values) < _REACH
            total += np.where(inside, evidence_of[np.clip(values + _REACH, 0, 2 * _REACH)], 0.0)
    return spread_out(total, height, width)


def comb_period(histogram: NDArray[np.float64]) -> int:
    """The distance of a comb's teeth in a histogram that is symmetric about its middle, or 1 where there is none.

    Args:
        histogram: counts ``(2 n + 1,)``, the value 0 in the middle.
    """
    middle = histogram.size // 2
    # The peak at 0 says nothing, and what falls off from it does so smoothly: compare each bin with its surroundings.
    smooth = np.convolve(histogram, np.hanning(9) / np.hanning(9).sum(), "same") + 1
    level = histogram / smooth
    level[middle] = 0
    seen = smooth > 4
    best, clearest = 1, _CLEAR
    for period in range(2, _LONGEST + 1):
        teeth = np.zeros(histogram.size, bool)
        teeth[middle % period :: period] = True
        teeth[middle] = False
        on, off = level[teeth & seen], level[~teeth & seen]
        if on.size >= 4 and off.size and on.mean() > clearest * max(off.mean(), 0.05):
            best, clearest = period, on.mean() / max(off.mean(), 0.05)
    return best
