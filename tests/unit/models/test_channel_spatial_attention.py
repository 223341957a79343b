import torch
from torch.nn import functional as F

from omni_iml.models.channel_spatial_attention import (
    ChannelSpatialAttention,
    ChannelSpatialFusion,
    ChannelSpatialWeights,
)


def _logits(module: torch.nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Channel and spatial logits, written out as matrix products."""
    first, _, second = module.channel
    squeezed = (x.mean((2, 3)) @ first.weight[:, :, 0, 0].T + first.bias).relu()
    channel = squeezed @ second.weight[:, :, 0, 0].T + second.bias
    spatial = torch.einsum("bchw,c->bhw", x, module.spatial.weight[0, :, 0, 0]) + module.spatial.bias
    return channel[:, :, None, None], spatial[:, None]


@torch.inference_mode()
def test_attention_adds_both_gated_maps(randomised):
    module = randomised(ChannelSpatialAttention(32), scale=0.5)
    torch.manual_seed(0)
    x = torch.randn(2, 32, 5, 7)
    channel, spatial = _logits(module, x)
    expected = x / (1 + (-channel).exp()) + x / (1 + (-spatial).exp())
    torch.testing.assert_close(module(x), expected, atol=1e-5, rtol=1e-5)


def test_fusion_has_the_published_heads_parameters():
    """DTD's: 448 channels in, 192 out (perception-heads spec E4)."""
    with torch.device("meta"):
        module = ChannelSpatialFusion(192 + 256, 192)
    assert sum(p.numel() for p in module.parameters()) == 800_733


@torch.inference_mode()
def test_fusion_attends_then_convolves(randomised):
    module = randomised(ChannelSpatialFusion(32, 6), scale=0.3)
    torch.manual_seed(0)
    x = torch.randn(2, 32, 5, 7)
    convolution, norm, _ = module.project
    expected = F.relu(norm(F.conv2d(module.attention(x), convolution.weight, convolution.bias, padding=1)))
    assert expected.any()
    torch.testing.assert_close(module(x), expected)


@torch.inference_mode()
def test_weights_are_the_sigmoid_of_the_sum(randomised):
    module = randomised(ChannelSpatialWeights(32, 6), scale=0.5)
    torch.manual_seed(0)
    x = torch.randn(2, 32, 5, 7)
    channel, spatial = _logits(module, x)
    assert channel.shape == (2, 6, 1, 1)
    torch.testing.assert_close(module(x), 1 / (1 + (-(channel + spatial)).exp()), atol=1e-5, rtol=1e-5)
