import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from omni_iml.models.pyramid import FeaturePyramid, PyramidPooling, pool_to_grid, resize


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 23), width=st.integers(1, 23), scale=st.sampled_from([1, 2, 3, 6]))
def test_pooling_is_torchs_adaptive_average(height, width, scale):
    x = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(height * 31 + width))
    torch.testing.assert_close(pool_to_grid(x, scale), F.adaptive_avg_pool2d(x, scale), atol=1e-6, rtol=1e-5)


def test_pooling_keeps_the_type():
    assert pool_to_grid(torch.ones(1, 2, 5, 7, dtype=torch.bfloat16), 3).dtype == torch.bfloat16


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (16, 16)])
def test_pyramid_pooling_keeps_the_size(randomised, size):
    pooling = randomised(PyramidPooling(6, 4, (1, 2, 3, 6)))
    assert pooling(torch.randn(2, 6, *size)).shape == (2, 4, *size)


def test_pyramid_pooling_sees_the_whole_map(randomised):
    pooling = randomised(PyramidPooling(2, 3, (1,)), scale=0.6)
    x = torch.randn(1, 2, 12, 12)
    changed = x.clone()
    changed[..., -1, -1] += 50
    assert (pooling(x) - pooling(changed))[..., 0, 0].any()  # the far corner is out of any convolution's reach


@pytest.mark.parametrize("size", [(8, 8), (6, 10)])
def test_feature_pyramid_gives_four_levels_of_one_width(randomised, size):
    pyramid = randomised(FeaturePyramid([4, 6, 8, 10], 5, (1, 2)))
    maps = [torch.randn(2, c, size[0] * s, size[1] * s) for c, s in zip((4, 6, 8, 10), (8, 4, 2, 1), strict=True)]
    levels = pyramid(maps)
    assert [tuple(level.shape) for level in levels] == [(2, 5, size[0] * s, size[1] * s) for s in (8, 4, 2, 1)]


def test_feature_pyramid_adds_from_the_top_down(randomised):
    pyramid = randomised(FeaturePyramid([4, 6, 8, 10], 5, (1, 2)))
    torch.manual_seed(0)
    maps = [torch.randn(1, c, 4 * s, 4 * s) for c, s in zip((4, 6, 8, 10), (8, 4, 2, 1), strict=True)]
    top = pyramid.pooling(maps[3])
    third = pyramid.lateral[2](maps[2]) + resize(top, (8, 8))
    second = pyramid.lateral[1](maps[1]) + resize(third, (16, 16))
    first = pyramid.lateral[0](maps[0]) + resize(second, (32, 32))
    expected = [*(smooth(x) for smooth, x in zip(pyramid.smooth, (first, second, third), strict=True)), top]
    for level, value in zip(pyramid(maps), expected, strict=True):
        torch.testing.assert_close(level, value)
