from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data

from omni_iml.data.finding import faces_through, find_faces
from omni_iml.types import Box

FACE = (175, 70, 275, 180)  # Eileen Collins' in scikit-image's picture, by eye


def portrait() -> NDArray[np.uint8]:
    return np.ascontiguousarray(data.astronaut()[:300, 80:380])


def covers(box: Box, face: Box) -> float:
    """Intersection over union."""
    wide = min(box[2], face[2]) - max(box[0], face[0])
    tall = min(box[3], face[3]) - max(box[1], face[1])
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (box, face)]
    return max(wide, 0) * max(tall, 0) / (sum(areas) - max(wide, 0) * max(tall, 0))


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
def test_a_face_is_found_at_any_size(scale: float) -> None:
    picture = cv2.resize(portrait(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    faces = find_faces(np.asarray(picture, np.uint8))
    assert len(faces) == 1
    there = tuple(round(v * scale) for v in (FACE[0] - 80, FACE[1], FACE[2] - 80, FACE[3]))
    assert covers(faces[0], there) > 0.6  # type: ignore[arg-type]


def test_a_crop_as_tight_as_the_face_is_found() -> None:
    x0, y0, x1, y1 = FACE
    tight = np.ascontiguousarray(data.astronaut()[y0 - 8 : y1 + 8, x0 - 8 : x1 + 8])
    faces = find_faces(tight)
    assert len(faces) == 1
    assert covers(faces[0], (8, 8, 8 + x1 - x0, 8 + y1 - y0)) > 0.5


def test_two_people_have_two_faces_that_do_not_overlap() -> None:
    one = portrait()
    faces = find_faces(np.hstack([one, one[:, ::-1]]))
    assert len(faces) == 2
    (left, right) = sorted(faces)
    assert left[2] <= right[0]
    assert abs(left[0] - (600 - right[2])) < 20


def test_the_same_pixels_have_the_same_faces() -> None:
    assert find_faces(portrait()) == find_faces(portrait().copy())


@pytest.mark.parametrize("picture", [data.gravel, data.brick, data.coins, data.page])
def test_nothing_is_found_where_nobody_is(picture: Callable[[], NDArray[np.uint8]]) -> None:
    assert find_faces(np.repeat(picture()[:300, :300, None], 3, 2)) == ()


def test_a_strip_is_no_face() -> None:
    assert find_faces(np.zeros((16, 900, 3), np.uint8)) == ()


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 60), st.integers(1, 60))
def test_a_window_shows_the_faces_of_which_more_than_half_is_in_it(y: int, x: int, height: int, width: int) -> None:
    face = (20, 30, 50, 70)
    canvas = np.zeros((140, 140), bool)
    canvas[30:70, 20:50] = True
    cut = canvas[y : y + height, x : x + width]
    seen = faces_through((face,), y, x, height, width)
    assert bool(seen) == (cut.sum() > 600)
    for x0, y0, x1, y1 in seen:
        assert cut[y0:y1, x0:x1].all()
        assert (x1 - x0) * (y1 - y0) == cut.sum()
