"""The outline itself: a step that follows it, and edges along it that are too sharp or too soft for the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.measuring import Comparison, Measure, Subject
from omni_iml.evidence.placements import REACH, Placements
from omni_iml.evidence.sharpness import edge_widths, middle, of_the_rest

_FEWEST = 16  # pixels of edges on the outline


def _smooth(subject: Subject) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(subject.luma, (0, 0), 0.7), np.float32).ravel()


def _compare_step(subject: Subject, places: Placements) -> Comparison:
    values = subject.once(_smooth)[places.outline]  # (1 + P, k, 14)
    step, inner, outer = (
        np.abs(values[:, :, at + 3] - values[:, :, at]).mean(1) for at in (REACH - 2, 0, 2 * REACH - 4)
    )
    usual = (inner + outer) / 2
    octaves = np.maximum(np.log2((step + 1) / (usual + 1)), 0)
    return Comparison(octaves, float(step[0]), float(usual[0]))


def _describe_step(found: Comparison) -> str:
    return (
        f"Across the outline brightness changes by {found.value:.1f} grey levels within three pixels, and by "
        f"{found.reference:.1f} a few pixels further in and out"
    )


OUTLINE_STEP = Measure("outline_step", "Edge Artifacts", "grey levels", 0.3, _compare_step, _describe_step)
"""Change of brightness across the outline against that beside it; differences in octaves."""


def _compare_sharpness(subject: Subject, places: Placements) -> Comparison:
    near = places.outline[:, :, REACH - 2 : REACH + 3].reshape(len(places.outline), -1)  # (1 + P, 5 k)
    along, rest = middle(subject.once(edge_widths)[near], _FEWEST), subject.once(of_the_rest)
    return Comparison(np.abs(along - rest), float(2 ** along[0]), float(2**rest))


def _describe_sharpness(found: Comparison) -> str:
    more = "softer" if found.value > found.reference else "sharper"
    return (
        f"Edges along the outline are blurred over {found.value:.2f} pixels and those of the rest of the picture over "
        f"{found.reference:.2f}: they are {more} along it"
    )


OUTLINE_SHARPNESS = Measure(
    "outline_sharpness", "Edge Artifacts", "pixels of blur", 0.15, _compare_sharpness, _describe_sharpness
)
"""Standard deviation of the blur of edges along the outline; differences in octaves."""
