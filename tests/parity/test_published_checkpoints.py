"""Published checkpoints against a plain ConvNeXt and UPerNet head, written anew from their definitions.

The checkpoints are random tensors under the public names, at ConvNeXt-Atto's size; the plain versions read them by
those names. What the network computes after loading must be what the plain versions compute.
"""

from __future__ import annotations

import copy
import dataclasses

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from omni_iml.models import OmniIML
from omni_iml.models.pretrained import initialise

WIDTHS, DEPTHS = (40, 80, 160, 320), (2, 2, 6, 2)  # ConvNeXt-Atto
WIDTH, CLASSES, SCALES = 16, 5, (1, 2, 3, 6)  # the decode head
NORMALISED = tuple(torch.tensor(x).view(1, 3, 1, 1) for x in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


class OpenMMLab:
    """Names of mmsegmentation's model zoo."""

    label = "mmsegmentation"
    depthwise, norm, pointwise, scale = "depthwise_conv", "norm", "pointwise_conv", "gamma"
    batch_norm, classifier = "bn", "conv_seg"

    @staticmethod
    def stem(index):
        return f"backbone.downsample_layers.0.{index}"

    @staticmethod
    def down(stage, index):
        return f"backbone.downsample_layers.{stage}.{index}"

    @staticmethod
    def block(stage, index):
        return f"backbone.stages.{stage}.{index}"

    @staticmethod
    def output_norm(stage):
        return f"backbone.norm{stage}"


class Facebook(OpenMMLab):
    """Names of the ConvNeXt authors' own UPerNets."""

    depthwise, pointwise = "dwconv", "pwconv"


class HuggingFace:
    """Names of transformers' UperNetForSemanticSegmentation."""

    label = "Hugging Face"
    depthwise, norm, pointwise, scale = "dwconv", "layernorm", "pwconv", "layer_scale_parameter"
    batch_norm, classifier = "batch_norm", "classifier"

    @staticmethod
    def stem(index):
        return "backbone.embeddings." + ("patch_embeddings", "layernorm")[index]

    @staticmethod
    def down(stage, index):
        return f"backbone.encoder.stages.{stage}.downsampling_layer.{index}"

    @staticmethod
    def block(stage, index):
        return f"backbone.encoder.stages.{stage}.layers.{index}"

    @staticmethod
    def output_norm(stage):
        return f"backbone.hidden_states_norms.stage{stage + 1}"


def checkpoint(names, seed=0):
    """Random tensors of a UPerNet with a ConvNeXt under the public names."""
    source = torch.Generator().manual_seed(seed)
    tensors = {}

    def add(name, *shape, bias=True):
        fan_in = max(1, torch.Size(shape[1:]).numel())
        tensors[f"{name}.weight"] = torch.randn(shape, generator=source) * (2 / fan_in) ** 0.5
        if bias:
            tensors[f"{name}.bias"] = torch.randn(shape[:1], generator=source) * 0.2

    def unit(name, out, inner, kernel):
        add(f"{name}.conv", out, inner, kernel, kernel, bias=False)
        norm = f"{name}.{names.batch_norm}"
        add(norm, out)
        tensors[f"{norm}.running_mean"] = torch.randn(out, generator=source)
        tensors[f"{norm}.running_var"] = torch.rand(out, generator=source) + 0.01
        tensors[f"{norm}.num_batches_tracked"] = torch.tensor(160_000)

    add(names.stem(0), WIDTHS[0], 3, 4, 4)
    add(names.stem(1), WIDTHS[0])
    for stage, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True)):
        if stage:
            add(names.down(stage, 0), WIDTHS[stage - 1])
            add(names.down(stage, 1), width, WIDTHS[stage - 1], 2, 2)
        for index in range(depth):
            block = names.block(stage, index)
            tensors[f"{block}.{names.scale}"] = torch.randn(width, generator=source) * 0.5
            add(f"{block}.{names.depthwise}", width, 1, 7, 7)
            add(f"{block}.{names.norm}", width)
            add(f"{block}.{names.pointwise}1", 4 * width, width)
            add(f"{block}.{names.pointwise}2", width, 4 * width)
        add(names.output_norm(stage), width)
    for index in range(4):
        unit(f"decode_head.psp_modules.{index}.1", WIDTH, WIDTHS[3], 1)
    unit("decode_head.bottleneck", WIDTH, WIDTHS[3] + 4 * WIDTH, 3)
    for index in range(3):
        unit(f"decode_head.lateral_convs.{index}", WIDTH, WIDTHS[index], 1)
        unit(f"decode_head.fpn_convs.{index}", WIDTH, WIDTH, 3)
    unit("decode_head.fpn_bottleneck", WIDTH, 4 * WIDTH, 3)
    add(f"decode_head.{names.classifier}", CLASSES, WIDTH, 1, 1)
    unit("auxiliary_head.convs.0", WIDTH, WIDTHS[2], 3)
    add(f"auxiliary_head.{names.classifier}", CLASSES, WIDTH, 1, 1)
    return tensors


def plain_convnext(tensors, names, x):
    """The four stages' outputs, before any norm on them."""

    def get(name):
        return tensors[f"{name}.weight"], tensors[f"{name}.bias"]

    def norm(x, name):  # over the channels of each pixel
        weight, bias = (v.view(1, -1, 1, 1) for v in get(name))
        return (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True, correction=0) + 1e-6).sqrt() * weight + bias

    def point(x, name):
        weight, bias = get(name)
        return torch.einsum("bihw,oi->bohw", x, weight) + bias.view(1, -1, 1, 1)

    levels = []
    x = norm(F.conv2d(x, *get(names.stem(0)), stride=4), names.stem(1))
    for stage, depth in enumerate(DEPTHS):
        if stage:
            x = F.conv2d(norm(x, names.down(stage, 0)), *get(names.down(stage, 1)), stride=2)
        for index in range(depth):
            block = names.block(stage, index)
            inner = F.conv2d(x, *get(f"{block}.{names.depthwise}"), padding=3, groups=x.shape[1])
            inner = point(norm(inner, f"{block}.{names.norm}"), f"{block}.{names.pointwise}1")
            inner = point(F.gelu(inner), f"{block}.{names.pointwise}2")
            x = x + tensors[f"{block}.{names.scale}"].view(1, -1, 1, 1) * inner
        levels.append(x)
    return levels


def plain_decode_head(tensors, names, features):
    """F1 .. F4 and what the last convolution makes of them, in evaluation mode."""

    def unit(x, name):
        weight = tensors[f"decode_head.{name}.conv.weight"]
        x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        norm = [tensors[f"decode_head.{name}.{names.batch_norm}.{p}"] for p in ("running_mean", "running_var")]
        affine = [tensors[f"decode_head.{name}.{names.batch_norm}.{p}"] for p in ("weight", "bias")]
        return F.relu(F.batch_norm(x, *norm, *affine, eps=1e-5))

    def up(x, like):
        return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=False)

    top = features[3]
    pooled = [unit(F.adaptive_avg_pool2d(top, s), f"psp_modules.{i}.1") for i, s in enumerate(SCALES)]
    level = unit(torch.cat([top, *(up(p, top) for p in pooled)], 1), "bottleneck")
    levels = [level]
    for index in (2, 1, 0):
        lateral = unit(features[index], f"lateral_convs.{index}")
        level = lateral + up(level, lateral)
        levels.insert(0, unit(level, f"fpn_convs.{index}"))
    return levels, unit(torch.cat([up(x, levels[0]) for x in levels], 1), "fpn_bottleneck")


def write_pth(tensors, folder):
    path = folder / "upernet.pth"
    torch.save({"meta": {"CLASSES": ("wall", "sky"), "iter": 160_000}, "state_dict": tensors}, path)
    return path


def write_safetensors(tensors, folder):
    path = folder / "model.safetensors"
    save_file(tensors, path, {"format": "pt"})
    return path


LAYOUTS = [
    pytest.param(OpenMMLab, write_pth, id="mmsegmentation"),
    pytest.param(Facebook, write_pth, id="ConvNeXt's authors"),
    pytest.param(HuggingFace, write_safetensors, id="Hugging Face"),
]


@pytest.fixture(scope="module")
def fresh(small_config):
    """Makes a network without high-pass channels (unless asked for), in evaluation mode."""
    made = {}

    def make(**changes):
        values = {"high_pass": False, "decoder_reduce_kernel": 3, **changes}
        if (key := tuple(values.items())) not in made:
            torch.manual_seed(7)
            made[key] = OmniIML(dataclasses.replace(small_config, **values)).eval()
        return copy.deepcopy(made[key])

    return make


@pytest.fixture
def picture():
    return torch.randint(0, 256, (2, 3, 64, 96), generator=torch.Generator().manual_seed(1)).float()


def levels_of(network, picture):
    low, rgb = network.vision_head(picture)
    return [low, rgb, *network.backbone(rgb)]


def assert_same(ours, theirs):
    for own, other in zip(ours, theirs, strict=True):
        # Float32 in another order: 1e-5 of the map's size.
        torch.testing.assert_close(own, other, atol=1e-5 * float(other.abs().max()), rtol=0)


@pytest.mark.parametrize(("names", "write"), LAYOUTS)
@torch.inference_mode()
def test_the_encoder_gives_the_published_features(names, write, fresh, picture, tmp_path):
    tensors, network = checkpoint(names), fresh()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    report = initialise(network, str(write(tensors, tmp_path)))
    mean, std = NORMALISED
    assert_same(levels_of(network, picture), plain_convnext(tensors, names, (picture / 255 - mean) / std))

    assert report.layout == names.label
    encoder = {name for name in before if name.startswith(("vision_head.", "backbone."))}
    assert set(report.loaded) == encoder
    assert set(report.missing) == before.keys() - encoder
    assert report.partial == ()
    # The norms on the stages' outputs, and both heads.
    norms = {f"{names.output_norm(i)}.{p}" for i in range(4) for p in ("weight", "bias")}
    assert set(report.unexpected) == norms | {name for name in tensors if "_head." in name}
    after = network.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in report.missing)


@pytest.mark.parametrize(("names", "write"), LAYOUTS)
@torch.inference_mode()
def test_the_pyramid_computes_what_the_decode_head_does(names, write, fresh, tmp_path):
    tensors, network = checkpoint(names), fresh()
    report = initialise(network, str(write(tensors, tmp_path)), decoder=True)
    source = torch.Generator().manual_seed(2)
    features = [torch.randn(2, c, 64 // 2**i, 96 // 2**i, generator=source) for i, c in enumerate(WIDTHS)]
    levels, reduced = plain_decode_head(tensors, names, features)
    ours = network.decoder.pyramid(features)
    assert_same(ours, levels)
    spread = [F.interpolate(x, ours[0].shape[2:], mode="bilinear", align_corners=False) for x in ours]
    assert_same([network.decoder.reduce(torch.cat(spread, 1))], [reduced])

    filled = {name for name in report.loaded if name.startswith("decoder.")}
    assert filled == {n for n in network.state_dict() if n.startswith(("decoder.pyramid.", "decoder.reduce."))}
    assert not [n for n in report.unexpected if n.startswith("decode_head.") and names.classifier not in n]


def test_a_decoder_of_another_width_keeps_its_initialisation(fresh, tmp_path):
    tensors, network = checkpoint(OpenMMLab), fresh(decoder_width=24, decoder_reduce_kernel=1)
    before = {name: value.clone() for name, value in network.decoder.state_dict().items()}
    report = initialise(network, str(write_pth(tensors, tmp_path)), decoder=True)
    assert not [name for name in report.loaded if name.startswith("decoder.")]
    assert {name for name in tensors if name.startswith("decode_head.")} <= set(report.unexpected)
    assert all(torch.equal(value, before[name]) for name, value in network.decoder.state_dict().items())


@torch.inference_mode()
def test_high_pass_channels_keep_theirs(fresh, picture, tmp_path):
    tensors, network = checkpoint(OpenMMLab), fresh(high_pass=True)
    stem = network.vision_head.stem[0].weight.clone()
    report = initialise(network, str(write_pth(tensors, tmp_path)))
    assert report.partial == ("vision_head.stem.0.weight",)
    assert "Only the RGB channels of vision_head.stem.0.weight" in report.summary()
    loaded = network.vision_head.stem[0].weight
    assert torch.equal(loaded[:, :3], tensors["backbone.downsample_layers.0.0.weight"])
    assert torch.equal(loaded[:, 3:], stem[:, 3:])
    # With the other filters at zero it is the published ConvNeXt.
    loaded[:, 3:] = 0
    mean, std = NORMALISED
    assert_same(levels_of(network, picture), plain_convnext(tensors, OpenMMLab, (picture / 255 - mean) / std))


@pytest.mark.parametrize(
    "backbone",
    # Atto has 1x1 convolutions where Tiny and all larger ones have linear layers.
    ["convnext_atto", pytest.param("convnext_tiny", marks=pytest.mark.slow)],
)
@torch.inference_mode()
def test_timm_s_own_file(backbone, fresh, picture, tmp_path):
    torch.manual_seed(0)
    whole = timm.create_model(backbone, ls_init_value=0.5).eval()
    path = tmp_path / "pytorch_model.bin"
    torch.save(whole.state_dict(), path)
    network = fresh(backbone=backbone)
    report = initialise(network, str(path))
    mean, std = NORMALISED
    levels = whole.forward_intermediates((picture / 255 - mean) / std, intermediates_only=True)
    assert_same(levels_of(network, picture), levels)
    assert report.layout == "timm"
    assert set(report.unexpected) == {name for name in whole.state_dict() if name.startswith("head.")}


def test_linear_layers_and_convolutions_of_one_pixel_are_the_same(fresh, tmp_path):
    tensors = checkpoint(OpenMMLab)
    linear, convolution = fresh(), fresh()
    initialise(linear, str(write_pth(tensors, tmp_path)))
    reshaped = {n: v[:, :, None, None] if "pointwise" in n and v.ndim == 2 else v for n, v in tensors.items()}
    initialise(convolution, str(write_pth(reshaped, tmp_path)))
    ours, other = linear.state_dict(), convolution.state_dict()
    assert all(torch.equal(ours[name], other[name]) for name in ours if name.startswith("backbone."))


@torch.inference_mode()
def test_transformers_own_model(fresh, picture, tmp_path):
    transformers = pytest.importorskip("transformers")
    backbone = transformers.ConvNextConfig(
        depths=list(DEPTHS), hidden_sizes=list(WIDTHS), out_features=[f"stage{i}" for i in (1, 2, 3, 4)]
    )
    config = transformers.UperNetConfig(
        backbone_config=backbone, hidden_size=WIDTH, num_labels=CLASSES, auxiliary_in_channels=WIDTHS[2]
    )
    torch.manual_seed(0)
    model = transformers.UperNetForSemanticSegmentation(config).eval()
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            value.normal_(0, 0.2)
        if name.endswith("running_var"):
            value.fill_(1.5)
    model.save_pretrained(tmp_path)
    network = fresh()
    report = initialise(network, str(tmp_path / "model.safetensors"), decoder=True)
    mean, std = NORMALISED
    hidden = model.backbone((picture / 255 - mean) / std, output_hidden_states=True).hidden_states
    assert_same(levels_of(network, picture), hidden[-4:])
    assert {name.partition(".")[0] for name in report.unexpected} == {"auxiliary_head", "backbone", "decode_head"}
