"""JPEG quality: saved again at the quality it once had, a piece changes little (Farid, "JPEG ghosts", 2009)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.blocks import block_means, block_numbers
from omni_iml.evidence.measuring import Comparison, Measure, Subject
from omni_iml.evidence.placements import Placements

QUALITIES = (50, 60, 70, 75, 80, 85, 90, 95)


def _changes(subject: Subject) -> NDArray[np.float32]:
    """Logarithm of each block's mean squared change, at each quality: ``(blocks, 8)``."""
    luma = subject.luma.astype(np.uint8)
    maps = []
    for quality in QUALITIES:
        _, file = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, quality])
        again = np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.float32)
        maps.append(np.log2(block_means((again - subject.luma) ** 2) + 0.1).ravel())
    return np.stack(maps, 1).astype(np.float32)


def _numbers(subject: Subject) -> NDArray[np.int32]:
    return block_numbers(*subject.luma.shape)


def _compare(subject: Subject, places: Placements) -> Comparison:
    changes, numbers = subject.once(_changes), subject.once(_numbers)
    inside, ring = (changes[numbers[points]].mean(1, dtype=np.float64) for points in (places.inside, places.ring))
    # A busier place changes more at every quality: what counts is the quality at which it behaves unlike itself.
    octaves = inside - ring
    octaves -= np.median(octaves, axis=1, keepdims=True)
    at = int(np.abs(octaves[0]).argmax())
    quality, ratio = float(QUALITIES[at]), float(2 ** octaves[0, at])
    return Comparison(np.abs(octaves).max(1), ratio, 1.0, {"quality": quality})


def _describe(found: Comparison) -> str:
    more = "more" if found.value > 1 else "less"
    ratio = max(found.value, 1 / max(found.value, 1e-9))
    return (
        f"Saved once more at JPEG quality {found.details['quality']:.0f}, the region changes {ratio:.1f} times {more} "
        "against its surroundings than at other qualities, as a piece with another history of compression does"
    )


JPEG_GHOST = Measure("jpeg_ghost", "Texture Inconsistency", "times the change", 0.2, _compare, _describe)
"""Change by one more compression, relative to that at other qualities; differences in octaves."""
