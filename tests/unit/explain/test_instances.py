from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from omni_iml.explain.instances import instances_of, masks_of
from omni_iml.io.orientation import to_stored
from omni_iml.regions import find_regions


def squares(count: int, side: int = 400) -> np.ndarray:
    """So many squares of 4 pixels a side, apart from each other."""
    mask = np.zeros((side, side), bool)
    for at in range(count):
        row, column = divmod(at, side // 8)
        mask[8 * row : 8 * row + 4, 8 * column : 8 * column + 4] = True
    return mask


def test_two_regions_with_the_same_box_are_told_apart() -> None:
    mask = np.zeros((60, 60), bool)
    mask[10:50, 10:12] = mask[10:12, 10:50] = True
    mask[30:34, 30:34] = True
    found = instances_of(mask)
    assert sum(part.sum() for _, part in found) == mask.sum()


def test_each_region_has_its_pixels_in_both_orientations() -> None:
    mask = squares(3)
    mask[200:280, 30:50] = True
    found = instances_of(mask)
    assert len(found) == len(found.masks) == 4
    for region, part in found:
        x0, y0, x1, y1 = region.box
        assert part[y0:y1, x0:x1].all()
        assert part.sum() == (x1 - x0) * (y1 - y0)
    for shown, stored in zip(found.masks, found.stored(6), strict=True):
        assert np.array_equal(to_stored(shown, 6), stored)
    assert np.array_equal(found.masks[-1], found[3][1])
    assert len(found[1:3]) == 2
    with pytest.raises(IndexError):
        found[4]


def test_regions_that_the_mask_does_not_have_are_left_out() -> None:
    some, others = squares(2), np.zeros((400, 400), np.float32)
    others[300:320, 300:310] = 1
    regions = (*find_regions(others, 0.5), *find_regions(some.astype(np.float32), 0.5))
    assert masks_of(some, regions).regions == regions[1:]


@pytest.mark.parametrize(("count", "left_out"), [(100, 0), (300, 200)])
def test_the_hundred_largest_are_kept_and_the_others_counted(count: int, left_out: int) -> None:
    found = instances_of(squares(count))
    assert (len(found), found.left_out) == (100, left_out)


def test_a_hundred_masks_are_not_held_at_once() -> None:
    mask = squares(100, 1200)
    found = instances_of(mask)
    tracemalloc.start()
    try:
        for part in found.stored(3):
            assert part.any()
        assert tracemalloc.get_traced_memory()[1] < 6 * mask.nbytes
    finally:
        tracemalloc.stop()
