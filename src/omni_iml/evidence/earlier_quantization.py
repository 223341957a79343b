"""Double quantisation: blocks that lack, or alone have, the traces of the picture's earlier compression."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.blocks import spread_out
from omni_iml.evidence.measuring import Comparison, Measure, Subject
from omni_iml.evidence.placements import Placements
from omni_iml.io.block_sample import sample_blocks
from omni_iml.io.jpeg_history import earlier_quality, likelihood_gains

_GAIN = 0.015
"""Nats a coefficient from which on an earlier compression is looked for place by place: fewer than the file's fitness
asks for, since a place is held against others of the same picture."""

_FEWEST = 0.3  # coefficients a pixel's block that tell something

_Maps = tuple[float, NDArray[np.float32], NDArray[np.float32]]


def _maps(subject: Subject) -> _Maps | None:
    """Earlier quality; gain and number of coefficients of the block that each pixel lies in, both ``(H * W,)``."""
    image = subject.image
    if not image.is_jpeg:
        return None
    sample = sample_blocks(image.pixels)
    earlier = earlier_quality(sample, image.trace)
    if earlier is None or earlier[1] < _GAIN:
        return None
    gains, counts = likelihood_gains(sample, image.trace, earlier[0])
    # Clipped samples leave the quantizer's lattice: what such pixels' blocks say is not counted.
    near = np.ones((3, 3), np.uint8)
    sound = (cv2.erode(subject.luma, near) > 2) & (cv2.dilate(subject.luma, near) < 253)
    height, width = subject.luma.shape
    spread = (spread_out(blocks, height, width) * sound for blocks in (gains, counts.astype(np.float64)))
    gain, count = (np.asarray(values, np.float32).ravel() for values in spread)
    return float(earlier[0]), gain, count


def _rest(subject: Subject) -> float:
    maps = subject.once(_maps)
    assert maps is not None
    outside = ~subject.suspected.ravel()
    return float(maps[1][outside].sum(dtype=np.float64) / (maps[2][outside].sum(dtype=np.float64) + 1))


def _compare(subject: Subject, places: Placements) -> Comparison | None:
    maps = subject.once(_maps)
    if maps is None:
        return None
    quality, gain, count = maps
    rest = subject.once(_rest)
    told = count[places.inside].mean(1, dtype=np.float64)
    inside = gain[places.inside].mean(1, dtype=np.float64) / (told + _FEWEST)
    differences = np.where(told >= _FEWEST, np.abs(inside - rest), np.nan)
    return Comparison(differences, float(inside[0]), rest, {"earlier_quality": quality})


def _describe(found: Comparison) -> str:
    lacks = found.value < found.reference
    return (
        f"An earlier compression at quality {found.details['earlier_quality']:.0f} explains a coefficient of the rest "
        f"of the picture better than none by {found.reference:+.3f} nats and one inside by {found.value:+.3f}: the "
        f"region {'lacks its traces' if lacks else 'shows its traces more strongly'}"
    )


EARLIER_QUANTIZATION = Measure(
    "earlier_quantization", "Texture Inconsistency", "nats a coefficient", 0.05, _compare, _describe
)
"""Log likelihood ratio of two quantizations against one, a coefficient."""
