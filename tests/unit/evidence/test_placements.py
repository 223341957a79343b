from __future__ import annotations

import numpy as np
import pytest

from omni_iml.evidence.placements import FEWEST, PLACES, place


def scene(height: int = 320, width: int = 400) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (height, width)).astype(np.float32)


def box(x0: int, y0: int, x1: int, y1: int, height: int = 320, width: int = 400) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_row_0_is_the_region_and_no_place_touches_a_suspected_one() -> None:
    mask, other = box(101, 53, 141, 93), box(300, 200, 380, 300)
    places = place(mask, mask | other, scene())
    assert places is not None
    assert set(places.inside[0]) == set(np.flatnonzero(mask))
    assert len(places.inside) - 1 <= PLACES
    assert not (mask | other).ravel()[places.inside[1:]].any()
    assert not mask.ravel()[places.ring[0]].any()


def test_places_keep_the_regions_place_on_the_jpeg_grid() -> None:
    places = place(box(101, 53, 141, 93), box(101, 53, 141, 93), scene())
    assert places is not None
    rows, columns = places.inside // places.width, places.inside % places.width
    assert ((rows - rows[0]) % 8 == 0).all()
    assert ((columns - columns[0]) % 8 == 0).all()


def test_lines_across_the_outline_begin_inside_and_end_outside() -> None:
    mask = box(101, 53, 161, 123)
    places = place(mask, mask, scene())
    assert places is not None
    sides = mask.ravel()[places.outline[0]]
    assert sides[:, 0].mean() > 0.95
    assert sides[:, -1].mean() < 0.05


def test_a_large_region_is_compared_with_smaller_places() -> None:
    mask = box(40, 40, 300, 250)
    places = place(mask, mask, scene())
    assert places is None or places.scale < 1


def test_half_the_picture_still_finds_places_beside_it() -> None:
    mask = box(0, 0, 200, 320)
    places = place(mask, mask, scene())
    assert places is not None
    assert places.scale < 1
    assert len(places.inside) > FEWEST


@pytest.mark.parametrize("mask", [box(7, 9, 12, 10), box(0, 0, 400, 320), box(0, 0, 400, 300)])
def test_nothing_is_placed_where_nothing_can_be_compared(mask: np.ndarray) -> None:
    assert place(mask, mask, scene()) is None
