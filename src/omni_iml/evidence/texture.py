"""Texture spectrum: how the strength of detail is spread over coarse and fine, inside against around."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.measuring import Comparison, Measure, Subject
from omni_iml.evidence.placements import Placements

_WIDTHS = (0.8, 1.6, 3.2)  # pixels, standard deviations of the blurs between which a band lies
_BANDS = ("finest", "middle", "coarse")
_FAINTEST = 0.3  # grey levels


def _bands(subject: Subject) -> NDArray[np.float32]:
    """Mean strength of three octaves of detail near every pixel: ``(H * W, 3)``."""
    blurred = [subject.luma, *(cv2.GaussianBlur(subject.luma, (0, 0), width) for width in _WIDTHS)]
    bands = [cv2.blur(np.abs(fine - coarse), (3, 3)) for fine, coarse in pairwise(blurred)]
    return np.stack([band.ravel() for band in bands], 1)


def _compare(subject: Subject, places: Placements) -> Comparison:
    bands = subject.once(_bands)
    inside, ring = (
        np.log2(bands[points].mean(1, dtype=np.float64) + _FAINTEST) for points in (places.inside, places.ring)
    )  # (1 + P, 3)
    # Whether there is more texture or less says little; how it is spread over the bands says whose it is.
    spread, usual = (levels - levels.mean(1, keepdims=True) for levels in (inside, ring))
    band = int(np.abs(spread[0] - usual[0]).argmax())
    return Comparison(
        np.linalg.norm(spread - usual, axis=1),
        float(2 ** spread[0, band]),
        float(2 ** usual[0, band]),
        {"band": float(band)},
    )


def _describe(found: Comparison) -> str:
    return (
        f"Detail of the {_BANDS[int(found.details['band'])]} octave has {found.value:.2f} times the strength of the "
        f"average octave inside, and {found.reference:.2f} times around it"
    )


TEXTURE = Measure("texture", "Texture Inconsistency", "times the average octave", 0.3, _compare, _describe)
"""Distance of the shapes of two spectra of three octaves; the average octave is their geometric mean."""
