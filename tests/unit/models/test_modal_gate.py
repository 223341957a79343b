import pytest
import torch
from torch.nn import functional as F

from omni_iml.models.layers import conv_norm_relu
from omni_iml.models.modal_gate import ModalGate


@pytest.fixture
def gate(randomised):
    return randomised(ModalGate(conv_norm_relu(6 + 4, 6), vision=6, repeat=3, width=8))


def test_it_chooses_sample_by_sample(gate, monkeypatch):
    torch.manual_seed(0)
    rgb, frequency = torch.randn(4, 6, 5, 7), torch.randn(4, 4, 5, 7)
    # A logit of 0 is a probability of 0.5, which chooses vision.
    logits = torch.tensor([[3.0], [-0.01], [0.0], [-8.0]])
    monkeypatch.setattr(gate.linear, "forward", lambda x: logits)
    output = gate(rgb, frequency)
    fused = gate.fuse(torch.cat([rgb, frequency], 1))
    assert torch.equal(output.logit, logits[:, 0])
    for i, vision in enumerate([True, False, True, False]):
        assert torch.equal(output.selected[i], (rgb if vision else fused)[i])
    assert not torch.equal(rgb, fused)


def test_coarse_maps_come_from_their_own_features(gate):
    torch.manual_seed(0)
    rgb, frequency = torch.randn(2, 6, 8, 8), torch.randn(2, 4, 8, 8)
    first, second = gate(rgb, frequency), gate(rgb, frequency + 1)
    assert first.coarse_rgb.shape == first.coarse_fused.shape == (2, 1, 8, 8)
    assert torch.equal(first.coarse_rgb, second.coarse_rgb)
    assert not torch.equal(first.coarse_fused, second.coarse_fused)


def test_the_classifier_sees_features_and_repeated_probabilities(gate, monkeypatch):
    torch.manual_seed(0)
    rgb, frequency = torch.randn(2, 6, 8, 8), torch.randn(2, 4, 8, 8)
    seen = []
    handle = gate.classifier.register_forward_hook(lambda _, inputs, output: seen.extend([inputs[0], output]))
    output = gate(rgb, frequency)
    handle.remove()
    inputs, features = seen
    fused = gate.fuse(torch.cat([rgb, frequency], 1))
    assert inputs.shape == (2, 6 + 6 + 3 + 3, 8, 8)
    assert torch.equal(inputs[:, :6], rgb)
    assert torch.equal(inputs[:, 6:12], fused)
    for channel in range(3):
        assert torch.equal(inputs[:, 12 + channel], output.coarse_rgb[:, 0].sigmoid())
        assert torch.equal(inputs[:, 15 + channel], output.coarse_fused[:, 0].sigmoid())
    expected = F.linear(features.mean((2, 3)), gate.linear.weight, gate.linear.bias)[:, 0]
    torch.testing.assert_close(output.logit, expected)
