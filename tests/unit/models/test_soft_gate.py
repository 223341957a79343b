import pytest
import torch

from omni_iml.models.layers import conv_norm_relu
from omni_iml.models.soft_gate import SoftGate


@pytest.fixture
def gate(randomised):
    return randomised(SoftGate(conv_norm_relu(6 + 4, 6), vision=6))


@torch.inference_mode()
def test_it_mixes_both_modalities(gate):
    torch.manual_seed(0)
    rgb, frequency = torch.randn(3, 6, 5, 7), torch.randn(3, 4, 5, 7)
    output = gate(rgb, frequency)
    fused = gate.fuse(torch.cat([rgb, frequency], 1))
    weights = gate.weights(torch.cat([rgb, fused], 1))
    assert ((weights > 0) & (weights < 1)).all()
    torch.testing.assert_close(output.selected, fused + weights * (rgb - fused))
    torch.testing.assert_close(output.logit.sigmoid(), weights.mean((1, 2, 3)))
    assert output.decision is None
    assert torch.equal(output.coarse_rgb, gate.head_rgb(rgb))
    assert torch.equal(output.coarse_fused, gate.head_fused(fused))


@pytest.mark.parametrize(("bias", "vision"), [(60.0, True), (-60.0, False)])
@torch.inference_mode()
def test_its_extremes_are_the_hard_choices_and_their_logits_are_finite(gate, bias, vision):
    gate.weights.spatial.bias.fill_(bias)
    torch.manual_seed(0)
    rgb, frequency = torch.randn(2, 6, 5, 7), torch.randn(2, 4, 5, 7)
    output = gate(rgb, frequency)
    torch.testing.assert_close(output.selected, rgb if vision else gate.fuse(torch.cat([rgb, frequency], 1)))
    assert output.logit.isfinite().all()
    assert ((output.logit >= 0) == vision).all()
