"""Copy-move by keypoints (Amerini et al. 2011): SIFT points that match others of the same picture under one motion."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.io.orientation import to_displayed
from omni_iml.types import EvidenceImage

_RATIO = 0.6  # nearest over second nearest descriptor distance, the paper's value
_APART = 16.0  # pixels between two points that are not one place
_FEWEST = 6  # matches that agree on one motion
_POINTS = 6000
_ROUNDS = 4  # motions looked for
_REACH = 24  # pixels around a point that a match speaks for


def keypoint_copy_move(image: EvidenceImage) -> NDArray[np.float32]:
    """Where points agree that the place occurs twice; both places are marked, as nothing tells which is the copy.

    Args:
        image: the picture.

    Returns:
        float32 ``(H, W)``, 0..1: the more matches under one motion a place has around it, the larger; displayed
        orientation.
    """
    gray = np.asarray(cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    heat = np.zeros(gray.shape, np.float32)
    here, there = _matches(gray)
    for _ in range(_ROUNDS):
        if len(here) < _FEWEST:
            break
        cv2.setRNGSeed(0)
        motion, inside = cv2.estimateAffinePartial2D(here, there, ransacReprojThreshold=3.0)
        agreed = inside.ravel() > 0 if motion is not None else np.zeros(len(here), bool)
        if agreed.sum() < _FEWEST:
            break
        for points in (here[agreed], there[agreed]):
            hull = np.zeros(gray.shape, np.uint8)
            for x, y in points:
                cv2.circle(hull, (round(float(x)), round(float(y))), _REACH, 1, -1)
            heat[hull > 0] = np.maximum(heat[hull > 0], np.float32(agreed.sum() / (agreed.sum() + _FEWEST)))
        here, there = here[~agreed], there[~agreed]
    return np.asarray(to_displayed(heat, image.orientation))


def _matches(gray: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pairs of points ``(N, 2)`` of the same picture that look alike and lie apart."""
    points, descriptors = cv2.SIFT.create(nfeatures=_POINTS).detectAndCompute(gray, None)
    if descriptors is None or len(points) < 4:
        return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    here, there = [], []
    # The first neighbour is the point itself; the generalised ratio test compares the second with the third.
    for _, second, third in cv2.BFMatcher(cv2.NORM_L2).knnMatch(descriptors, descriptors, k=3):
        a, b = (np.array(points[i].pt, np.float32) for i in (second.queryIdx, second.trainIdx))
        if (
            second.distance < _RATIO * third.distance
            and np.linalg.norm(a - b) > _APART
            and second.queryIdx < second.trainIdx
        ):
            here.append(a)
            there.append(b)
    return np.array(here, np.float32).reshape(-1, 2), np.array(there, np.float32).reshape(-1, 2)
