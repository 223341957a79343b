"""Resampling: an enlarged or turned piece is predictable from its neighbours at regular places."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.measuring import Comparison, Measure, Subject
from omni_iml.evidence.placements import Placements
from omni_iml.io.resampling import second_differences

_SMALLEST = 40  # pixels of a side
_LENGTH = 256
_REACH = 16  # lines to both sides that a spectral line is compared with
_LOWEST = 0.08  # cycles a pixel
_OF_GRID = 0.15  # cycles a block: how near a multiple of 1/8 a line may not lie
_MOST_PLACES = 48


def _both(subject: Subject) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return second_differences(subject.luma), second_differences(subject.luma.T).T


def _spectrum(profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of each line's height above its surroundings; -inf where it says nothing: ``(129,)``."""
    profile = (profile - _moving_mean(profile, min(8, profile.size // 2 - 1))) * np.hanning(profile.size)
    logs = np.log(np.abs(np.fft.rfft(profile, _LENGTH)) + 1e-3)
    height = logs - _moving_mean(logs, _REACH)
    frequency = np.arange(height.size) / _LENGTH
    height[(frequency < _LOWEST) | (np.abs(8 * frequency - np.rint(8 * frequency)) < _OF_GRID)] = -np.inf
    return height


def _moving_mean(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    padded = np.pad(values, reach, mode="reflect")
    return np.convolve(padded, np.full(2 * reach + 1, 1 / (2 * reach + 1)), mode="valid")


def _compare(subject: Subject, places: Placements) -> Comparison | None:
    x0, y0, x1, y1 = places.boxes[: 1 + _MOST_PLACES].T
    if min((x1 - x0).min(), (y1 - y0).min()) < _SMALLEST:
        return None
    along, down = subject.once(_both)
    spectra = [
        _spectrum(along[top:bottom, left:right].mean(0, dtype=np.float64))
        + _spectrum(down[top:bottom, left:right].mean(1, dtype=np.float64))
        for left, top, right, bottom in places.boxes[: 1 + _MOST_PLACES]
    ]
    heights = np.maximum([spectrum.max() for spectrum in spectra], 0.0) / 2
    frequency = float(spectra[0].argmax()) / _LENGTH
    usual = float(np.median(np.exp(heights[1:])))
    return Comparison(heights, float(np.exp(heights[0])), usual, {"frequency": frequency})


def _describe(found: Comparison) -> str:
    return (
        f"The second differences repeat {found.details['frequency']:.3f} times a pixel in the region's box, in a line "
        f"{found.value:.1f} times its surroundings (median elsewhere {found.reference:.1f}), as enlarging leaves it"
    )


RESAMPLING = Measure("resampling", "Texture Inconsistency", "times its surroundings", 0.5, _compare, _describe)
"""Height of the strongest spectral line of the second differences; differences as logarithms."""
