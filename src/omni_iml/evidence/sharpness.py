"""Sharpness of the edges in a region against the rest of the picture: each lens and each editor has its own."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.measuring import Comparison, Measure, Subject
from omni_iml.evidence.placements import Placements

_BLUR = 1.5  # pixels, of the second blur
_FAINTEST = 6.0  # grey levels a pixel: weaker slopes are noise
_FEWEST = 24  # pixels of edges
_WIDTHS = (0.2, 6.0)  # pixels: what can be told apart


def edge_widths(subject: Subject) -> NDArray[np.float32]:
    """Blur of the edge at every pixel that lies on one.

    The slope of an edge before and after one more blur of known width tells its own (Zhuo and Sim, "Defocus map
    estimation from a single image", 2011).

    Args:
        subject: the picture.

    Returns:
        float32 ``(H * W,)``, the logarithm to base 2 of the blur's standard deviation in pixels; nan off the edges.
    """
    smooth = np.asarray(cv2.GaussianBlur(subject.luma, (0, 0), 0.6), np.float32)
    slope, blurred = _slope(smooth), _slope(np.asarray(cv2.GaussianBlur(smooth, (0, 0), _BLUR), np.float32))
    on_edge = (slope >= 0.98 * cv2.dilate(slope, np.ones((3, 3), np.uint8))) & (slope > _FAINTEST)
    ratio = np.maximum(slope / np.maximum(blurred, 1e-3), 1.0005)
    widths = np.log2(np.clip(_BLUR / np.sqrt(ratio * ratio - 1), *_WIDTHS))
    return np.where(on_edge, widths, np.nan).astype(np.float32).ravel()


def middle(values: NDArray[np.float32], fewest: int = _FEWEST) -> NDArray[np.float64]:
    """Median of what is known in each row, nan where that are fewer values than ``fewest``: ``(N, n)`` to ``(N,)``."""
    known = np.isfinite(values)
    count = known.sum(1)
    ordered = np.sort(values, axis=1).astype(np.float64)  # nan comes last
    at = np.maximum(count - 1, 0) / 2
    rows = np.arange(len(values))
    medians = (ordered[rows, np.floor(at).astype(np.intp)] + ordered[rows, np.ceil(at).astype(np.intp)]) / 2
    return np.where(count >= fewest, medians, np.nan)


def of_the_rest(subject: Subject) -> float:
    """Median width of the edges outside every region, as a logarithm to base 2; nan where there are too few."""
    return float(middle(subject.once(edge_widths)[~subject.suspected.ravel()][None])[0])


def _slope(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    across, down = (cv2.Sobel(luma, cv2.CV_32F, *order, scale=0.25) for order in ((1, 0), (0, 1)))
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _compare(subject: Subject, places: Placements) -> Comparison:
    inside, rest = middle(subject.once(edge_widths)[places.inside]), subject.once(of_the_rest)
    return Comparison(np.abs(inside - rest), float(2 ** inside[0]), float(2**rest))


def _describe(found: Comparison) -> str:
    more = "softer" if found.value > found.reference else "sharper"
    return (
        f"Edges inside are blurred over {found.value:.2f} pixels and elsewhere in the picture over "
        f"{found.reference:.2f}: they are {more} inside"
    )


SHARPNESS = Measure("sharpness", "Texture Inconsistency", "pixels of blur", 0.15, _compare, _describe)
"""Standard deviation of the blur of edges; differences in octaves."""
