from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from drawn_faces import person
from numpy.random import Generator

from omni_iml.data.synthesis.edit import Edit, NothingToEdit, Operation
from omni_iml.data.synthesis.likeness import PARTS, blurred_like, laid_over, outline, sharpness
from omni_iml.data.synthesis.operations import RegrowFace, SwapFace
from omni_iml.data.synthesis.scene import Scene

PLACE = (60, 40, 150, 140)
OPERATIONS: list[Operation] = [SwapFace(), SwapFace(("eyes", "nose", "mouth")), RegrowFace()]


def giver(rng: Generator) -> Scene:
    return person(int(rng.integers(1000)), (90, 50, 200, 170))


def refuse(_: Generator) -> Scene:
    raise AssertionError("a donor was asked for")


def edits(operation: Operation, scene: Scene, count: int, donor: Any = giver) -> list[Edit]:
    return [operation(np.random.default_rng(seed), scene, donor) for seed in range(count)]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_only_the_mask_changes_and_it_lies_on_the_face(operation: Operation) -> None:
    scene = person(1, PLACE)
    kept, (x0, y0, x1, y1) = scene.pixels.copy(), PLACE
    for edit in edits(operation, scene, 16):
        np.testing.assert_array_equal(scene.pixels, kept)
        assert edit.pixels.dtype == edit.mask.dtype == np.uint8
        assert edit.mask.max() == 1
        changed = (edit.pixels != scene.pixels).any(2)
        assert not changed[edit.mask == 0].any()
        assert changed[edit.mask > 0].mean() > 0.5
        rows, columns = np.nonzero(edit.mask)
        part = PARTS[edit.did["part"]]
        assert abs((columns.min() + columns.max()) / 2 - (x0 + part.x * (x1 - x0))) < 9
        assert abs((rows.min() + rows.max()) / 2 - (y0 + part.y * (y1 - y0))) < 12
        assert np.ptp(columns) < 2.5 * part.wide * (x1 - x0)
        assert np.ptp(rows) < 2.5 * part.tall * (y1 - y0)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_same_state_gives_the_same_edit(operation: Operation) -> None:
    scene = person(1, PLACE)
    for one, other in zip(edits(operation, scene, 6), edits(operation, scene, 6), strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.mask, other.mask)
        assert one.did == other.did
    assert len({edit.pixels.tobytes() for edit in edits(operation, scene, 6)}) == 6


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("faces", [(), ((20, 20, 40, 42),), ((0, 20, 60, 120),)])
def test_without_a_whole_face_of_some_size_there_is_nothing_to_edit(operation: Operation, faces: Any) -> None:
    with pytest.raises(NothingToEdit):
        operation(np.random.default_rng(0), person(1, *faces), refuse)


def test_donors_without_a_face_or_with_one_unlike_are_no_use() -> None:
    scene = person(1, PLACE)
    noise = np.random.default_rng(0).integers(0, 255, scene.pixels.shape).astype(np.uint8)
    for other in (person(2), Scene(noise, faces=((10, 10, 120, 130),))):
        asked = []

        def donor(rng: Generator, other: Scene = other, asked: list[int] = asked) -> Scene:
            asked.append(1)
            return other

        with pytest.raises(NothingToEdit):
            SwapFace(tries=3)(np.random.default_rng(0), scene, donor)
        assert len(asked) == 3


def test_faces_of_one_picture_are_swapped_within_it() -> None:
    scene = person(4, (10, 30, 90, 120), (130, 60, 225, 165))
    for edit in edits(SwapFace(within=1.0), scene, 8, refuse):
        assert edit.did["within"] is True
    with_donor = [edit.did["within"] for edit in edits(SwapFace(within=0.0), scene, 4)]
    assert with_donor == [False] * 4


def test_the_new_face_is_the_donors() -> None:
    """A mark on the donor's nose and one beside its mouth come along, to where these are on the face below."""
    scene, other = person(1, PLACE), person(2, (90, 50, 200, 170))
    marked = other.pixels.copy()
    cv2.circle(marked, (145, 120), 7, (0, 250, 0), -1)  # half of its width, 58% of its height
    near = 0
    for seed in range(10):
        plain, mark = (
            SwapFace()(np.random.default_rng(seed), scene, lambda _, p=p: other.painted(p))  # type: ignore[misc]
            for p in (other.pixels, marked)
        )
        if not plain.did["mirrored"] and not mark.did["mirrored"]:
            greener = mark.pixels[..., 1].astype(int) - mark.pixels[..., 0]
            y, x = np.unravel_index(int(np.argmax(cv2.blur(greener.astype(np.float32), (5, 5)))), greener.shape)
            assert abs(int(x) - 105) < 9
            assert abs(int(y) - 98) < 12
            near += 1
    assert near > 2


def test_a_face_finds_its_place_on_itself() -> None:
    """Moved, turned and scaled by a known map, a face is laid back to within a pixel or two."""
    scene = person(3, PLACE, grain=2.0)
    matrix = np.array([[1.2, 0.1, -20.0], [-0.1, 1.2, 10.0]])
    moved = np.asarray(cv2.warpAffine(scene.pixels, matrix, (240, 220), borderMode=cv2.BORDER_REFLECT), np.uint8)
    corners = np.array([[60, 40], [150, 40], [150, 140], [60, 140]], float) @ matrix[:, :2].T + matrix[:, 2]
    (x0, y0), (x1, y1) = np.rint(corners.min(0)).astype(int), np.rint(corners.max(0)).astype(int)
    for roughly in ((x0, y0, x1, y1), (x0 + 4, y0 - 4, x1 + 2, y1 + 3)):
        found, mirrored, alike = laid_over(scene.pixels, PLACE, moved, tuple(int(v) for v in roughly))  # type: ignore[arg-type]
        assert not mirrored
        assert alike > 0.9
        inner = np.array([[85, 78], [125, 78], [105, 120]], float)
        np.testing.assert_allclose(
            inner @ found[:, :2].T + found[:, 2], inner @ matrix[:, :2].T + matrix[:, 2], atol=2.5
        )


def test_a_mirrored_face_is_seen_to_be_mirrored() -> None:
    scene = person(3, PLACE)
    shaded = scene.pixels.copy()
    shaded[60:75, 110:145] = 0  # a patch over one eye
    mirror = np.ascontiguousarray(shaded[:, ::-1])
    matrix, mirrored, alike = laid_over(mirror, (90, 40, 180, 140), shaded, PLACE)
    assert mirrored
    assert alike > 0.9
    np.testing.assert_allclose(matrix, [[-1, 0, 239], [0, 1, 0]], atol=1.5)


def test_outlines_differ_and_stay_in_the_picture() -> None:
    masks = [outline(np.random.default_rng(k), PARTS["inner_face"], (100, -10, 200, 90), (120, 160)) for k in range(9)]
    assert len({mask.tobytes() for mask in masks}) == 9
    assert all(mask.any() and mask.shape == (120, 160) for mask in masks)


def test_sharpness_follows_that_below() -> None:
    mask = outline(np.random.default_rng(0), PARTS["inner_face"], PLACE, (200, 240))
    below, above = person(5, PLACE).pixels, person(9, PLACE, grain=9.0).pixels
    below = np.asarray(cv2.GaussianBlur(below, (0, 0), 1.4), np.uint8)
    soft, sigma = blurred_like(above, below, mask)
    assert sigma > 0.4
    assert sharpness(soft, mask) < sharpness(above, mask)
    assert blurred_like(below, above, mask) == (pytest.approx(below), 0.0)


def test_a_regrown_face_lacks_the_finest_detail_of_the_face() -> None:
    scene = person(1, PLACE, grain=6.0)
    operation = replace(RegrowFace(), noise=0.0, scale=(0.3, 0.5))
    for edit in edits(operation, scene, 8, refuse):
        core = cv2.erode(edit.mask, np.ones((15, 15), np.uint8))
        assert core.any()
        assert sharpness(edit.pixels, core) < 0.8 * sharpness(scene.pixels, core)
