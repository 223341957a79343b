from __future__ import annotations

import numpy as np
import pytest
from history_pictures import NAMES, clean, enlarged, saved

from omni_iml.io.block_sample import center_luma
from omni_iml.io.resampling import PEAK_STANDS_OUT, find_resampling


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_at_its_own_size(name: str) -> None:
    peak = find_resampling(center_luma(clean(name), 512), blocks=False)
    assert peak is not None
    assert peak.height < PEAK_STANDS_OUT


@pytest.mark.parametrize("name", NAMES)
def test_an_enlarged_picture_has_its_line(name: str) -> None:
    peak = find_resampling(center_luma(enlarged(clean(name), 1.3), 512), blocks=False)
    assert peak is not None
    assert peak.height > PEAK_STANDS_OUT
    assert peak.frequency == pytest.approx(1 - 1 / 1.3, abs=0.01)


def test_the_lines_of_the_jpeg_grid_do_not_count() -> None:
    luma = center_luma(saved(clean("pagoda"), 30), 512)
    peak = find_resampling(luma, blocks=True)
    assert peak is not None
    assert abs(8 * peak.frequency - round(8 * peak.frequency)) > 0.06
    assert peak.height < PEAK_STANDS_OUT


def test_small_and_flat_crops() -> None:
    assert find_resampling(np.zeros((100, 500), np.float32), blocks=False) is None
    flat = find_resampling(np.zeros((300, 300), np.float32), blocks=False)
    assert flat is not None
    assert flat.height < PEAK_STANDS_OUT
