"""Every variant of the network passes the same tests, on a tiny configuration of it."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from omni_iml.inference.onnx_session import OnnxSession
from omni_iml.inference.torch_session import TorchSession
from omni_iml.models import PRESETS, VARIANTS, OmniConfig, OmniIML, preset
from omni_iml.models.checkpoint import load_network, save_weights
from omni_iml.models.export import UNCALIBRATED, export_onnx
from omni_iml.models.fixed_gate import CERTAIN
from omni_iml.training.losses import LossConfig, losses

BOXES = [torch.tensor([[4.0, 8.0, 40.0, 56.0]]), torch.zeros(0, 4)]
MASK = torch.zeros(2, 64, 96, dtype=torch.uint8)
MASK[0, 8:56, 4:40] = 1
LABEL = torch.tensor([1.0, 0.0])

HAVE_NO = {
    "baseline": {"decision", "coarse_rgb", "coarse_fused", "detection"},
    "without-mg": {"decision", "coarse_rgb", "coarse_fused"},
    "without-mg-vision": {"decision", "coarse_rgb", "coarse_fused"},
    "without-ae": {"detection"},
    "soft-gate": {"decision"},
}
"""What a variant lacks of the outputs that the network of C has. None but A's has P_co."""

EXTRA = {
    "coordinates": {"coordinates": True, "high_pass": False},
    # What one variant changes goes together with what another does.
    "both gates off, A's decoder": {"gate": "vision", "filter_weights": "f4", "coarse_prediction": True},
}
CHANGES = {**VARIANTS, **EXTRA}
variants = pytest.mark.parametrize("variant", CHANGES)


@pytest.fixture(scope="module")
def _build(small_config):
    @cache
    def build(variant: str) -> OmniIML:
        torch.manual_seed(1)
        return OmniIML(replace(small_config, **CHANGES[variant]))

    return build


@pytest.fixture
def make_network(_build):
    """Gives a new network of a variant, with the tiny configuration."""
    return lambda variant: copy.deepcopy(_build(variant))


@variants
@pytest.mark.parametrize(("batch", "height", "width"), [(1, 32, 32), (2, 160, 64)])
@torch.inference_mode()
def test_forward(make_network, make_inputs, variant, batch, height, width):
    output = make_network(variant).eval()(*make_inputs(batch, height, width))
    assert output.mask.shape == (batch, 1, height, width)
    assert output.gate.shape == output.image.shape == (batch,)
    for coarse, share in ((output.coarse_rgb, 8), (output.coarse_fused, 8), (output.coarse, 4)):
        assert coarse is None or coarse.shape == (batch, 1, height // share, width // share)
    found = (output.mask, output.gate, output.image, output.coarse_rgb, output.coarse_fused, output.coarse)
    assert all(x.isfinite().all() for x in found if x is not None)
    assert output.detection == {}


@variants
def test_a_side_that_is_no_multiple_of_32_is_refused(make_network, make_inputs, variant):
    with pytest.raises(ValueError, match=r"^input of 72x96: .*multiples of 32; pad it to 96x96\.$"):
        make_network(variant).eval()(*make_inputs(1, 72, 96))


@variants
def test_outputs_and_losses_are_those_of_the_variant(make_network, make_inputs, variant):
    """And one step gives every parameter that trains a gradient, no other."""
    network = make_network(variant).train()
    output = network(*make_inputs(2, 64, 96), BOXES)
    missing = {name for name in ("decision", "coarse_rgb", "coarse_fused") if getattr(output, name) is None}
    if not output.detection:
        missing.add("detection")
    if variant in VARIANTS:
        assert missing == HAVE_NO.get(variant, set())
    assert (output.coarse is not None) == network.config.coarse_prediction
    terms = losses(output, MASK, LABEL, LossConfig(dice=0.5))
    wanted = {"mask", "image", "coarse", "gate", "coarse_rgb", "coarse_fused"}
    wanted -= {"gate" if name == "decision" else name for name in missing}
    wanted -= set() if output.coarse is not None else {"coarse"}
    detection = {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg"}
    assert set(terms) == wanted | {"total"} | (set() if "detection" in missing else detection)
    terms["total"].backward()
    for name, parameter in network.named_parameters():
        touched = parameter.grad is not None and bool(parameter.grad.any())
        assert touched == parameter.requires_grad, name
        assert not touched or parameter.grad.isfinite().all(), name
    frozen = {name for name, p in network.named_parameters() if not p.requires_grad}
    assert all(name.startswith("frequency_head.residuals.layers.") for name in frozen)
    assert bool(frozen) == (variant == "noiseprint")


@variants
@torch.inference_mode()
def test_save_and_load(make_network, make_inputs, tmp_path, variant):
    network = make_network(variant).eval()
    path = tmp_path / "last.safetensors"
    save_weights(network, path)
    loaded, _ = load_network(path)
    assert loaded.config == network.config
    assert OmniConfig.from_dict(json.loads(json.dumps(network.config.to_dict()))) == network.config
    inputs = make_inputs(2, 64, 64)
    before, after = network(*inputs), loaded(*inputs)
    for name in ("mask", "gate", "image"):
        assert torch.equal(getattr(before, name), getattr(after, name))


@pytest.mark.slow  # an export each; that of the whole network is tested in test_export.py
@pytest.mark.parametrize("variant", CHANGES)
def test_export_agrees_with_torch(make_network, make_inputs, tmp_path, variant):
    """Also the torch session, and a batch of another size than the exporter saw."""
    network = make_network(variant).train()
    with torch.no_grad():
        for seed in range(2):  # so that batch norms hold something else than 0 and 1
            network(*make_inputs(2, 64, 64, seed))
        network.decoder.predict.weight.mul_(150)
    facts = {**UNCALIBRATED, "tile": 64}
    save_weights(network, tmp_path / "w.safetensors", {"model_file": facts}, half=True)
    network, _ = load_network(tmp_path / "w.safetensors")
    export_onnx(network, tmp_path / "w.onnx", facts)
    inputs = make_inputs(3, 64, 64, 7)
    with torch.inference_mode():
        wanted = network(*inputs)
    assert wanted.mask.std() > 0.01, "a flat map would agree with anything"
    for session in (OnnxSession(tmp_path / "w.onnx", threads=1), TorchSession(tmp_path / "w.safetensors")):
        found = session(*(x.numpy() for x in inputs))
        for name in ("mask", "gate", "image"):
            np.testing.assert_allclose(getattr(found, name), getattr(wanted, name).numpy(), atol=1e-3, err_msg=name)


@pytest.mark.parametrize(
    ("variant", "logit"), [("without-mg", -CERTAIN), ("without-mg-vision", CERTAIN), ("baseline", CERTAIN)]
)
@torch.inference_mode()
def test_without_a_gate_its_logit_is_certain(make_network, make_inputs, variant, logit):
    output = make_network(variant).eval()(*make_inputs(2, 32, 64))
    assert output.gate.tolist() == [logit] * 2


@pytest.mark.parametrize("variant", ["without-mg-vision", "baseline"])
@torch.inference_mode()
def test_vision_alone_reads_no_coefficients(make_network, make_inputs, variant):
    network = make_network(variant).eval()
    image, coefficients, table = make_inputs(1, 64, 64)
    other = network(image, coefficients.flip(-1), table.flip(-1))
    assert torch.equal(network(image, coefficients, table).mask, other.mask)


@pytest.mark.parametrize("variant", ["srm", "bayar", "noiseprint"])
@torch.inference_mode()
def test_another_modality_takes_the_place_of_the_coefficients(make_network, make_inputs, variant):
    network = make_network(variant).eval()
    image, coefficients, table = make_inputs(1, 64, 64)
    seen = []
    network.frequency_head.register_forward_hook(lambda _, inputs, output: seen.append(output))
    first = network(image, coefficients, table)
    second = network(image, coefficients.flip(-1), table.flip(-1))
    assert torch.equal(first.mask, second.mask)
    network(image.flip(-1), coefficients, table)
    assert seen[0].shape == (1, 16, 8, 8)
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])


def test_a_preset_is_a_size_in_a_variant():
    for size in PRESETS:
        assert preset(size) == PRESETS[size]()
    arxiv = preset("small", "arxiv-v1")
    assert arxiv.backbone == "convnext_small"
    assert (arxiv.fusion, arxiv.filter_weights, arxiv.coarse_prediction) == ("channel-spatial", "f4", True)
    assert preset() == OmniConfig()


def test_no_two_variants_are_the_same():
    assert len({preset("base", variant) for variant in VARIANTS}) == len(VARIANTS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("enormous",), "preset 'enormous' is unknown; .*base"), (("base", "v3"), "variant 'v3' is unknown; .*arxiv-v1")],
)
def test_an_unknown_name_is_told(arguments, words):
    with pytest.raises(ValueError, match=words):
        preset(*arguments)


def test_an_older_configuration_is_the_network_of_c(small_config):
    """Weights that were saved before there were variants lack the fields that choose one."""
    new = ("coordinates", "modality", "fusion", "gate", "anomaly_enhancement", "decoder", "filter_weights")
    values = {k: v for k, v in small_config.to_dict().items() if k not in (*new, "coarse_prediction")}
    assert OmniConfig.from_dict(values) == small_config
