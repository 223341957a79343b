"""Traces of enlargement: interpolated pixels are predictable from their neighbours at regular places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PEAK_STANDS_OUT = 9.0
"""Height of a spectral line above its surroundings, as a ratio, from which on it is called one."""

_SMALLEST, _LENGTH = 192, 1024
_LOWEST = 0.06
_REACH = 40


@dataclass(frozen=True)
class Peak:
    """The strongest line in the spectrum of the interpolation error.

    Attributes:
        frequency: cycles a pixel, 0.06 to 0.5; enlarging by a factor f makes a line at 1/f or its mirror image 1 - 1/f.
        height: ratio to the geometric mean of its surroundings, the geometric mean of both axes.
    """

    frequency: float
    height: float


def find_resampling(luma: NDArray[np.float32], *, blocks: bool) -> Peak | None:
    """Look for the periodic second derivative of an enlarged picture.

    The variance of an interpolated signal's second derivative repeats with the sampling positions (Gallagher,
    "Detection of linear and cubic interpolation in JPEG compressed images", 2005; Mahdian and Saic, "Blind
    authentication using periodic properties of interpolation", 2008). Absolute second differences are averaged along
    the lines of both axes; a line must stand out in both spectra at the same frequency.

    Args:
        luma: a crop of a picture, ``(H, W)``.
        blocks: whether the picture has an 8-pixel grid: lines at multiples of 1/8 are then its own and left out.

    Returns:
        The strongest line; None for a crop that is too small.
    """
    if min(luma.shape) < _SMALLEST:
        return None
    height = np.sqrt(_relative_spectrum(luma) * _relative_spectrum(luma.T))
    frequency = np.arange(height.size) / _LENGTH
    height[frequency < _LOWEST] = 0
    if blocks:
        height[np.abs(8 * frequency - np.rint(8 * frequency)) < 0.064] = 0
    at = int(height.argmax())
    return Peak(float(frequency[at]), float(height[at]))


def second_differences(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Absolute second difference along the rows at each pixel, at most 20 so that edges do not drown it.

    Args:
        luma: ``(H, W)``.

    Returns:
        float32 ``(H, W)``, 0 in the first and the last column.
    """
    found = np.zeros(luma.shape, np.float32)
    found[:, 1:-1] = np.minimum(np.abs(2 * luma[:, 1:-1] - luma[:, :-2] - luma[:, 2:]), 20)
    return found


def _relative_spectrum(luma: NDArray[np.float32]) -> NDArray[np.float64]:
    """Amplitude at each frequency over the geometric mean of its surroundings."""
    profile = second_differences(luma)[:, 1:-1].mean(axis=0, dtype=np.float64)
    profile = (profile - _moving_mean(profile, 8)) * np.hanning(profile.size)
    logs = np.log(np.abs(np.fft.rfft(profile, _LENGTH)) + 1e-6)
    return np.asarray(np.exp(logs - _moving_mean(logs, _REACH)))


def _moving_mean(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    padded = np.pad(values, reach, mode="reflect")
    return np.convolve(padded, np.full(2 * reach + 1, 1 / (2 * reach + 1)), mode="valid")
