"""Copy-move: where in the same picture a region comes from, moved, turned, scaled or mirrored.

Two searches: key points whose neighbourhoods agree and that one similarity moves onto another (Amerini et al., "A
SIFT-based forensic method for copy-move attack detection", 2011), and for small regions, which have few, their picture
slid over all others. What either proposes is judged by the correlation of detail between region and source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.measuring import Comparison, Measure, Subject
from omni_iml.evidence.placements import Placements
from omni_iml.io.orientation import displayed_map

Matrix = NDArray[np.float64]

_LARGEST = 1 << 20  # pixels that key points are looked for in: larger pictures are reduced
_RATIO = 0.8  # of the distances of the best and the second best match
_FEWEST_MATCHES = 5
_MOST_OWN = 400  # key points of a region
_NEIGHBOURS = 6  # most alike key points among which a second best is looked for
_SCALES = (0.3, 3.0)
_SMALL = 96  # pixels: a region whose box has no longer side is also slid over the picture
_WORTH_COMPARING = 0.5  # correlation from which on it is asked how well other places find a twin
_MOST_PLACES = 24
_MOST_COVERED = 0.25  # of a twin's box that a region may cover
_NEVER = -2.0


@dataclass(frozen=True)
class Twin:
    """A place that looks like the region.

    Attributes:
        correlation: of the detail of both, -1..1.
        matrix: float64 ``(2, 3)``, from a point of the region to its source, in pixels.
    """

    correlation: float
    matrix: Matrix


@dataclass(frozen=True)
class _KeyPoints:
    places: NDArray[np.float32]  # (N, 2), x and y
    descriptors: NDArray[np.float32]  # (N, 128), unit length
    suspected: NDArray[np.bool_]  # (N,)


def _detail(subject: Subject) -> NDArray[np.float32]:
    """Detail between grain and shading: what survives compression and what correlation is told from."""
    fine, coarse = (cv2.GaussianBlur(subject.luma, (0, 0), width) for width in (0.8, 4.0))
    return np.asarray(fine - coarse, np.float32)


def _half_detail(subject: Subject) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(subject.once(_detail), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def _key_points(subject: Subject) -> _KeyPoints:
    luma = subject.luma.astype(np.uint8)
    scale = min(1.0, float(np.sqrt(_LARGEST / luma.size)))
    if scale < 1:
        luma = np.asarray(cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    # OpenCV's hints lack it in some versions.
    sift: Any = cv2
    found, descriptors = sift.SIFT_create(nfeatures=6000, contrastThreshold=0.02).detectAndCompute(luma, None)
    if descriptors is None:
        descriptors = np.zeros((0, 128), np.float32)
    places = np.array([point.pt for point in found], np.float32).reshape(-1, 2) / np.float32(scale)
    roots = np.sqrt(descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-6))
    columns, rows = (
        np.clip(np.rint(places[:, axis]).astype(np.intp), 0, side - 1)
        for axis, side in ((0, subject.luma.shape[1]), (1, subject.luma.shape[0]))
    )
    return _KeyPoints(places, np.asarray(roots, np.float32), subject.suspected[rows, columns])


def _mirrored(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Descriptors of the mirror image: 4 rows run backwards and the 8 directions turn the other way."""
    cells = descriptors.reshape(-1, 4, 4, 8)[:, ::-1]
    return np.ascontiguousarray(cells[..., -np.arange(8) % 8]).reshape(-1, 128)


def find_twin(subject: Subject, box: tuple[int, int, int, int], shape: NDArray[np.bool_]) -> Twin | None:
    """Find the place outside every region that looks most like a shape.

    Args:
        subject: the picture.
        box: ``(x0, y0, x1, y1)`` of the shape, half-open, in pixels.
        shape: bool ``(y1 - y0, x1 - x0)``.

    Returns:
        The twin; None where nothing agrees.
    """
    candidates = [*_by_key_points(subject, box, shape)]
    if max(shape.shape) <= _SMALL:
        candidates += _by_sliding(subject, box)
    judged = [Twin(_correlation(subject, box, shape, matrix), matrix) for matrix in candidates]
    return max(judged, key=lambda twin: twin.correlation, default=None)


def _by_key_points(subject: Subject, box: tuple[int, int, int, int], shape: NDArray[np.bool_]) -> list[Matrix]:
    points = subject.once(_key_points)
    x0, y0, x1, y1 = box
    x, y = np.floor(points.places).astype(np.intp).T
    in_box = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
    own = np.flatnonzero(in_box)
    own = own[shape[y[own] - y0, x[own] - x0]]
    own = own[np.linspace(0, len(own) - 1, min(len(own), _MOST_OWN)).astype(np.intp)]
    others = np.flatnonzero(~points.suspected & ~in_box)
    if len(own) < _FEWEST_MATCHES or len(others) < 2:
        return []
    places_of_others = points.places[others]
    straight = points.descriptors[own]
    both = np.concatenate([straight, _mirrored(straight)]) @ points.descriptors[others].T  # (2n, m)
    found = []
    for mirror, alike in zip((False, True), np.split(both, 2), strict=True):
        best, first, second = _best_two(alike, places_of_others)
        clear = np.sqrt(np.maximum(2 - 2 * first, 0)) < _RATIO * np.sqrt(np.maximum(2 - 2 * second, 1e-9))
        if np.count_nonzero(clear) < _FEWEST_MATCHES:
            continue
        side = np.array([-1 if mirror else 1, 1], np.float32)
        here, there = points.places[own][clear] * side, places_of_others[best[clear]]
        cv2.setRNGSeed(1)
        matrix, inliers = cv2.estimateAffinePartial2D(here, there, ransacReprojThreshold=2.5)
        if matrix is None or int(inliers.sum()) < _FEWEST_MATCHES:
            continue
        matrix = np.asarray(matrix, np.float64) * np.array([side[0], 1, 1])
        if _SCALES[0] < np.sqrt(abs(np.linalg.det(matrix[:, :2]))) < _SCALES[1]:
            found.append(matrix)
    return found


def _best_two(
    alike: NDArray[np.float32], places: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
    """The best match of each key point, and how alike the second best is that lies elsewhere.

    The best match's own neighbours look like it too: they do not make it ambiguous.

    Args:
        alike: float32 ``(n, m)``, cosine of each key point with each possible match; overwritten.
        places: float32 ``(m, 2)``, x and y of the possible matches.

    Returns:
        Best matches ``(n,)``, their likeness ``(n,)`` and the second's ``(n,)``: -1 where all among the first few are
        neighbours of the best.
    """
    rows = np.arange(len(alike))
    best = alike.argmax(1)
    first, second = alike[rows, best], np.full(len(alike), -1, np.float32)
    last, open_rows = best, rows
    for _ in range(min(_NEIGHBOURS, len(places)) - 1):  # one after the other: most are decided by the first
        alike[open_rows, last] = -2
        last = alike[open_rows].argmax(1)
        far = np.abs(places[last] - places[best[open_rows]]).max(1) > 8
        second[open_rows[far]] = alike[open_rows[far], last[far]]
        open_rows, last = open_rows[~far], last[~far]
    return best, first, second


def _by_sliding(subject: Subject, box: tuple[int, int, int, int]) -> list[Matrix]:
    """The best place of the box's picture, as it is and mirrored, at half size and then to a pixel."""
    half, detail = subject.once(_half_detail), subject.once(_detail)
    x0, y0, x1, y1 = box
    a0, b0, a1, b1 = (edge // 2 for edge in box)
    if min(a1 - a0, b1 - b0) < 4 or half[b0:b1, a0:a1].std() < 1:
        return []
    blocked = subject.once(_suspected_sums)
    found = []
    for mirror in (False, True):
        part = half[b0:b1, a0:a1]
        scores = cv2.matchTemplate(half, np.ascontiguousarray(part[:, ::-1] if mirror else part), cv2.TM_CCOEFF_NORMED)
        high, wide = part.shape
        corner = (slice(high, None), slice(wide, None), slice(None, -high), slice(None, -wide))
        covered = blocked[corner[0], corner[1]] - blocked[corner[2], corner[1]]
        covered = covered - blocked[corner[0], corner[3]] + blocked[corner[2], corner[3]]
        scores[covered > _MOST_COVERED * high * wide] = _NEVER
        # Nor may it be itself, moved a little.
        down, right = round((1 - _MOST_COVERED) * high), round((1 - _MOST_COVERED) * wide)
        scores[max(0, b0 - down) : b0 + down + 1, max(0, a0 - right) : a0 + right + 1] = _NEVER
        _, best, _, (left, top) = cv2.minMaxLoc(scores)
        if best < _WORTH_COMPARING:
            continue
        part = detail[y0:y1, x0:x1]
        top, left = max(0, 2 * top - 3), max(0, 2 * left - 3)
        near = detail[top : top + (y1 - y0) + 7, left : left + (x1 - x0) + 7]
        if near.shape[0] < part.shape[0] or near.shape[1] < part.shape[1]:
            continue
        exact = cv2.matchTemplate(near, np.ascontiguousarray(part[:, ::-1] if mirror else part), cv2.TM_CCOEFF_NORMED)
        _, _, _, (right, down) = cv2.minMaxLoc(exact)
        to_x, to_y = left + right, top + down
        across = [-1, 0, to_x + x1 - 1] if mirror else [1, 0, to_x - x0]
        found.append(np.array([across, [0, 1, to_y - y0]], np.float64))
    return found


def _suspected_sums(subject: Subject) -> NDArray[np.int32]:
    half = subject.once(_half_detail)
    suspected = cv2.resize(subject.suspected.astype(np.uint8), half.shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.integral(np.asarray(suspected > 0, np.uint8)), np.int32)


def _correlation(subject: Subject, box: tuple[int, int, int, int], shape: NDArray[np.bool_], matrix: Matrix) -> float:
    """Correlation of detail between a shape and what ``matrix`` takes it to; -2 where that leaves the picture."""
    x0, y0, x1, y1 = box
    detail = subject.once(_detail)
    # The shape moved to its box's corner, then to the source.
    at_corner = matrix @ np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]], np.float64)
    source = cv2.warpAffine(
        detail, at_corner, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=np.nan
    )
    here, there = detail[y0:y1, x0:x1][shape], np.asarray(source, np.float64)[shape]
    known = np.isfinite(there)
    if known.mean() < 0.7 or known.sum() < 16:
        return _NEVER
    here, there = here[known] - here[known].mean(), there[known] - there[known].mean()
    spread = float(np.sqrt((here**2).sum() * (there**2).sum()))
    return float((here * there).sum()) / spread if spread > 1e-6 else _NEVER


def _compare(subject: Subject, places: Placements) -> Comparison | None:
    height, width = subject.luma.shape
    flags = np.zeros(height * width, np.uint8)
    x0, y0, x1, y1 = (int(edge) for edge in places.boxes[0])
    shape = subject.suspected[y0:y1, x0:x1]
    _, labels = cv2.connectedComponents(shape.astype(np.uint8), connectivity=8)
    flags[places.inside[0]] = 1
    label = int(labels[flags.reshape(height, width)[y0:y1, x0:x1] > 0].max())
    shape = np.asarray(labels == label)
    twin = find_twin(subject, (x0, y0, x1, y1), shape)
    if twin is None or twin.correlation < _WORTH_COMPARING:
        # Nothing that could be a finding: how other places fare is not worth the time.
        return None
    others = [
        find_twin(subject, tuple(map(int, other)), _fitted(shape, other))  # type: ignore[arg-type]
        for other in places.boxes[1 : 1 + _MOST_PLACES]
    ]
    correlations = [twin.correlation, *(max(0.0, other.correlation) if other else 0.0 for other in others)]
    matrix = _displayed(twin.matrix, subject)
    details = {name: float(value) for name, value in zip(_NAMES, matrix.ravel(), strict=True)}
    return Comparison(np.array(correlations), twin.correlation, float(np.median(correlations[1:])), details)


def _displayed(matrix: Matrix, subject: Subject) -> Matrix:
    """A matrix between points of the stored picture, as it is between the same points as displayed."""
    turn = np.vstack([displayed_map(subject.image.orientation, *subject.luma.shape), [0, 0, 1]])
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # matrices here count from the middle of the first pixel
    turn = np.linalg.inv(half) @ turn @ half
    return np.asarray((turn @ np.vstack([matrix, [0, 0, 1]]) @ np.linalg.inv(turn))[:2])


_NAMES = ("xx", "xy", "x", "yx", "yy", "y")


def matrix_of(details: Mapping[str, float]) -> Matrix:
    """The matrix from a point of the region to its source, both as displayed, from the details of a measurement."""
    return np.array([details[name] for name in _NAMES]).reshape(2, 3)


def _fitted(shape: NDArray[np.bool_], box: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The shape brought to the size of a box."""
    wide, high = int(box[2] - box[0]), int(box[3] - box[1])
    if shape.shape == (high, wide):
        return shape
    return np.asarray(cv2.resize(shape.astype(np.uint8), (wide, high), interpolation=cv2.INTER_AREA)) > 0


def _describe(found: Comparison) -> str:
    matrix = matrix_of(found.details)
    size = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    mirrored = np.linalg.det(matrix[:, :2]) < 0
    turned = float(np.degrees(np.arctan2(matrix[1, 0], -matrix[0, 0] if mirrored else matrix[0, 0])))
    how = ", mirrored" if mirrored else ""
    how += f", scaled to {1 / size:.0%}" if abs(size - 1) > 0.03 else ""
    how += f", turned by {turned:.0f} degrees" if abs(turned) > 2 else ""
    return (
        f"The detail inside repeats another place of the picture{how}, with a correlation of {found.value:.2f} "
        f"(the best that other places find is {found.reference:.2f} in the middle)"
    )


COPY_MOVE = Measure("copy_move", "Texture Inconsistency", "correlation", 0.5, _compare, _describe)
"""Correlation of detail with the place it agrees with best."""
