"""What learns on a processor is the network itself, arranged for speed."""

import copy

import pytest
import torch
from torch import nn

from omni_iml.models.context_encoder import ContextEncoder
from omni_iml.models.dynamic_filter import DynamicWeightFilter
from omni_iml.models.training_form import arrange_for_training


def gradients(network, inputs):
    network.train()
    torch.manual_seed(3)  # of dropped paths
    output = network(*inputs)
    sum((value**2).mean() for value in (output.mask, output.gate, output.image)).backward()
    return output, {name: parameter.grad for name, parameter in network.named_parameters()}


def test_masks_and_gradients_are_those_of_the_network(network, randomised, make_inputs):
    network = randomised(network, scale=0.1).double()  # small batches' norms multiply what float32 rounds
    arranged = copy.deepcopy(network)
    arrange_for_training(arranged)
    inputs = make_inputs(2, 64, 96)
    wanted, found = gradients(network, inputs), gradients(arranged, inputs)
    for name in ("mask", "gate", "image", "coarse_rgb", "coarse_fused"):
        own, other = getattr(found[0], name).detach(), getattr(wanted[0], name).detach()
        torch.testing.assert_close(own, other, atol=1e-5 * float(other.abs().max()), rtol=1e-5)
    learning = [name for name, gradient in wanted[1].items() if gradient is not None]
    assert len(learning) > 100
    for name in learning:
        own, other = found[1][name], wanted[1][name]
        torch.testing.assert_close(own, other, atol=1e-5 * float(other.abs().max()) + 1e-12, rtol=1e-5)


def test_a_context_is_the_same(randomised):
    context = randomised(ContextEncoder("tf_efficientnet_lite0", 6, 10), scale=0.1)
    pixels = torch.randint(0, 256, (1, 3, 64, 64)).float()
    wanted = context(pixels)
    arrange_for_training(context)
    with torch.inference_mode():
        for own, other in zip(context(pixels), wanted, strict=True):
            torch.testing.assert_close(own, other, atol=1e-5 * float(other.abs().max()), rtol=1e-5)


def test_weights_keep_their_names_and_values(network):
    before = copy.deepcopy(network.state_dict())
    arrange_for_training(network)
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    assert network.backbone.stages[0].downsample[1].weight.is_contiguous(memory_format=torch.channels_last)


def test_a_copy_has_weights_of_its_own(network):
    """An average of the weights is a copy of the network; it must not compute with the network's."""
    arrange_for_training(network)
    average = copy.deepcopy(network)
    depthwise = next(part for part in network.modules() if isinstance(part, nn.Conv2d) and part.groups > 1)
    same = average.get_submodule(next(name for name, part in network.named_modules() if part is depthwise))
    x = torch.rand(1, depthwise.in_channels, 8, 8)
    before = same(x)
    with torch.no_grad():
        depthwise.weight.add_(1)
    assert torch.equal(same(x), before)
    assert not torch.equal(depthwise(x), before)


@pytest.mark.parametrize("kernel", [3, 7])
def test_depthwise_convolutions_stay_in_float32_under_autocast(kernel):
    layers = nn.Sequential(nn.Conv2d(4, 8, 1), nn.Conv2d(8, 8, kernel, padding=kernel // 2, groups=8))
    arrange_for_training(layers)
    with torch.autocast("cpu", torch.bfloat16):
        between = layers[0](torch.rand(1, 4, 16, 16))
        assert between.dtype == torch.bfloat16
        assert layers[1](between).dtype == torch.float32


def test_dynamic_filters_are_summed_in_float32_under_autocast(randomised):
    dynamic = randomised(DynamicWeightFilter(6, 6, 2))
    x, v = torch.randn(2, 6, 12, 10), torch.randn(2, 6)
    activations = dynamic.activations(x, v)
    wanted = dynamic.filtered(x, activations)
    arrange_for_training(dynamic)
    with torch.autocast("cpu", torch.bfloat16):
        found = dynamic.filtered(x, activations)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
