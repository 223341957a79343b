from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from omni_iml import regions
from omni_iml.regions import MAX_REGIONS, find_regions, parse_position, position
from omni_iml.types import POSITIONS, Region


def picture(height=60, width=90, **boxes):
    """A map of 0.1 with boxes (x0, y0, x1, y1, probability)."""
    probability = np.full((height, width), 0.1, np.float32)
    for x0, y0, x1, y1, value in boxes.values():
        probability[y0:y1, x0:x1] = value
    return probability


def test_one_box():
    (region,) = find_regions(picture(box=(60, 40, 80, 55, 0.75)), 0.5)
    assert region == Region((60, 40, 80, 55), pytest.approx(300 / 5400), pytest.approx(0.75), "Bottom right")


def test_largest_first_then_from_the_top_then_from_the_left():
    probability = picture(
        a=(70, 2, 74, 6, 0.9),
        b=(2, 2, 6, 6, 0.9),
        c=(40, 30, 50, 40, 0.9),
        d=(2, 50, 6, 54, 0.9),
        e=(30, 1, 34, 5, 0.9),
    )
    boxes = [region.box for region in find_regions(probability, 0.5)]
    assert boxes == [(40, 30, 50, 40), (30, 1, 34, 5), (2, 2, 6, 6), (70, 2, 74, 6), (2, 50, 6, 54)]


def test_pixels_that_touch_at_a_corner_are_connected():
    (region,) = find_regions(np.eye(6, dtype=np.float32), 0.5)
    assert region.box == (0, 0, 6, 6)
    assert region.area_share == pytest.approx(6 / 36)
    assert region.position == "Center"


def test_mean_is_over_the_region_and_not_its_box():
    probability = np.zeros((4, 4), np.float32)
    probability[0, :] = 0.6
    probability[:, 0] = 0.9
    (region,) = find_regions(probability, 0.5)
    assert region.mean_probability == pytest.approx((3 * 0.6 + 4 * 0.9) / 7, abs=1e-6)


def test_the_threshold_is_strict():
    probability = np.full((3, 3), 0.5, np.float32)
    assert find_regions(probability, 0.5) == ()
    assert len(find_regions(probability, 0.499)) == 1


def test_small_and_weak_regions_are_left_out_at_inclusive_limits():
    probability = picture(20, 20, large=(0, 0, 8, 8, 0.75), small=(12, 12, 14, 14, 1.0))
    assert len(find_regions(probability, 0.5)) == 2
    assert len(find_regions(probability, 0.5, min_area_share=4 / 400)) == 2
    assert [r.box for r in find_regions(probability, 0.5, min_area_share=5 / 400)] == [(0, 0, 8, 8)]
    assert len(find_regions(probability, 0.5, min_mean_probability=0.75)) == 2
    assert [r.box for r in find_regions(probability, 0.5, min_mean_probability=0.76)] == [(12, 12, 14, 14)]


def test_as_many_as_asked():
    probability = np.zeros((60, 60), np.float32)
    probability[::3, ::3] = 1.0  # 400 single pixels
    probability[30:32, 30:32] = 1.0
    assert len(find_regions(probability, 0.5)) == MAX_REGIONS
    assert [r.box for r in find_regions(probability, 0.5, max_regions=1)] == [(30, 30, 32, 32)]
    assert len(find_regions(probability, 0.5, max_regions=None)) == 400
    assert find_regions(probability, 0.5, max_regions=0) == ()


def test_empty_full_and_one_pixel():
    assert find_regions(np.zeros((5, 7), np.float32), 0.5) == ()
    assert find_regions(np.ones((5, 7), np.float32), 0.5) == (Region((0, 0, 7, 5), 1.0, 1.0, "Center"),)
    assert find_regions(np.ones((1, 1), np.float32), 0.5) == (Region((0, 0, 1, 1), 1.0, 1.0, "Center"),)


def test_holes_and_the_background_are_no_regions():
    probability = picture(9, 9, ring=(1, 1, 8, 8, 0.9), hole=(3, 3, 6, 6, 0.1))
    (region,) = find_regions(probability, 0.5)
    assert region.area_share == pytest.approx((49 - 9) / 81)


@settings(max_examples=80, deadline=None)
@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.floats(0, 1, width=32))
)
def test_regions_share_out_the_mask(probability):
    found = find_regions(probability, 0.5, max_regions=None)
    mask = probability > 0.5
    assert sum(r.area_share for r in found) == pytest.approx(mask.mean())
    weighted = sum(r.area_share * r.mean_probability for r in found) * mask.size
    assert weighted == pytest.approx(float(probability[mask].sum(dtype=np.float64)), abs=1e-6)
    for region in found:
        x0, y0, x1, y1 = region.box
        inside = mask[y0:y1, x0:x1]
        assert all(line.any() for line in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))


def test_strips_change_nothing(monkeypatch):
    probability = np.random.default_rng(1).random((40, 30), dtype=np.float32)
    whole = find_regions(probability, 0.6, max_regions=None)
    monkeypatch.setattr(regions, "_STRIP_PIXELS", 1)
    in_strips = find_regions(probability, 0.6, max_regions=None)
    assert [r.box for r in in_strips] == [r.box for r in whole]
    assert [r.mean_probability for r in in_strips] == pytest.approx([r.mean_probability for r in whole], abs=1e-12)


def test_a_noisy_12_megapixel_map_takes_bounded_time():
    probability = np.random.default_rng(2).random((3000, 4000), dtype=np.float32)
    probability[100:300, 100:400] = 1.0
    start = time.process_time()
    found = find_regions(probability, 0.9)  # some 770,000 components
    assert time.process_time() - start < 15  # a loop over the components takes minutes
    assert len(found) == MAX_REGIONS
    assert found[0].area_share >= 200 * 300 / 12e6
    assert found[0].position == "Top left"


@pytest.mark.parametrize(
    "probability",
    [np.zeros((3, 3), np.uint8), np.zeros((1, 3, 3), np.float32), np.zeros((0, 3), np.float32)],
)
def test_other_arrays_are_refused(probability):
    with pytest.raises(ValueError, match=r"must be \(H, W\)"):
        find_regions(probability, 0.5)


def test_nan_is_refused():
    probability = np.zeros((3, 3), np.float32)
    probability[1, 1] = np.nan
    with pytest.raises(ValueError, match="nan"):
        find_regions(probability, 0.5)


def test_the_nine_positions_row_by_row():
    assert tuple(position(x, y, 90, 60) for y in (10, 30, 50) for x in (15, 45, 75)) == POSITIONS


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (29.999, 10, "Top left"),
        (30, 10, "Top center"),
        (60, 10, "Top right"),
        (10, 19.999, "Top left"),
        (10, 20, "Left side"),
        (30, 20, "Center"),
        (60, 40, "Bottom right"),
        (0, 0, "Top left"),
        (90, 60, "Bottom right"),
    ],
)
def test_a_border_belongs_to_the_cell_after_it(x, y, expected):
    assert position(x, y, 90, 60) == expected


def test_single_pixels_fall_symmetrically():
    # Five columns: borders at 5/3 and 10/3, pixel centres at 0.5 ... 4.5.
    names = []
    for column in range(5):
        probability = np.zeros((5, 5), np.float32)
        probability[2, column] = 1.0
        names.append(find_regions(probability, 0.5)[0].position)
    assert names == ["Left side", "Left side", "Center", "Right side", "Right side"]


@pytest.mark.parametrize("point", [(-0.1, 5, 10, 10), (5, 10.1, 10, 10), (0, 0, 0, 10), (float("nan"), 5, 10, 10)])
def test_points_outside_are_refused(point):
    with pytest.raises(ValueError, match="outside"):
        position(*point)


@pytest.mark.parametrize("name", POSITIONS)
def test_positions_are_read_as_people_write_them(name):
    forms = (name, name.upper(), f"{name} of the image", f"  {name.lower()}  of the  Image. ", f"{name}.")
    assert [parse_position(form) for form in forms] == [name] * len(forms)


@pytest.mark.parametrize("text", ["", "of the image", "middle", "Top", "Top left corner", "Center of the picture"])
def test_other_texts_are_no_position(text):
    with pytest.raises(ValueError, match="nine positions"):
        parse_position(text)
