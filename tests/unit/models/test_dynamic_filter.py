import pytest
import torch
from torch.nn import functional as F

from omni_iml.models.dynamic_filter import DynamicWeightFilter


@pytest.mark.parametrize("dilation", [1, 2, 6])
@pytest.mark.parametrize("filters", [1, 4])
def test_it_equals_filtering_with_the_summed_kernel(randomised, dilation, filters):
    channels = 5
    module = randomised(DynamicWeightFilter(channels, 3, dilation, filters))
    torch.manual_seed(0)
    x, activations = torch.randn(3, channels, 13, 9), torch.rand(3, filters)
    kernels = module.depthwise.weight.view(channels, filters, 3, 3)
    result = module.filtered(x, activations)
    for sample in range(3):
        # D_opt = sum_i A_i W_i, one 3x3 kernel a channel
        optimal = sum(activations[sample, i] * kernels[:, i] for i in range(filters))
        expected = F.conv2d(x[sample], optimal[:, None], padding=dilation, dilation=dilation, groups=channels)
        torch.testing.assert_close(result[sample], expected, atol=1e-5, rtol=1e-5)


def test_activations_are_a_sigmoid_of_both_vectors(randomised):
    module = randomised(DynamicWeightFilter(5, 3, 2))
    torch.manual_seed(0)
    x, global_vector = torch.randn(2, 5, 4, 4), torch.randn(2, 3)
    weight, bias = module.weights.weight, module.weights.bias
    logits = x.mean((2, 3)) @ weight[:, :5].T + global_vector @ weight[:, 5:].T + bias
    activations = module.activations(x, global_vector)
    assert activations.shape == (2, 4)
    torch.testing.assert_close(activations, 1 / (1 + (-logits).exp()))


def test_samples_get_filters_of_their_own(randomised):
    module = randomised(DynamicWeightFilter(4, 3, 2))
    torch.manual_seed(0)
    same = torch.randn(1, 4, 8, 8).expand(2, -1, -1, -1)
    vectors = torch.tensor([[4.0, 0, 0], [-4.0, 0, 0]])
    one, other = module(same, vectors)
    assert not torch.allclose(one, other)
    swapped = module(same, vectors.flip(0))
    torch.testing.assert_close(swapped, torch.stack([other, one]))
    assert module(same, vectors).shape == (2, 4, 8, 8)


def test_without_a_global_vector_the_input_alone_decides(randomised):
    module = randomised(DynamicWeightFilter(5, 0, 2))
    torch.manual_seed(0)
    x = torch.randn(2, 5, 4, 4)
    logits = x.mean((2, 3)) @ module.weights.weight.T + module.weights.bias
    torch.testing.assert_close(module.activations(x, None), logits.sigmoid())


def test_equal_weights_are_the_same_for_every_sample(randomised):
    module = randomised(DynamicWeightFilter(5, 0, 2, filters=4, equal=True))
    torch.manual_seed(0)
    x = torch.randn(3, 5, 9, 9)
    assert module.activations(x, None).tolist() == [[0.25] * 4] * 3
    kernel = module.depthwise.weight.view(5, 4, 3, 3).mean(1, keepdim=True)
    expected = module.pointwise(F.conv2d(x, kernel, padding=2, dilation=2, groups=5))
    torch.testing.assert_close(module(x, None), expected, atol=1e-5, rtol=1e-5)
