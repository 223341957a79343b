from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from omni_iml.models import VARIANTS, OmniIML
from omni_iml.models.inspection import Inspection, inspect_tiles, recording


@pytest.fixture
def inputs(make_inputs):
    return make_inputs(2, 64, 96)


def same(found, wanted):
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted.detach().numpy(), atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_values_are_those_of_a_forward_pass_part_by_part(network, inputs, randomised):
    randomised(network)
    found = inspect_tiles(network, *inputs)
    low, rgb = network.vision_head(inputs[0].float())
    frequency = network.frequency_head(*inputs[1:])
    gate = network.gate(rgb, frequency)
    middle, high = network.backbone(gate.selected)
    enhanced, attention = network.anomaly_enhancement((gate.selected, middle))
    same(found.e1, low)
    same(found.rgb, rgb)
    same(found.frequency, frequency)
    same(found.fused, network.gate.fuse(torch.cat([rgb, frequency], 1)))
    same(found.gate_logit, gate.logit)
    same(found.coarse_rgb_logit, gate.coarse_rgb)
    same(found.coarse_fused_logit, gate.coarse_fused)
    same(found.e2, gate.selected)
    same(found.e3, middle)
    same(found.e4, high)
    for name, wanted in (("enhanced", enhanced), ("attention", attention)):
        same(getattr(found, f"e2_{name}"), wanted[0])
        same(getattr(found, f"e3_{name}"), wanted[1])
    same(found.mask_logit, network.decoder((low, *enhanced, high)).mask)
    same(found.image_logit, network.classifier(high))
    for name, given in zip(("image", "coefficients", "table"), inputs, strict=True):
        assert np.array_equal(getattr(found, name), given.numpy())
    assert found.absent == ()


@torch.inference_mode()
def test_what_the_gate_chose_goes_on(network, inputs):
    for bias, wanted in ((50.0, "rgb"), (-50.0, "fused")):
        nn.init.constant_(network.gate.linear.bias, bias)
        found = inspect_tiles(network, *inputs)
        assert np.array_equal(found.e2, getattr(found, wanted))
        assert ((found.gate_logit >= 0) == (wanted == "rgb")).all()
        assert not np.array_equal(found.rgb, found.fused)


@torch.inference_mode()
def test_activations_are_the_formula_of_each_filter_on_its_input(network, inputs, randomised):
    randomised(network)
    seen = []
    filters = [*network.decoder.parallel, *network.decoder.serial]
    handles = [f.register_forward_pre_hook(lambda m, given: seen.append((m, *given))) for f in filters]
    found = inspect_tiles(network, *inputs)
    for handle in handles:
        handle.remove()
    assert [item.name for item in found.filters] == ["DWF_2", "DWF_3", "DWF_6", "DWF_2#2", "DWF_2#3"]
    assert [item.module for item in found.filters][::4] == ["decoder.parallel.0", "decoder.serial.1"]
    for item, (module, x, global_vector) in zip(found.filters, seen, strict=True):
        vector = torch.cat([x.mean((2, 3)), global_vector], 1)  # [V_c, V_g]
        wanted = 1 / (1 + (-(vector @ module.weights.weight.T + module.weights.bias)).exp())
        same(item.values, wanted)
        assert module.depthwise.dilation == (item.dilation, item.dilation)
    assert np.ptp(np.stack([item.values for item in found.filters])) > 0.01


@torch.inference_mode()
def test_the_network_answers_as_without_a_recording_and_no_hook_stays(network, inputs):
    before = network(*inputs)
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules()]
    with recording(network) as recorder:
        during = network(*inputs)
        assert sum(len(m._forward_hooks) for m in network.modules()) > sum(hooks)
    for name in ("mask", "gate", "image", "coarse_rgb", "coarse_fused"):
        assert torch.equal(getattr(before, name), getattr(during, name))
    assert [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules()] == hooks
    same(recorder.inspection().mask_logit, before.mask)


@torch.inference_mode()
def test_each_pass_replaces_the_last(network, make_inputs):
    first, second = make_inputs(1, 64, 64, seed=1), make_inputs(1, 64, 64, seed=2)
    with recording(network) as recorder:
        network(*first)
        kept = recorder.inspection()
        network(*second)
        assert np.array_equal(recorder.inspection().image, second[0].numpy())
    assert np.array_equal(kept.image, first[0].numpy())
    assert len(recorder.inspection().filters) == 5


@torch.inference_mode()
def test_inputs_given_by_name_are_kept_too(network, inputs):
    with recording(network) as recorder:
        network(inputs[0], table=inputs[2], coefficients=inputs[1])
    found = recorder.inspection()
    for name, given in zip(("image", "coefficients", "table"), inputs, strict=True):
        assert np.array_equal(getattr(found, name), given.numpy())


def test_values_are_copies(network, inputs):
    image = inputs[0].numpy().copy()
    found = inspect_tiles(network, image, *inputs[1:])
    image[:] = 0
    assert np.array_equal(found.image, inputs[0].numpy())


def test_hooks_come_off_after_a_failure(network):
    with pytest.raises(ValueError, match="multiples of 32"), recording(network) as recorder:
        network(torch.zeros(1, 3, 40, 64), torch.zeros(1, 40, 64), torch.zeros(1, 8, 8))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    with pytest.raises(RuntimeError, match="run the network inside"):
        recorder.inspection()


def test_training_mode_is_refused(network, inputs):
    with pytest.raises(ValueError, match=r"call eval\(\) first"):
        inspect_tiles(network.train(), *inputs)


def test_arrays_are_named_by_field_and_filter(network, inputs):
    found = inspect_tiles(network, *(x.numpy() for x in inputs))
    names = {f.name for f in fields(Inspection)} - {"filters", "gate_weights", "coarse_logit"}
    assert set(found.arrays()) == names | {f"activations.{item.name}" for item in found.filters}


def test_shapes_are_the_documented_ones(network, inputs, small_config):
    found = inspect_tiles(network, *inputs)
    c1, c2, c3, c4 = 40, 80, 160, 320  # ConvNeXt-Atto
    wanted = {
        "mask_logit": (2, 1, 64, 96), "image_logit": (2,), "gate_logit": (2,),
        "rgb": (2, c2, 8, 12), "frequency": (2, small_config.frequency.out, 8, 12), "fused": (2, c2, 8, 12),
        "coarse_rgb_logit": (2, 1, 8, 12), "coarse_fused_logit": (2, 1, 8, 12),
        "e1": (2, c1, 16, 24), "e2": (2, c2, 8, 12), "e3": (2, c3, 4, 6), "e4": (2, c4, 2, 3),
        "e2_attention": (2, c2, 8, 12), "e3_attention": (2, c3, 4, 6),
        "e2_enhanced": (2, c2, 8, 12), "e3_enhanced": (2, c3, 4, 6),
        "activations.DWF_2": (2, small_config.filters),
    }  # fmt: skip
    arrays = found.arrays()
    assert {name: arrays[name].shape for name in wanted} == wanted


_NO_SECOND = ("gate_logit", "frequency", "fused", "coarse_rgb_logit", "coarse_fused_logit")
_NO_ENHANCEMENT = ("e2_attention", "e3_attention", "e2_enhanced", "e3_enhanced")
ABSENT = {
    "baseline": (*_NO_SECOND, *_NO_ENHANCEMENT, "filters"),
    "without-mg": ("gate_logit", "coarse_rgb_logit", "coarse_fused_logit"),
    "without-mg-vision": _NO_SECOND,
    "without-dwd": ("filters",),
    "without-ae": _NO_ENHANCEMENT,
    "soft-gate": ("gate_logit",),
}
"""What a variant has no part for; the others have all."""


@pytest.mark.parametrize("variant", VARIANTS)
@torch.inference_mode()
def test_variants(small_config, make_inputs, variant):
    torch.manual_seed(0)
    network = OmniIML(replace(small_config, **VARIANTS[variant])).eval()
    given = make_inputs(1, 64, 96)
    wanted, found = network(*given), inspect_tiles(network, *given)
    assert found.absent == ABSENT.get(variant, ())
    same(found.mask_logit, wanted.mask)
    same(found.image_logit, wanted.image)
    pairs = (("gate_logit", "decision"), ("coarse_rgb_logit", "coarse_rgb"), ("coarse_logit", "coarse"))
    for name, field in pairs:
        if getattr(wanted, field) is not None:
            same(getattr(found, name), getattr(wanted, field))
    assert (found.coarse_logit is not None) == (variant == "arxiv-v1")
    assert len(found.filters) == (0 if "filters" in found.absent else 5)
    if variant == "without-dw":
        assert all((item.values == 0.25).all() for item in found.filters)
    assert (found.gate_weights is not None) == (variant == "soft-gate")
    if variant == "soft-gate":
        mixed = found.gate_weights * found.rgb + (1 - found.gate_weights) * found.fused
        np.testing.assert_allclose(found.e2, mixed, atol=1e-5)


class _WithoutParts(nn.Module):
    """The network without gate, anomaly enhancement, frequency head and classifier, as a baseline has it."""

    def __init__(self, network):
        super().__init__()
        self.vision_head, self.backbone, self.decoder = network.vision_head, network.backbone, network.decoder
        self.gate = self.anomaly_enhancement = self.classifier = None

    def forward(self, image, coefficients, table):
        low, rgb = self.vision_head(image.float())
        middle, high = self.backbone(rgb)
        drawn = self.decoder((low, rgb, middle, high))
        return SimpleNamespace(mask=drawn.mask, coarse=drawn.coarse)


def test_parts_that_are_absent_are_named(network, inputs):
    found = inspect_tiles(_WithoutParts(network).eval(), *inputs)
    assert found.absent == (
        "image_logit", "gate_logit", "frequency", "fused", "coarse_rgb_logit", "coarse_fused_logit",
        "e2_attention", "e3_attention", "e2_enhanced", "e3_enhanced",
    )  # fmt: skip
    assert np.array_equal(found.e2, found.rgb)
    assert len(found.filters) == 5
