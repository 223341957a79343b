import pytest
import torch

from omni_iml.models.vision_backbone import HighPassResiduals, split_convnext


@pytest.fixture(scope="module")
def residuals():
    return HighPassResiduals()


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 90)])
def test_a_constant_picture_leaves_nothing(residuals, colour):
    out = residuals(torch.tensor(colour, dtype=torch.float32).view(1, 3, 1, 1).expand(1, 3, 12, 20))
    assert out.shape == (1, 6, 12, 20)
    assert out.abs().max() < 1e-4  # also at the border


def test_a_linear_ramp_leaves_nothing_inside(residuals):
    rows, columns = torch.meshgrid(torch.arange(24.0), torch.arange(32.0), indexing="ij")
    ramp = torch.stack([3 * rows + 2 * columns, 4 * columns, 5 * rows])[None]
    assert residuals(ramp)[..., 2:-2, 2:-2].abs().max() < 1e-4


def test_residuals_stay_in_range_and_magnitudes_are_theirs(residuals):
    torch.manual_seed(0)
    noise = torch.randint(0, 256, (2, 3, 32, 32)).float()
    out = residuals(noise)
    assert out.min() == -1  # noise is clipped on both sides
    assert out.max() == 1
    assert torch.equal(out[:, 3:], out[:, :3].abs())


def test_one_bright_pixel_writes_the_kernels(residuals):
    picture = torch.zeros(1, 3, 9, 9)
    picture[..., 4, 4] = 1
    out = 6 * residuals(picture)[0, :3]
    torch.testing.assert_close(out[:, 4, 4], torch.tensor([-12 / 12, -4 / 4, -2 / 2]))
    torch.testing.assert_close(out[2, 4, 3:6], torch.tensor([0.5, -1, 0.5]))
    assert out[2].count_nonzero() == 3
    assert out[1].count_nonzero() == 9
    assert out[0].count_nonzero() == 25


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
