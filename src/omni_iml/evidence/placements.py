"""The reference of a measurement: places of the same shape and like content in the same picture.

No number is unusual by itself: a face is smoother than hair, ink is darker than paper. So each number is held against
the same number at other places of the picture, as large and of the same outline as the region, and of those the ones
whose contrast, inside and around, is most like the region's.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.blocks import SIDE

PLACES = 96
"""Reference places kept at most, those most like the region."""

FEWEST = 19
"""Reference places below which nothing is said: with fewer, one in twenty cannot be told."""

SMALLEST = 24
"""Fewest pixels of a region that is measured."""

REACH = 7
"""Pixels that the lines across an outline reach, to both sides."""

_CANDIDATES = 768
_MOST = 2048  # pixels sampled of the inside, and of the ring
_FEW = 256  # of them, by which candidates are compared
_OUTLINE = 256
_LARGEST_SHARE = 0.12  # of the picture that a reference place may cover: a larger shape is shrunk
_LARGEST_SIDE = 0.6  # of the picture's side, likewise
_RING_AREA = 1.5  # pixels of the ring for one of the inside
_FREE = 0.3  # share of a place's ring that may be out of the picture or suspected

Points = NDArray[np.int64]


@dataclass(frozen=True)
class Placements:
    """A region and its reference places, as indices into a picture's pixels laid out row by row.

    Row 0 is the region. The other rows are the same points, moved by multiples of 8 pixels, so that each keeps its
    place on the JPEG grid (a region that had to be shrunk has points of its own in row 0).

    Attributes:
        width: of the picture, in pixels.
        inside: int64 ``(1 + P, n)``, pixels of the region.
        ring: int64 ``(1 + P, m)``, pixels around it.
        outline: int64 ``(1 + P, k, 14)``, pixels on lines across the outline, from inside to outside; the outline lies
            between the seventh and the eighth.
        boxes: int64 ``(1 + P, 4)``, boxes ``x0, y0, x1, y1`` of the shape, half-open.
        scale: size of the reference places as a share of the region's; 1 unless the region is large.
    """

    width: int
    inside: Points
    ring: Points
    outline: Points
    boxes: Points
    scale: float


@dataclass(frozen=True)
class _Shape:
    """Points of a shape, ``(n, 2)`` rows and columns; of the outline ``(k, 14, 2)``."""

    inside: Points
    ring: Points
    outline: Points

    def moved(self, row: int, column: int) -> _Shape:
        by = np.array([row, column])
        return _Shape(self.inside + by, self.ring + by, self.outline + by)


def place(
    mask: NDArray[np.bool_], suspected: NDArray[np.bool_], luma: NDArray[np.float32], seed: int = 0
) -> Placements | None:
    """Find a region's reference places.

    Args:
        mask: bool ``(H, W)``, the region.
        suspected: bool ``(H, W)``, every region: no reference place lies in any of them.
        luma: float32 ``(H, W)``, 0..255.
        seed: of the sampling.

    Returns:
        The region and its places; None where it has fewer than `SMALLEST` pixels or no surroundings, or the picture
        has not `FEWEST` such places.
    """
    height, width = mask.shape
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    area = int(np.count_nonzero(mask))
    if area < SMALLEST:
        return None
    rng = np.random.default_rng(seed)
    own = _points(mask, suspected, (x, y, w, h), rng)
    scale = min(1.0, float(np.sqrt(_LARGEST_SHARE * mask.size / area)), _LARGEST_SIDE * width / w)
    scale = min(scale, _LARGEST_SIDE * height / h)
    wide, high = max(1, round(w * scale)), max(1, round(h * scale))
    moving = own.moved(-y, -x) if own is not None and scale == 1 else _shrunk(mask[y : y + h, x : x + w], wide, high)
    if own is None or moving is None:
        return None
    corners = _corners((y % SIDE, x % SIDE), (high, wide), (height, width), rng)
    blocked = suspected.ravel()
    inside, _ = _indices(corners, moving.inside[:_FEW], height, width)
    ring, outside = _indices(corners, moving.ring[:_FEW], height, width)
    free = ~blocked[inside].any(1) & (blocked[ring].mean(1) + outside < _FREE)
    corners, inside, ring = corners[free], inside[free], ring[free]
    if len(corners) < FEWEST:
        return None
    here = np.zeros((1, 2), np.int64)
    own_inside, own_ring, own_outline = (
        _indices(here, points.reshape(-1, 2), height, width)[0] for points in (own.inside, own.ring, own.outline)
    )
    unlike = _contrasts(luma, inside, ring) - _contrasts(luma, own_inside[:, :_FEW], own_ring[:, :_FEW])
    corners = corners[np.argsort(np.abs(unlike).sum(1), kind="stable")[:PLACES]]
    inside, ring, outline = (
        _indices(corners, points.reshape(-1, 2), height, width)[0]
        for points in (moving.inside, moving.ring, moving.outline)
    )
    origins = corners[:, ::-1]
    return Placements(
        width=width,
        inside=_stacked(own_inside, inside),
        ring=_stacked(own_ring, ring),
        outline=_stacked(own_outline, outline).reshape(1 + len(corners), -1, 2 * REACH),  # (1 + P, k, 14)
        boxes=np.concatenate([[[x, y, x + w, y + h]], np.concatenate([origins, origins + np.array([wide, high])], 1)]),
        scale=scale,
    )


def _points(
    mask: NDArray[np.bool_], suspected: NDArray[np.bool_], box: tuple[int, int, int, int], rng: np.random.Generator
) -> _Shape | None:
    """Sample the inside, the ring and the outline of a region; None where it has no surroundings."""
    height, width = mask.shape
    x, y, w, h = box
    half = (w + h) / 4
    margin = int(np.clip(np.sqrt(half * half + _RING_AREA * np.count_nonzero(mask) / 4) - half, 8, 64)) + 2
    top, left = max(0, y - margin), max(0, x - margin)
    near = (slice(top, min(height, y + h + margin)), slice(left, min(width, x + w + margin)))
    part = np.pad(mask[near].astype(np.uint8), 1)  # what lies beyond the picture's edge is outside
    others = suspected[near] & ~mask[near]
    inner = (slice(1, -1), slice(1, -1))
    far = np.asarray(cv2.distanceTransform(1 - part, cv2.DIST_L2, 5), np.float32)
    away = far - np.asarray(cv2.distanceTransform(part, cv2.DIST_L2, 5), np.float32)
    ring = np.argwhere((far[inner] > 2) & (far[inner] <= margin) & ~others)
    edge = _some(np.argwhere((far[inner] > 0) & (far[inner] < 1.2) & ~others), _OUTLINE, rng)
    if len(ring) < SMALLEST or not len(edge):
        return None
    # The gradient of the signed distance is the outward normal; it is smoothed, for distances go by whole pixels.
    smooth = cv2.GaussianBlur(away, (0, 0), 1.5)
    slopes = [np.asarray(cv2.Sobel(smooth, cv2.CV_32F, *order))[inner] for order in ((0, 1), (1, 0))]
    normal = np.stack([slope[edge[:, 0], edge[:, 1]] for slope in slopes], 1)
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    steps = np.arange(-REACH, REACH)
    lines = np.rint(edge[:, None] + steps[None, :, None] * normal[:, None]).astype(np.int64)  # (k, 14, 2)
    inside = np.argwhere(part[inner] > 0)
    return _Shape(_some(inside, _MOST, rng), _some(ring, _MOST, rng), lines).moved(top, left)


def _shrunk(shape: NDArray[np.bool_], wide: int, high: int) -> _Shape | None:
    """Points of a shape brought to another size, from the corner of its box."""
    small = np.asarray(cv2.resize(shape.astype(np.uint8), (wide, high), interpolation=cv2.INTER_AREA)) > 0
    margin = 66
    framed = np.pad(small, margin)
    points = _points(framed, framed, (margin, margin, wide, high), np.random.default_rng(0))
    return None if points is None else points.moved(-margin, -margin)


def _some(points: Points, most: int, rng: np.random.Generator) -> Points:
    return points[rng.permutation(len(points))[:most]]


def _stacked(own: Points, others: Points) -> Points:
    count = min(own.shape[1], others.shape[1])
    return np.concatenate([own[:, :count], others[:, :count]])


def _corners(phase: tuple[int, int], shape: tuple[int, int], size: tuple[int, int], rng: np.random.Generator) -> Points:
    """Corners of boxes that lie on the 8-pixel grid as the region does: ``(N, 2)``, rows and columns."""
    rows, columns = (
        np.arange(start, whole - part + 1, SIDE) for start, part, whole in zip(phase, shape, size, strict=True)
    )
    count = len(rows) * len(columns)
    chosen = np.arange(count) if count <= _CANDIDATES else rng.choice(count, _CANDIDATES, replace=False)
    return np.stack([rows[chosen // max(1, len(columns))], columns[chosen % max(1, len(columns))]], 1).astype(np.int64)


def _indices(corners: Points, points: Points, height: int, width: int) -> tuple[Points, NDArray[np.float64]]:
    """Points moved to each corner, as indices, those outside drawn in; and the share of them that was outside."""
    rows, columns = corners[:, :1] + points[:, 0], corners[:, 1:] + points[:, 1]
    y, x = np.minimum(np.maximum(rows, 0), height - 1), np.minimum(np.maximum(columns, 0), width - 1)
    return y * width + x, ((y != rows) | (x != columns)).mean(1)


def _contrasts(luma: NDArray[np.float32], inside: Points, ring: Points) -> NDArray[np.float64]:
    """Logarithm of the contrast inside and around: ``(N, 2)``."""
    flat = luma.ravel()
    return np.stack([np.log(flat[points].std(1, dtype=np.float64) + 2) for points in (inside, ring)], 1)
