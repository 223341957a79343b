import math

import pytest
import torch
from torch import nn

from omni_iml.models.layers import InvertedResidual, SqueezeExcite, conv_norm_relu, coordinate_channels


@pytest.mark.parametrize(("stride", "size"), [(1, (7, 10)), (2, (4, 5))])
@pytest.mark.parametrize("kernel", [1, 3])
def test_convolution_sizes(stride, size, kernel):
    assert conv_norm_relu(3, 5, kernel, stride).eval()(torch.randn(2, 3, 7, 10)).shape == (2, 5, *size)


def test_inverted_residual_adds_its_input_only_where_told(randomised):
    x = torch.randn(2, 8, 5, 6)
    with_skip = randomised(InvertedResidual(8, 2, residual=True))
    without = InvertedResidual(8, 2, residual=False).eval()
    without.load_state_dict(with_skip.state_dict())
    torch.testing.assert_close(with_skip(x) - x, without(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("residual", [True, False])
def test_without_its_projection_only_the_skip_is_left(randomised, residual):
    block = randomised(InvertedResidual(8, 2, residual))
    nn.init.zeros_(block.project[0].weight)
    nn.init.zeros_(block.project[1].bias)
    nn.init.zeros_(block.project[1].running_mean)
    x = torch.randn(2, 8, 5, 6)
    assert torch.equal(block(x), x if residual else torch.zeros_like(x))


def test_squeeze_excite_scales_channels(randomised):
    x = torch.randn(2, 6, 4, 4)
    ratio = randomised(SqueezeExcite(6, 2))(x) / x
    assert (ratio > 0).all()
    assert (ratio < 1).all()
    torch.testing.assert_close(ratio, ratio[..., :1, :1].expand_as(ratio))


def test_coordinates():
    out = coordinate_channels(torch.zeros(2, 5, 3, 5))
    assert out.shape == (2, 3, 3, 5)
    rows, columns, radius = out[1]
    assert rows[:, 0].tolist() == [-1, 0, 1]
    assert columns[0].tolist() == [-1, -0.5, 0, 0.5, 1]
    assert radius[0, 0] == pytest.approx(math.hypot(1.5, 1.5))
    assert radius[1, 3] == pytest.approx(0.5)
