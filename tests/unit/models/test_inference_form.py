import copy

import pytest
import torch
from torch import nn

from omni_iml.models.context_encoder import ContextEncoder
from omni_iml.models.dynamic_filter import DynamicWeightFilter
from omni_iml.models.inference_form import inference_form


@torch.inference_mode()
def test_a_norm_with_an_activation_keeps_it(randomised):
    context = randomised(ContextEncoder("tf_efficientnet_lite0", 6, 10), scale=0.1)
    pixels = torch.randint(0, 256, (1, 3, 64, 64)).float()
    wanted, found = context(pixels), inference_form(context)(pixels)
    assert wanted[1].abs().max() > 0.01
    for own, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(own, other, atol=1e-5 * float(other.abs().max()), rtol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("batch", [1, 3])
def test_it_computes_what_the_network_does(network, randomised, make_inputs, batch):
    network = randomised(network, scale=0.1)
    inputs = make_inputs(batch, 64, 96)
    wanted, found = network(*inputs), inference_form(network)(*inputs)
    for name in ("mask", "gate", "image", "coarse_rgb", "coarse_fused"):
        own, other = getattr(found, name), getattr(wanted, name)
        torch.testing.assert_close(own, other, atol=1e-5 * float(other.abs().max()), rtol=1e-5)


def test_the_network_itself_is_left_alone(network):
    network.train()
    before = copy.deepcopy(network.state_dict())
    fast = inference_form(network)
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module.summed for module in network.modules() if isinstance(module, DynamicWeightFilter))
    assert not fast.training
    assert not any(parameter.requires_grad for parameter in fast.parameters())


def test_what_it_changes_is_changed_everywhere(network):
    fast = inference_form(network)
    filters = [module for module in fast.modules() if isinstance(module, DynamicWeightFilter)]
    assert len(filters) == 5
    assert all(module.summed for module in filters)
    # The only norms left stand before a filter's first activation, where no convolution module precedes them.
    left = [name for name, module in fast.named_modules() if isinstance(module, nn.BatchNorm2d)]
    assert sorted(left) == sorted(
        [f"decoder.parallel.{i}.pointwise.0" for i in range(3)] + [f"decoder.serial.{i}.pointwise.0" for i in range(2)]
    )
    weight = fast.backbone.stages[0].downsample[1].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
@pytest.mark.parametrize("dilation", [1, 3])
def test_one_convolution_with_the_summed_filters(randomised, dilation):
    dynamic = randomised(DynamicWeightFilter(6, 5, dilation, filters=4))
    x, vector = torch.randn(3, 6, 12, 16), torch.randn(3, 5)
    wanted = dynamic(x, vector)
    dynamic.summed = True
    torch.testing.assert_close(dynamic(x, vector), wanted, atol=1e-6, rtol=1e-5)
    found = dynamic(x.contiguous(memory_format=torch.channels_last), vector)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)
