import pytest
import torch

from omni_iml.models import PRESETS, OmniIML, OmniOutput, count_parameters
from omni_iml.training.losses import LossConfig, losses

BOXES = [torch.tensor([[4.0, 8.0, 40.0, 56.0]]), torch.zeros(0, 4)]


def _check_shapes(output: OmniOutput, batch: int, height: int, width: int) -> None:
    assert output.mask.shape == (batch, 1, height, width)
    assert output.gate.shape == output.image.shape == (batch,)
    assert output.coarse_rgb.shape == output.coarse_fused.shape == (batch, 1, height // 8, width // 8)
    assert all(x.isfinite().all() for x in (output.mask, output.gate, output.image))
    assert output.detection == {}


@pytest.mark.parametrize(
    ("batch", "height", "width"), [(1, 32, 32), (2, 64, 96), (3, 96, 64), (1, 256, 256), (1, 512, 384)]
)
@torch.inference_mode()
def test_shapes(network, make_inputs, batch, height, width):
    _check_shapes(network(*make_inputs(batch, height, width)), batch, height, width)


@torch.inference_mode()
def test_shapes_of_the_bundled_network_at_its_tile(make_inputs):
    _check_shapes(OmniIML(PRESETS["bundled"]()).eval()(*make_inputs(1, 512, 512)), 1, 512, 512)


@pytest.mark.parametrize(
    ("height", "width", "padded"), [(64, 100, "64x128"), (40, 64, "64x64"), (33, 31, "64x32"), (8, 8, "32x32")]
)
def test_a_side_that_is_no_multiple_of_32_is_refused(network, make_inputs, height, width, padded):
    with pytest.raises(ValueError, match=rf"^input of {height}x{width}: .*multiples of 32; pad it to {padded}\.$"):
        network(*make_inputs(1, height, width))


@pytest.mark.parametrize(("preset", "millions"), [("base", 152), ("small", 113)])
def test_inference_parameters_are_the_papers(preset, millions):
    with torch.device("meta"):
        network = OmniIML(PRESETS[preset]())
    assert count_parameters(network) / 1e6 == pytest.approx(millions, rel=0.03)


def test_the_detection_branch_is_not_counted(network):
    everything = sum(p.numel() for p in network.parameters())
    branch = sum(p.numel() for p in network.detection.parameters())
    assert branch > 0
    assert count_parameters(network) == everything - branch


@torch.inference_mode()
def test_a_sample_does_not_depend_on_its_neighbours(network, make_inputs):
    inputs = make_inputs(3, 64, 96)
    together = network(*inputs)
    for i in range(3):
        alone = network(*(x[i : i + 1] for x in inputs))
        for name in ("mask", "gate", "image", "coarse_rgb", "coarse_fused"):
            torch.testing.assert_close(getattr(alone, name)[0], getattr(together, name)[i], atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_every_input_matters(network, make_inputs):
    inputs = make_inputs(1, 64, 64)
    before = network(*inputs)
    for changed in range(3):
        other = [x if i != changed else x.flip(-1) for i, x in enumerate(inputs)]
        assert not torch.equal(network(*other).coarse_fused, before.coarse_fused)


@torch.inference_mode()
def test_bytes_and_floats_are_the_same_picture(network, make_inputs):
    image, *rest = make_inputs(1, 32, 64)
    assert torch.equal(network(image, *rest).mask, network(image.float(), *rest).mask)


@torch.inference_mode()
def test_the_gates_choice_is_what_the_rest_of_the_network_reads(network, make_inputs, monkeypatch):
    monkeypatch.setattr(network.gate.linear, "forward", lambda x: torch.tensor([[1.0], [-1.0]]))
    seen = {}
    hooks = [
        network.gate.register_forward_hook(lambda _, inputs, output: seen.update(rgb=inputs[0], gate=output)),
        network.backbone.register_forward_hook(lambda _, inputs, __: seen.update(backbone=inputs[0])),
        network.anomaly_enhancement.register_forward_hook(lambda _, inputs, __: seen.update(anomaly=inputs[0][0])),
    ]
    try:
        output = network(*make_inputs(2, 64, 64))
    finally:
        for hook in hooks:
            hook.remove()
    assert output.gate.tolist() == [1, -1]
    assert torch.equal(seen["backbone"][0], seen["rgb"][0])
    assert not torch.equal(seen["backbone"][1], seen["rgb"][1])
    assert torch.equal(seen["backbone"], seen["gate"].selected)
    assert torch.equal(seen["anomaly"], seen["gate"].selected)


def test_the_detection_branch_is_absent_outside_training(network, make_inputs, monkeypatch):
    def called(*_):
        raise AssertionError("the detection branch ran")

    monkeypatch.setattr(network.detection, "forward", called)
    inputs = make_inputs(2, 64, 64)
    with torch.inference_mode():
        assert network(*inputs, BOXES).detection == {}
    assert network.train()(*inputs).detection == {}
    with pytest.raises(AssertionError, match="the detection branch ran"):
        network(*inputs, BOXES)


def test_a_training_step_gives_every_parameter_a_gradient(small_config, make_inputs):
    torch.manual_seed(1)
    network = OmniIML(small_config).train()
    mask = torch.zeros(2, 64, 96, dtype=torch.uint8)
    mask[0, 8:56, 4:40] = 1
    output = network(*make_inputs(2, 64, 96), BOXES)
    terms = losses(output, mask, torch.tensor([1.0, 0.0]), LossConfig(dice=0.5))
    assert set(terms) >= {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg"}
    terms["total"].backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []
    assert [name for name, p in network.named_parameters() if not p.grad.isfinite().all()] == []


@pytest.mark.parametrize("logits", [(5.0, 5.0), (-5.0, -5.0), (5.0, -5.0)])
def test_both_modalities_learn_whatever_the_gate_chooses(network, make_inputs, monkeypatch, logits):
    monkeypatch.setattr(network.gate.linear, "forward", lambda x: x.sum() * 0 + torch.tensor(logits)[:, None])
    output = network.train()(*make_inputs(2, 64, 64))
    mask = torch.zeros(2, 64, 64, dtype=torch.uint8)
    mask[:, :32] = 1
    losses(output, mask, torch.ones(2), LossConfig())["total"].backward()
    for part in (network.vision_head.stem, network.frequency_head, network.gate.fuse, network.gate.head_rgb):
        assert all(p.grad is not None and p.grad.any() for p in part.parameters())


def test_the_gate_learns_from_its_own_loss_only(network, make_inputs):
    output = network.train()(*make_inputs(2, 64, 64))
    others = (output.mask, output.image, output.coarse_rgb, output.coarse_fused)
    sum(x.square().mean() for x in others).backward()
    assert network.gate.linear.weight.grad is None
    assert all(p.grad is None for p in network.gate.classifier.parameters())
