"""Random region shapes: uint8 masks, 1 inside.

A shape may lie partly outside the picture, as objects do, and now and then little or nothing of it is left: who draws
one looks at what came out.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.pixels import Mask


def ellipse(rng: Generator, size: int, area: float) -> Mask:
    """A rotated ellipse of about ``area`` (share of the picture), its centre anywhere."""
    aspect = float(np.exp(rng.uniform(-0.7, 0.7)))
    major = np.sqrt(area / np.pi) * size
    axes = (max(2, int(major * np.sqrt(aspect))), max(2, int(major / np.sqrt(aspect))))
    centre = (int(rng.integers(0, size)), int(rng.integers(0, size)))
    mask = np.zeros((size, size), np.uint8)
    cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    return mask


def rectangle(rng: Generator, size: int, area: float, *, wide: bool = False) -> Mask:
    """An upright rectangle of about ``area``; ``wide`` makes it a text line: two to eight times as wide as tall."""
    aspect = float(rng.uniform(2, 8)) if wide else float(np.exp(rng.uniform(-0.8, 0.8)))
    height = max(4, min(size - 1, int(size * np.sqrt(area / aspect))))
    width = max(4, min(size - 1, int(size * np.sqrt(area * aspect))))
    y, x = int(rng.integers(0, size - height + 1)), int(rng.integers(0, size - width + 1))
    mask = np.zeros((size, size), np.uint8)
    mask[y : y + height, x : x + width] = 1
    return mask


def polygon(rng: Generator, size: int, area: float) -> Mask:
    """A star-shaped polygon with 5 to 14 corners, smooth or spiky: the outline of an object cut by hand."""
    corners = int(rng.integers(5, 15))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radii = np.sqrt(area / np.pi) * size * rng.uniform(0.6, 1.4, corners)
    centre = rng.uniform(0, size, 2)
    points = centre + np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None]
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [points.astype(np.int32)], 1)
    return mask


def blob(rng: Generator, size: int, area: float) -> Mask:
    """A polygon whose outline is bent by smooth noise: organic edges."""
    small = min(size, 128)  # it is smooth
    field = cv2.resize(rng.standard_normal((8, 8)).astype(np.float32), (small, small), interpolation=cv2.INTER_CUBIC)
    inside = cv2.GaussianBlur(polygon(rng, small, area).astype(np.float32), (0, 0), small / 24)
    bent = cv2.resize(inside + 0.15 * field * (inside > 0.05), (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(bent > 0.5, np.uint8)


def fitted(mask: Mask, height: int, width: int) -> Mask:
    """A shape stretched to a picture of another form; its share of the picture stays."""
    if mask.shape == (height, width):
        return mask
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def drawn_in(
    rng: Generator, height: int, width: int, area: tuple[float, float], *, lines: bool = False
) -> tuple[Mask, str]:
    """A random shape for a picture of this form.

    Args:
        rng: source of all choices.
        height: of the picture in pixels.
        width: of the picture in pixels.
        area: smallest and largest share of the picture; small shares are as frequent as large ones by their logarithm.
        lines: whether it shall be a text line instead of an object.

    Returns:
        The mask ``(height, width)`` and the shape's name.
    """
    share = float(np.exp(rng.uniform(np.log(area[0]), np.log(area[1]))))
    side = max(height, width)
    if lines:
        return fitted(rectangle(rng, side, min(share, 0.15), wide=True), height, width), "line"
    shape = (polygon, blob, ellipse, rectangle)[int(rng.choice(4, p=[0.35, 0.3, 0.2, 0.15]))]
    return fitted(shape(rng, side, share), height, width), shape.__name__
