import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from omni_iml.training.boxes import mask_boxes


def _mask(*planes: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack(planes))


def test_each_region_gets_its_box():
    one, none = np.zeros((2, 12, 20), np.uint8)
    one[1:4, 2:9] = 1
    one[6:12, 18:20] = 1
    first, second = mask_boxes(_mask(one, none))
    assert sorted(first.tolist()) == [[2, 1, 9, 4], [18, 6, 20, 12]]
    assert first.dtype == second.dtype == torch.float32
    assert second.shape == (0, 4)


def test_padding_is_no_region_and_does_not_join_two():
    plane = np.zeros((8, 12), np.uint8)
    plane[2:6, 0:4] = plane[2:6, 8:12] = 1
    plane[:, 4:8] = 255
    assert sorted(mask_boxes(_mask(plane))[0].tolist()) == [[0, 2, 4, 6], [8, 2, 12, 6]]


def test_pixels_that_touch_at_a_corner_are_one_region():
    plane = np.zeros((8, 8), np.uint8)
    plane[0:2, 0:2] = plane[2:5, 2:4] = 1
    assert mask_boxes(_mask(plane))[0].tolist() == [[0, 0, 4, 5]]


def test_thin_regions_are_left_out():
    plane = np.zeros((8, 16), np.uint8)
    plane[0, :] = 1
    plane[3:6, 2:4] = 1
    assert mask_boxes(_mask(plane))[0].tolist() == [[2, 3, 4, 6]]
    assert mask_boxes(_mask(plane), min_side=3)[0].tolist() == []
    assert len(mask_boxes(_mask(plane), min_side=1)[0]) == 2


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16))
def test_boxes_cover_every_region_that_is_wide_enough(seed):
    plane = np.random.default_rng(seed).choice([0, 1, 255], (9, 9), p=[0.6, 0.3, 0.1]).astype(np.uint8)
    covered = np.zeros_like(plane, bool)
    for x0, y0, x1, y1 in mask_boxes(_mask(plane), min_side=1)[0].int().tolist():
        assert 0 <= x0 < x1 <= 9
        assert 0 <= y0 < y1 <= 9
        inside = plane[y0:y1, x0:x1] == 1
        assert inside[0].any()
        assert inside[-1].any()
        assert inside[:, 0].any()
        assert inside[:, -1].any()
        covered[y0:y1, x0:x1] = True
    assert covered[plane == 1].all()
