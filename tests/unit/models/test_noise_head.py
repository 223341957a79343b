import pytest
import torch
from torch.nn import functional as F

from omni_iml.models.config import FrequencyHeadConfig
from omni_iml.models.noise_head import BayarResiduals, NoiseHead, SrmResiduals

WIDTHS = FrequencyHeadConfig(embed=8, reduce=4, out=16, expansion=2, blocks=2)


@pytest.mark.parametrize("residuals", [SrmResiduals, BayarResiduals])
@torch.inference_mode()
def test_a_constant_picture_leaves_nothing(residuals):
    torch.manual_seed(0)
    out = residuals()(torch.tensor([200.0, 30.0, 90.0]).view(1, 3, 1, 1).expand(1, 3, 12, 20))
    assert out.shape == (1, 3, 12, 20)
    assert out.abs().max() < 1e-4


def test_srm_sums_the_colours_and_truncates():
    picture = torch.zeros(1, 3, 9, 9)
    picture[0, :, 4, 4] = torch.tensor([0.5, 0.25, 0.125])
    out = SrmResiduals()(picture)[0]
    assert out[:, 4, 4].tolist() == pytest.approx([-0.875] * 3)
    assert out[2, 4, 3:6].tolist() == pytest.approx([0.4375, -0.875, 0.4375])
    assert SrmResiduals()(100 * picture).abs().max() == 2


def test_bayars_kernels_predict_the_centre_from_its_neighbours():
    torch.manual_seed(0)
    module = BayarResiduals()
    kernels = module.kernels()
    assert kernels.shape == (3, 3, 5, 5)
    assert (kernels[:, :, 2, 2] == -1).all()
    torch.testing.assert_close(kernels.sum((2, 3)), torch.zeros(3, 3), atol=1e-6, rtol=0)
    picture = 255 * torch.rand(1, 3, 10, 12)
    expected = F.conv2d(picture / 255, kernels)
    torch.testing.assert_close(module(picture)[..., 2:-2, 2:-2], expected)


def test_bayars_constraint_outlives_a_step():
    torch.manual_seed(0)
    module = BayarResiduals()
    before = module.kernels().detach().clone()
    optimiser = torch.optim.SGD(module.parameters(), 0.1)
    module(255 * torch.rand(1, 3, 10, 12)).square().sum().backward()
    optimiser.step()
    after = module.kernels()
    assert not torch.allclose(before, after)
    assert (after[:, :, 2, 2] == -1).all()
    torch.testing.assert_close(after.sum((2, 3)), torch.zeros(3, 3), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_the_head_reads_the_residuals_alone(randomised):
    head = randomised(NoiseHead(SrmResiduals(), WIDTHS))
    torch.manual_seed(0)
    pixels = 255 * torch.rand(2, 3, 32, 48)
    coefficients, table = torch.zeros(2, 32, 48), torch.ones(2, 8, 8)
    out = head(coefficients, table, pixels)
    assert out.shape == (2, 16, 4, 6)
    assert torch.equal(out, head(coefficients + 1, table + 1, pixels))
    torch.testing.assert_close(head(coefficients, table, pixels + 10), out, atol=1e-2, rtol=1e-2)


def test_residuals_are_float32_under_autocast():
    seen = []
    head = NoiseHead(BayarResiduals(), WIDTHS)
    head.residuals.register_forward_hook(lambda _, inputs, output: seen.extend([inputs[0], output]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        head(torch.zeros(1, 16, 16), torch.ones(1, 8, 8), 255 * torch.rand(1, 3, 16, 16))
    assert {x.dtype for x in seen} == {torch.float32}
