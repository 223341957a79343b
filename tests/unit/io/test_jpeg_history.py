from __future__ import annotations

import numpy as np
import pytest
from history_pictures import NAMES, clean, jpeg, saved

from omni_iml.io.block_sample import MOST_WINDOWS, sample_blocks
from omni_iml.io.jpeg import read_trace
from omni_iml.io.jpeg_history import (
    EARLIER_GAIN,
    GRID_STANDS_OUT,
    SHIFTED_STANDS_OUT,
    earlier_quality,
    find_grid,
    find_shifted_grid,
    former_quality,
)


@pytest.mark.parametrize("name", NAMES)
def test_pixels_that_were_never_compressed_have_no_grid(name: str) -> None:
    grid = find_grid(sample_blocks(clean(name)))
    assert grid is not None
    assert grid.height < GRID_STANDS_OUT


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("quality", [50, 75, 90])
@pytest.mark.parametrize("corner", [(0, 0), (5, 3)])
def test_a_former_grid_and_its_quality(name: str, quality: int, corner: tuple[int, int]) -> None:
    down, right = corner
    sample = sample_blocks(np.ascontiguousarray(saved(clean(name), quality)[down:, right:]))
    grid = find_grid(sample)
    assert grid is not None
    assert grid.height > GRID_STANDS_OUT
    assert (grid.row, grid.column) == (-down % 8, -right % 8)
    found = former_quality(sample, grid)
    assert found is not None
    assert abs(found - quality) <= 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("quality", [95, 97])
def test_the_quality_of_a_very_fine_compression_is_not_taken_for_a_coarse_one(name: str, quality: int) -> None:
    sample = sample_blocks(saved(clean(name), quality))
    grid = find_grid(sample)
    assert grid is not None
    assert (former_quality(sample, grid) or quality) >= 93


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("quality", [75, 90])
def test_one_compression_is_not_taken_for_two(name: str, quality: int) -> None:
    data = jpeg(clean(name), quality)
    sample = sample_blocks(saved(clean(name), quality))
    found = earlier_quality(sample, read_trace(data))
    assert found is None or found[1] < EARLIER_GAIN
    shifted = find_shifted_grid(sample)
    assert shifted is None or shifted.height < SHIFTED_STANDS_OUT


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("first", "last"), [(60, 75), (75, 90), (85, 95)])
def test_the_quality_of_the_compression_before(name: str, first: int, last: int) -> None:
    twice = saved(clean(name), first)
    found = earlier_quality(sample_blocks(saved(twice, last)), read_trace(jpeg(twice, last)))
    assert found is not None
    quality, gain = found
    assert gain > EARLIER_GAIN
    assert abs(quality - first) <= 2


@pytest.mark.parametrize("name", NAMES)
def test_pixels_were_rounded_between_two_fine_compressions(name: str) -> None:
    """With steps of one or two levels, what rounding did to the coefficients decides."""
    twice = saved(clean(name), 93)
    found = earlier_quality(sample_blocks(saved(twice, 98)), read_trace(jpeg(twice, 98)))
    assert found is not None
    quality, gain = found
    assert gain > 1.5 * EARLIER_GAIN
    assert abs(quality - 93) <= 2


def test_compressed_cut_and_compressed_again() -> None:
    cut = np.ascontiguousarray(saved(clean("pagoda"), 75)[5:, 3:])
    grid = find_shifted_grid(sample_blocks(saved(cut, 92)))
    assert grid is not None
    assert grid.height > SHIFTED_STANDS_OUT
    assert (grid.row, grid.column) == (3, 5)


def test_flat_and_tiny_pictures_tell_nothing() -> None:
    for pixels in (np.full((300, 300, 3), 128, np.uint8), clean("bowl")[:12, :12], clean("bowl")[:40, :40]):
        sample = sample_blocks(pixels)
        assert find_grid(sample) is None
        assert find_shifted_grid(sample) is None


def test_the_sample_is_bounded_and_lies_on_the_grid() -> None:
    pixels = np.tile(clean("bowl"), (8, 8, 1))
    sample = sample_blocks(pixels, 500)
    assert len(sample.luma) <= 500 < MOST_WINDOWS
    row, column = int(sample.rows[100]), int(sample.columns[100])
    window = pixels[row * 8 : row * 8 + 16, column * 8 : column * 8 + 16].astype(np.float64)
    assert sample.luma[100] == pytest.approx(window @ [0.299, 0.587, 0.114], abs=0.01)


def test_share_of_flat_windows() -> None:
    pixels = clean("bowl")[:128, :128].copy()
    pixels[:, 64:] = 7
    assert sample_blocks(pixels).flat_share == pytest.approx(7 / 15, abs=0.01)
