import pytest
import torch
from torch.nn import functional as F

from omni_iml.models.dynamic_decoder import DynamicWeightDecoder

CHANNELS = (4, 6, 8, 10)


def _features(height: int, width: int) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(2, c, height // s, width // s) for c, s in zip(CHANNELS, (4, 8, 16, 32), strict=True)]


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96)])
def test_logits_have_the_pictures_size(randomised, kernel, height, width):
    decoder = randomised(DynamicWeightDecoder(CHANNELS, 8, kernel, (1, 2, 3, 6), (2, 3, 6), 4))
    assert decoder(_features(height, width)).mask.shape == (2, 1, height, width)


def test_it_is_the_papers_chain(randomised):
    decoder = randomised(DynamicWeightDecoder(CHANNELS, 8, 1, (1, 2), (2, 3, 6), 4), scale=0.4)
    features = _features(64, 96)
    first, *higher = decoder.pyramid(features)
    vector = first.mean((2, 3))  # V_g: the global average of F1
    size = first.shape[2:]
    concatenated = torch.cat(
        [first, *(F.interpolate(x, size=size, mode="bilinear", align_corners=False) for x in higher)], 1
    )
    reduced = decoder.reduce(concatenated)
    mean = reduced.mean((2, 3), keepdim=True).expand_as(reduced)
    x = decoder.merge(torch.cat([mean, *(dwf(reduced, vector) for dwf in decoder.parallel), reduced], 1))
    x = decoder.predict(decoder.serial[1](decoder.serial[0](x, vector), vector))
    expected = F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=False)
    output = decoder(features)
    torch.testing.assert_close(output.mask, expected)
    assert output.coarse is None
    assert [dwf.depthwise.dilation[0] for dwf in (*decoder.parallel, *decoder.serial)] == [2, 3, 6, 2, 2]


def test_the_first_versions_chain(randomised):
    """V_g of F_4, and P_co of F_1, whose features join F_cat (A 3.3)."""
    decoder = randomised(DynamicWeightDecoder(CHANNELS, 8, 1, (1, 2), (2, 3, 6), 4, "f4", True), scale=0.4)
    features = _features(64, 96)
    first, *higher = decoder.pyramid(features)
    vector = higher[-1].mean((2, 3))
    size = first.shape[2:]
    coarse = F.conv2d(first, decoder.coarse.predict.weight, decoder.coarse.predict.bias)
    parts = [first, *(F.interpolate(x, size=size, mode="bilinear", align_corners=False) for x in higher)]
    reduced = decoder.reduce(torch.cat([*parts, decoder.coarse.features(coarse.sigmoid())], 1))
    mean = reduced.mean((2, 3), keepdim=True).expand_as(reduced)
    x = decoder.merge(torch.cat([mean, *(dwf(reduced, vector) for dwf in decoder.parallel), reduced], 1))
    x = decoder.predict(decoder.serial[1](decoder.serial[0](x, vector), vector))
    output = decoder(features)
    torch.testing.assert_close(output.mask, F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=False))
    torch.testing.assert_close(output.coarse, coarse)
    assert coarse.shape == (2, 1, 16, 24)


@pytest.mark.parametrize("filter_weights", ["local", "equal"])
def test_without_a_global_vector_none_is_passed(randomised, filter_weights):
    decoder = randomised(DynamicWeightDecoder(CHANNELS, 8, 1, (1, 2), (2, 3, 6), 4, filter_weights), scale=0.4)
    seen = []
    for dwf in (*decoder.parallel, *decoder.serial):
        dwf.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
        assert (dwf.weights is None) == (filter_weights == "equal")
    assert decoder(_features(64, 96)).mask.isfinite().all()
    assert seen == [None] * 5
