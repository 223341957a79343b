"""Colour and light of a region against the ring around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.measuring import Comparison, Measure, Subject
from omni_iml.evidence.placements import Placements

_BRIGHT = 0.8  # quantile: ground and lit surfaces rather than ink and shadow


def _lab(subject: Subject) -> NDArray[np.float32]:
    """CIELAB ``(H * W, 3)``; L* is 0..100."""
    pixels = subject.image.pixels.astype(np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)


def _chroma(subject: Subject) -> NDArray[np.float32]:
    return np.ascontiguousarray(subject.once(_lab)[:, 1:])


def _lightness(subject: Subject) -> NDArray[np.float32]:
    return np.ascontiguousarray(subject.once(_lab)[:, 0])


def _compare_color(subject: Subject, places: Placements) -> Comparison:
    chroma = subject.once(_chroma)
    inside, ring = (chroma[points].mean(1, dtype=np.float64) for points in (places.inside, places.ring))
    apart = np.linalg.norm(inside - ring, axis=1)
    names = ("inside_a", "inside_b", "ring_a", "ring_b")
    details = dict(zip(names, map(float, (*inside[0], *ring[0])), strict=True))
    return Comparison(apart, float(np.linalg.norm(inside[0])), float(np.linalg.norm(ring[0])), details)


def _describe_color(found: Comparison) -> str:
    at = found.details
    return (
        f"The mean colour inside (a* {at['inside_a']:.1f}, b* {at['inside_b']:.1f}) lies "
        f"{found.differences[0]:.1f} from that around it (a* {at['ring_a']:.1f}, b* {at['ring_b']:.1f})"
    )


COLOR = Measure("color", "Color Inconsistency", "CIELAB chroma", 1.0, _compare_color, _describe_color)
"""Distance of the mean colours in the a*b* plane."""


def _compare_light(subject: Subject, places: Placements) -> Comparison:
    lightness = subject.once(_lightness)
    inside, ring = (np.quantile(lightness[points], _BRIGHT, axis=1) for points in (places.inside, places.ring))
    return Comparison(np.abs(inside - ring), float(inside[0]), float(ring[0]))


def _describe_light(found: Comparison) -> str:
    more = "brighter" if found.value > found.reference else "darker"
    return (
        f"The lit surfaces inside have a lightness of {found.value:.1f} of 100 and those around it "
        f"{found.reference:.1f}: they are {more} inside"
    )


LIGHT = Measure("light", "Lighting Inconsistency", "L*", 1.0, _compare_light, _describe_light)
"""Difference of the lightness of the brighter surfaces."""
