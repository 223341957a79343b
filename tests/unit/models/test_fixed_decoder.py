import torch
from torch.nn import functional as F

from omni_iml.models.fixed_decoder import FixedDecoder

CHANNELS = (4, 6, 8, 10)


def test_it_is_upernets_chain(randomised):
    decoder = randomised(FixedDecoder(CHANNELS, 8, 3, (1, 2)), scale=0.4)
    torch.manual_seed(0)
    features = [torch.randn(2, c, 64 // s, 96 // s) for c, s in zip(CHANNELS, (4, 8, 16, 32), strict=True)]
    first, *higher = decoder.pyramid(features)
    size = first.shape[2:]
    together = torch.cat(
        [first, *(F.interpolate(x, size=size, mode="bilinear", align_corners=False) for x in higher)], 1
    )
    expected = F.interpolate(decoder.predict(decoder.reduce(together)), scale_factor=4.0, mode="bilinear")
    output = decoder(features)
    assert output.mask.shape == (2, 1, 64, 96)
    torch.testing.assert_close(output.mask, expected)
    assert output.coarse is None


def test_without_pooling_it_is_a_plain_feature_pyramid(randomised):
    decoder = randomised(FixedDecoder(CHANNELS, 8, 3, ()), scale=0.4)
    assert not [name for name, _ in decoder.named_parameters() if "pooling.project" in name]
    torch.manual_seed(0)
    features = [torch.randn(1, c, 256 // s, 256 // s) for c, s in zip(CHANNELS, (4, 8, 16, 32), strict=True)]
    changed = [*features[:3], features[3].clone()]
    changed[3][..., -1, -1] += 50
    top, other = (decoder.pyramid(x)[3] for x in (features, changed))
    assert torch.equal(top[..., :6, :6], other[..., :6, :6])  # no pooling carries it across the map
