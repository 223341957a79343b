"""Faces and parts of them: where they lie in a face's box, one face laid over another, and made to look like it.

A face's box is that of `omni_iml.data.finding`: about square, from the middle of the forehead to the chin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.synthesis.pixels import Mask, Pixels, to_pixels
from omni_iml.types import Box

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """An ellipse in a face's box; everything in shares of the box's sides.

    Attributes:
        x: of the centre.
        y: of the centre.
        wide: half of the width.
        tall: half of the height.
    """

    x: float
    y: float
    wide: float
    tall: float


PARTS = {
    "inner_face": Part(0.5, 0.57, 0.36, 0.4),
    "whole_face": Part(0.5, 0.53, 0.45, 0.53),
    "eyes": Part(0.5, 0.38, 0.36, 0.14),
    "nose": Part(0.5, 0.57, 0.15, 0.17),
    "mouth": Part(0.5, 0.78, 0.24, 0.13),
}
"""Parts of a face, by measuring faces of all three sets."""

_SIDE = 48  # pixels, of the faces that are laid over each other


def whole_faces(faces: tuple[Box, ...], smallest: int) -> list[Box]:
    """The faces of ``smallest`` pixels or more that no crop has cut off at a side: their boxes are about square."""
    sides = [(x1 - x0, y1 - y0) for x0, y0, x1, y1 in faces]
    return [
        face
        for face, (wide, tall) in zip(faces, sides, strict=True)
        if min(wide, tall) >= smallest and 0.8 < wide / tall < 1.25
    ]


def outline(rng: Generator, part: Part, box: Box, shape: tuple[int, int]) -> Mask:
    """The part's outline in a face, bent a little as cut by hand or by a mesh of landmarks.

    Args:
        rng: source of all choices.
        part: which part.
        box: the face.
        shape: height and width of the picture.
    """
    x0, y0, x1, y1 = box
    wide, tall = x1 - x0, y1 - y0
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    # A few waves around the outline: no two masks are the same ellipse.
    radius = 1 + sum(rng.uniform(-0.04, 0.04) * np.cos(k * angles + rng.uniform(0, 2 * np.pi)) for k in (2, 3, 4))
    power = rng.uniform(0.8, 1.0)  # below 1 the ellipse has corners
    across = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** power * part.wide * rng.uniform(0.9, 1.08)
    down = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** power * part.tall * rng.uniform(0.9, 1.08)
    points = np.stack([x0 + (part.x + across * radius) * wide, y0 + (part.y + down * radius) * tall], 1)
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 1)
    return mask


def laid_over(face: Pixels, box: Box, base: Pixels, place: Box) -> tuple[NDArray[np.float64], bool, float]:
    """The affine map that lays a face over another.

    The boxes say roughly where the faces are; the picture itself then says how brows, nose and mouth meet best
    (Evangelidis and Psarakis 2008, enhanced correlation).

    Args:
        face: picture of the face to lay.
        box: that face.
        base: picture of the face below.
        place: that face.

    Returns:
        float64 ``(2, 3)`` from ``face``'s coordinates to ``base``'s, whether the face is mirrored, and the correlation
        of the two faces' middles, in -1..1.
    """
    below, above = _small(base, place), _small(face, box)
    best: tuple[float, NDArray[np.float32], bool] | None = None
    for mirrored in (False, True):
        moved = np.ascontiguousarray(above[:, ::-1]) if mirrored else above
        start = np.eye(2, 3, dtype=np.float32)
        score, found = _correlation(below, moved), start
        try:
            criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 1e-3)
            refined, refining = cv2.findTransformECC(below, moved, start.copy(), cv2.MOTION_AFFINE, criteria, _INNER, 3)
        except cv2.error:  # the faces have too little in common
            refined = -1.0
        else:
            matrix = np.asarray(refining, np.float32)
            if refined > score and _mild(matrix):
                score, found = refined, matrix
        if best is None or score > best[0]:
            best = score, found, mirrored
    assert best is not None
    score, fitted, mirrored = best
    # ECC's map goes from the face below to the one above.
    whole = _to_small(place, False)
    back = np.linalg.inv(_square(_to_small(box, mirrored))) @ _square(fitted) @ _square(whole)
    return np.asarray(np.linalg.inv(back)[:2], np.float64), mirrored, float(score)


def _square(matrix: NDArray[Any]) -> NDArray[np.float64]:
    return np.vstack([np.asarray(matrix, np.float64), [0.0, 0.0, 1.0]])


def _to_small(box: Box, mirrored: bool) -> NDArray[np.float64]:
    """From a picture to its face's ``_SIDE`` pixels."""
    x0, y0, x1, y1 = box
    across, down = _SIDE / (x1 - x0), _SIDE / (y1 - y0)
    if mirrored:
        return np.array([[-across, 0.0, _SIDE - 1 + x0 * across], [0.0, down, -y0 * down]])
    return np.array([[across, 0.0, -x0 * across], [0.0, down, -y0 * down]])


def _small(picture: Pixels, box: Box) -> Values:
    x0, y0, x1, y1 = box
    gray = cv2.cvtColor(picture[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    # Light that falls from one side is no feature of a face.
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 1.0) - cv2.GaussianBlur(small, (0, 0), 10.0), np.float32)


def _inner() -> Mask:
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.ellipse(mask, (_SIDE // 2, int(0.56 * _SIDE)), (int(0.4 * _SIDE), int(0.42 * _SIDE)), 0, 0, 360, 255, -1)
    return mask


_INNER = _inner()


def _correlation(one: Values, other: Values) -> float:
    return float(np.corrcoef(one[_INNER > 0], other[_INNER > 0])[0, 1])


def _mild(matrix: NDArray[np.float32]) -> bool:
    """Whether a map is that of a face seen a little otherwise: by its scales and by how far the middle goes."""
    linear = matrix[:, :2].astype(np.float64)
    smallest, largest = np.sqrt(np.linalg.eigvalsh(linear.T @ linear))
    middle = np.array([_SIDE / 2, _SIDE / 2])
    return bool(smallest > 0.72 and largest < 1.35 and np.abs(linear @ middle + matrix[:, 2] - middle).max() < 9)


def lit_like(patch: Pixels, base: Pixels, share: float) -> Pixels:
    """The patch in the light that falls on what is below it: the smoothest of both, exchanged by ``share`` in 0..1."""
    small = [cv2.resize(p, (24, 24), interpolation=cv2.INTER_AREA).astype(np.float32) for p in (base, patch)]
    soft = [cv2.GaussianBlur(p, (0, 0), 24 / 5) for p in small]
    light = cv2.resize(soft[0] - soft[1], (patch.shape[1], patch.shape[0]), interpolation=cv2.INTER_CUBIC)
    return to_pixels(patch + share * light)


def sharpness(pixels: Pixels, mask: Mask) -> float:
    """Standard deviation of the Laplacian over that of the brightness inside a mask; more for finer detail."""
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    inside = mask > 0
    return float(cv2.Laplacian(gray, cv2.CV_32F)[inside].std() / (gray[inside].std() + 1))


def blurred_like(patch: Pixels, base: Pixels, mask: Mask) -> tuple[Pixels, float]:
    """The patch as soft as what is below it, and the blur's sigma in pixels; a softer patch stays as it is."""
    wanted = sharpness(base, mask)
    for sigma in (0.0, 0.5, 0.7, 0.95, 1.3, 1.8):
        soft = np.asarray(cv2.GaussianBlur(patch, (0, 0), sigma), np.uint8) if sigma else patch
        if sharpness(soft, mask) <= 1.15 * wanted:
            break
    return soft, sigma
