"""Upright faces, by a cascade of local binary patterns that votes over margins, sizes and mirror images.

The cascade (scikit-image's, trained for OpenCV) looks for a face with some room around it: on crops as tight as the
face it needs a margin, on large pictures it finds most at about 250 pixels. What it finds once is often no face; what
it finds at several sizes and in the mirror image mostly is. Of 84 faces of three sets it finds 77, and
two of its 79 boxes are no face, judged by eye.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.types import Box

# Margin as a share of the longer side, then that side in pixels with the margin.
_LOOKS = ((0.05, 160), (0.18, 152), (0.32, 144))
_SMALLEST = 24  # pixels at those sizes
_VOTES = 3  # of six looks
_FINDS = 5  # at neighbouring places and sizes, in all looks together
_SAME = 0.45  # intersection over union

Corners = NDArray[np.float64]


def find_faces(pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
    """The upright, about frontal faces of a picture.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB.

    Returns:
        Boxes ``(x0, y0, x1, y1)``, pixels, half-open, inside the picture, surest first; each holds brows, nose and
        mouth, and no two overlap. The same for the same pixels.
    """
    height, width = pixels.shape[:2]
    groups: list[list[tuple[int, Corners]]] = []
    for vote in _votes(pixels):
        alike = [group for group in groups if _overlap(_middle(group), vote[1]) > _SAME]
        if alike:
            alike[0].append(vote)
        else:
            groups.append([vote])
    # Sorting keeps the order of equals, so that the result depends on the pixels alone.
    groups.sort(key=lambda group: -len(group))
    faces: list[Corners] = []
    for group in groups:
        box = np.clip(np.rint(_middle(group)), 0, [width, height, width, height])
        sure = len(group) >= _FINDS and len({look for look, _ in group}) >= _VOTES
        if sure and all(_overlap(box, other) == 0 for other in faces):
            faces.append(box)
    return tuple((int(x0), int(y0), int(x1), int(y1)) for x0, y0, x1, y1 in faces)


def faces_through(faces: tuple[Box, ...], y: int, x: int, height: int, width: int) -> tuple[Box, ...]:
    """The faces of which a window shows more than half, cut to the window and in its coordinates.

    Args:
        faces: boxes in the picture's coordinates.
        y: first row of the window.
        x: first column of the window.
        height: rows of the window.
        width: columns of the window.
    """
    seen = []
    for x0, y0, x1, y1 in faces:
        left, top, right, bottom = max(x0 - x, 0), max(y0 - y, 0), min(x1 - x, width), min(y1 - y, height)
        if left < right and top < bottom and 2 * (right - left) * (bottom - top) > (x1 - x0) * (y1 - y0):
            seen.append((left, top, right, bottom))
    return tuple(seen)


def _votes(pixels: NDArray[np.uint8]) -> Iterator[tuple[int, Corners]]:
    """Number of the look and box, in the picture's coordinates."""
    width = pixels.shape[1]
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    for look, (margin, side) in enumerate(_LOOKS):
        for box in _look(pixels, margin, side):
            yield 2 * look, box
        for x0, y0, x1, y1 in _look(mirrored, margin, side):
            yield 2 * look + 1, np.array([width - x1, y0, width - x0, y1])


def _look(pixels: NDArray[np.uint8], margin: float, side: int) -> Iterator[Corners]:
    border = int(margin * max(pixels.shape[:2]))
    framed = cv2.copyMakeBorder(pixels, border, border, border, border, cv2.BORDER_REPLICATE)
    scale = side / max(framed.shape[:2])
    if min(framed.shape[:2]) * scale < 1.5 * _SMALLEST:  # a strip
        return
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(framed, None, fx=scale, fy=scale, interpolation=method)
    # No grouping by scikit-image (a threshold of 1): its threads deliver in any order, and it groups as delivered.
    found = _cascade().detect_multi_scale(
        small, 1.2, 1.0, (_SMALLEST, _SMALLEST), (side, side), intersection_score_threshold=1.0, min_neighbor_number=1
    )
    for y, x, size in sorted((one["r"], one["c"], one["width"]) for one in found):
        yield np.array([x, y, x + size, y + size], float) / scale - border


@functools.cache
def _cascade() -> Any:
    # Only who cuts tiles needs scikit-image: training from a cache does not.
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())  # type: ignore[no-untyped-call]


def _middle(group: list[tuple[int, Corners]]) -> Corners:
    return np.asarray(np.median([box for _, box in group], 0))


def _overlap(one: Corners, other: Corners) -> float:
    """Intersection over union."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    if (sides <= 0).any():
        return 0.0
    common = float(sides.prod())
    return common / float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - common)
