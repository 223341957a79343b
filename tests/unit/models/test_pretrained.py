import os
import pickle
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from omni_iml.models.pretrained import initialise, read_tensors
from omni_iml.models.published_names import AUTHORS, HUGGING_FACE, LAYOUTS, MMSEGMENTATION, TIMM, layout_of, our_name
from omni_iml.types import UnreadableModel


@pytest.fixture(scope="module")
def atto():
    torch.manual_seed(3)
    return timm.create_model("convnext_atto", ls_init_value=0.5).state_dict()


@pytest.fixture
def write(tmp_path):
    def to_file(content, name="weights.pth"):
        path = tmp_path / name
        torch.save(content, path)
        return path

    return to_file


@pytest.mark.parametrize(
    ("layout", "theirs", "ours"),
    [
        (TIMM, "stem.0.weight", "vision_head.stem.0.weight"),
        (TIMM, "stages.1.downsample.0.bias", "vision_head.stages.1.downsample.0.bias"),
        (TIMM, "stages.3.blocks.2.gamma", "backbone.stages.1.blocks.2.gamma"),
        (MMSEGMENTATION, "backbone.downsample_layers.0.1.bias", "vision_head.stem.1.bias"),
        (MMSEGMENTATION, "downsample_layers.2.1.weight", "backbone.stages.0.downsample.1.weight"),
        (
            MMSEGMENTATION,
            "backbone.stages.2.26.pointwise_conv1.weight",
            "backbone.stages.0.blocks.26.mlp.fc1.weight",
        ),
        (MMSEGMENTATION, "stages.0.0.pwconv2.bias", "vision_head.stages.0.blocks.0.mlp.fc2.bias"),
        (MMSEGMENTATION, "decode_head.lateral_convs.0.bn.bias", "decoder.pyramid.lateral.0.1.bias"),
        (HUGGING_FACE, "backbone.embeddings.layernorm.weight", "vision_head.stem.1.weight"),
        (HUGGING_FACE, "convnext.encoder.stages.0.layers.1.dwconv.bias", "vision_head.stages.0.blocks.1.conv_dw.bias"),
        (HUGGING_FACE, "decode_head.fpn_bottleneck.batch_norm.running_mean", "decoder.reduce.1.running_mean"),
        (HUGGING_FACE, "decode_head.bottleneck.conv.weight", "decoder.pyramid.pooling.fuse.0.weight"),
        (MMSEGMENTATION, "backbone.norm3.weight", "backbone.norm3.weight"),
        (MMSEGMENTATION, "decode_head.conv_seg.weight", "decode_head.conv_seg.weight"),
    ],
)
def test_names(layout, theirs, ours):
    assert our_name(theirs, layout) == ours


def test_each_layout_is_known_by_its_marker():
    assert layout_of(["head.fc.weight", "stem.0.weight"]) is TIMM
    assert layout_of(["downsample_layers.0.0.weight"]) is MMSEGMENTATION
    assert layout_of(["convnext.embeddings.patch_embeddings.weight"]) is HUGGING_FACE
    assert layout_of(["vision_head.stem.0.weight", "backbone.stages.0.blocks.0.gamma"]) is None
    assert layout_of([]) is None


def test_the_authors_weights_have_a_place_but_no_names_yet():
    assert AUTHORS in LAYOUTS
    assert AUTHORS.marker is None


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.bin", "weights"])
def test_the_content_counts_and_not_the_suffix(tmp_path, atto, name):
    save_file(atto, tmp_path / name)
    assert read_tensors(tmp_path / name).keys() == atto.keys()
    torch.save({"model": {f"module.{key}": value for key, value in atto.items()}}, tmp_path / name)
    assert read_tensors(tmp_path / name).keys() == atto.keys()


def test_half_precision_is_taken(network, write, atto):
    path = write({"state_dict": {name: value.half() for name, value in atto.items()}})
    initialise(network, str(path))
    stem = network.vision_head.stem[0].weight
    assert stem.dtype == torch.float32
    torch.testing.assert_close(stem[:, :3], atto["stem.0.weight"], atol=1e-3, rtol=1e-3)


def test_the_report_counts_every_tensor_once(network, write, atto):
    report = initialise(network, str(write(atto)))
    own = list(network.state_dict())
    assert sorted((*report.loaded, *report.missing)) == sorted(own)
    assert len(report.loaded) + len(report.unexpected) == len(atto)
    assert "head 4" in report.summary().splitlines()[1]
    assert f"vision_head {sum(name.startswith('vision_head') for name in own)}" in report.summary()


def refused(network, source, words):
    """The one sentence that is said, after the network was found unchanged."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(UnreadableModel, match=words) as caught:
        initialise(network, str(source))
    assert str(caught.value).startswith(f"{source}: ")
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    return str(caught.value)


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("it ran",)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old format"])
def test_a_hostile_pickle_is_not_run(network, tmp_path, monkeypatch, old, atto):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pth"
    torch.save({"state_dict": atto, "meta": Hostile()}, path, _use_new_zipfile_serialization=not old)
    message = refused(network, path, r"is not read because it asks for \w+\.mkdir, and Python objects")
    assert "weights_only" not in message  # torch's advice to run it is not passed on
    path.write_bytes(pickle.dumps(Hostile()))
    refused(network, path, "is not read because it")
    assert not Path("it ran").exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), r"cannot be read \(.*No such file.*\)"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read"),
        (lambda path: path.write_bytes(b""), "whole|tensors alone"),
        (lambda path: path.write_bytes(b"just some text, and more of it"), "whole|tensors alone"),
        (lambda path: path.write_bytes(b"\x10\0\0\0\0\0\0\0{not json at all"), "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5000]), "whole|tensors alone"),
        (lambda path: torch.save([1, 2], path), "holds no named tensors"),
        (lambda path: torch.save({"epoch": 3}, path), "holds no named tensors"),
        (lambda path: torch.save({"stem.0.weight": torch.eye(3).to_sparse()}, path), "holds no named tensors"),
        (lambda path: torch.save({"conv1.weight": torch.zeros(2)}, path), r"its names \(conv1\.weight, \.\.\.\)"),
    ],
)
def test_files_that_are_no_checkpoints(network, write, atto, spoil, words):
    path = write(atto)
    spoil(path)
    refused(network, path, words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda t: t.pop("stages.2.blocks.5.gamma"),
            r"backbone\.stages\.0\.blocks\.5\.gamma, here \(160,\), is absent",
        ),
        (lambda t: t.update({"stem.1.bias": torch.zeros(48)}), r"stem\.1\.bias, here \(40,\), is \(48,\)"),
        (lambda t: t.update({"stem.0.weight": torch.zeros(40, 4, 4, 4)}), r"stem\.0\.weight, here"),
        (lambda t: t["stages.3.blocks.0.gamma"].fill_(torch.nan), r"gamma holds values that are not finite"),
    ],
)
def test_another_or_a_damaged_convnext(network, write, atto, change, words):
    tensors = {name: value.clone() for name, value in atto.items()}
    change(tensors)
    refused(network, write(tensors), words)


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No network, and an empty cache of the hub's at the path that is given back."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.mark.parametrize("source", ["timm", "timm:convnext_atto.d2_in1k"])
def test_timm_offline(network, offline, source):
    refused(network, source, "timm could not get the weights .*go online, or give them as a file")


@pytest.mark.parametrize("source", ["timm", "timm:convnext_atto.d2_in1k"])
def test_timm_from_its_cache(network, offline, source, atto):
    repository = offline / "models--timm--convnext_atto.d2_in1k"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    (repository / "snapshots" / ("0" * 40)).mkdir(parents=True)
    save_file(atto, repository / "snapshots" / ("0" * 40) / "model.safetensors")
    report = initialise(network, source)
    assert (report.source, report.layout) == (source, "timm")
    assert torch.equal(network.backbone.stages[1].blocks[0].gamma, atto["stages.3.blocks.0.gamma"])


@pytest.mark.parametrize("name", ["convnext_enormous", "../weights", "convnext_atto.no_such_tag"])
def test_what_timm_does_not_know(network, offline, name):
    refused(network, f"timm:{name}", "timm (knows no model|could not get the weights)")
