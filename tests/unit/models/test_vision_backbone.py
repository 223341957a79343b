import pytest
import torch

from omni_iml.models.vision_backbone import split_convnext


@pytest.mark.parametrize("high_pass", [False, True])
@torch.inference_mode()
def test_levels_and_channels(high_pass):
    head, backbone, channels = split_convnext("convnext_atto", drop_path=0, layer_scale=0.1, high_pass=high_pass)
    assert channels == (40, 80, 160, 320)
    low, rgb = head(torch.zeros(2, 3, 64, 96))
    middle, high = backbone(rgb)
    assert [tuple(x.shape) for x in (low, rgb, middle, high)] == [
        (2, c, 64 // s, 96 // s) for c, s in zip(channels, (4, 8, 16, 32), strict=True)
    ]
    # The fixed kernels and the normalisation are constants, not weights.
    assert not [name for name in head.state_dict() if "residuals" in name or name in ("mean", "std")]


@pytest.mark.parametrize("name", ["resnet18", "convnext_enormous", "../weights", ""])
def test_other_backbones_are_refused(name):
    with pytest.raises(ValueError, match=r"^backbone .* is not a ConvNeXt that timm knows; see .*\.$"):
        split_convnext(name, drop_path=0, layer_scale=0.1, high_pass=False)
