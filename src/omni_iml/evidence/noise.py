"""Noise level of a region against the ring around it: grain is the camera's, and an inserted piece brings its own."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.measuring import Comparison, Measure, Subject
from omni_iml.evidence.noise_level import residual
from omni_iml.evidence.placements import Placements

_QUIETEST = 0.25  # texture is no noise: the level of the quietest quarter counts
_FINEST = 0.25  # grey levels: 8-bit pixels do not tell less
_OF_A_DEVIATION = 1.2533  # standard deviation of a normal distribution over its mean absolute value


def _levels(subject: Subject) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(residual(subject.luma) * np.float32(_OF_A_DEVIATION), (5, 5)), np.float32).ravel()


def _compare(subject: Subject, places: Placements) -> Comparison:
    levels = subject.once(_levels)
    inside, ring = (np.quantile(levels[points], _QUIETEST, axis=1) for points in (places.inside, places.ring))
    octaves = np.abs(np.log2((inside + _FINEST) / (ring + _FINEST)))
    return Comparison(octaves, float(inside[0]), float(ring[0]))


def _describe(found: Comparison) -> str:
    more = "stronger" if found.value > found.reference else "weaker"
    return (
        f"The finest grain inside has a standard deviation of {found.value:.2f} grey levels and around it "
        f"{found.reference:.2f}: it is {more} inside"
    )


NOISE = Measure("noise", "Texture Inconsistency", "grey levels", 0.2, _compare, _describe)
"""Standard deviation of the grain; differences in octaves."""
