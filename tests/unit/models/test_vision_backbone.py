import pytest
import torch

from omni_iml.models.vision_backbone import split_convnext


@pytest.mark.parametrize(("high_pass", "coordinates", "inputs"), [(0, 0, 3), (1, 0, 9), (0, 1, 6), (1, 1, 12)])
@torch.inference_mode()
def test_levels_and_channels(high_pass, coordinates, inputs):
    head, backbone, channels = split_convnext(
        "convnext_atto", drop_path=0, layer_scale=0.1, high_pass=bool(high_pass), coordinates=bool(coordinates)
    )
    assert channels == (40, 80, 160, 320)
    assert head.stem[0].in_channels == inputs
    low, rgb = head(torch.zeros(2, 3, 64, 96))
    middle, high = backbone(rgb)
    assert [tuple(x.shape) for x in (low, rgb, middle, high)] == [
        (2, c, 64 // s, 96 // s) for c, s in zip(channels, (4, 8, 16, 32), strict=True)
    ]
    # The fixed kernels and the normalisation are constants, not weights.
    assert not [name for name in head.state_dict() if "residuals" in name or name in ("mean", "std")]


@torch.inference_mode()
def test_coordinates_come_after_the_colours():
    head, _, _ = split_convnext("convnext_atto", drop_path=0, layer_scale=0.1, high_pass=False, coordinates=True)
    seen = []
    head.stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    head(torch.full((1, 3, 32, 64), 255.0))
    (stem,) = seen
    torch.testing.assert_close(
        stem[0, :3, 0, 0], (1 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    )
    torch.testing.assert_close(stem[0, 3, :, 5], torch.linspace(-1, 1, 32))
    torch.testing.assert_close(stem[0, 4, 7], torch.linspace(-1, 1, 64))
    assert stem[0, 5, 0, 0].item() == pytest.approx(1.5 * 2**0.5)


@pytest.mark.parametrize("name", ["resnet18", "convnext_enormous", "../weights", ""])
def test_other_backbones_are_refused(name):
    with pytest.raises(ValueError, match=r"^backbone .* is not a ConvNeXt that timm knows; see .*\.$"):
        split_convnext(name, drop_path=0, layer_scale=0.1, high_pass=False)
