import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from omni_iml.models import OmniIML, checkpoint
from omni_iml.models.checkpoint import load_into, load_network, read_metadata, save_weights
from omni_iml.types import UnreadableModel


@pytest.fixture
def saved(network, tmp_path):
    path = tmp_path / "run" / "last.safetensors"
    save_weights(network, path, {"samples": 7, "validation": {"iou": 0.25}})
    return path


def test_float32_comes_back_exactly(network, saved, make_inputs):
    loaded, extra = load_network(saved)
    assert extra == {"samples": 7, "validation": {"iou": 0.25}}
    assert loaded.config == network.config
    assert not loaded.training
    own, other = network.state_dict(), loaded.state_dict()
    assert own.keys() == other.keys()
    assert all(torch.equal(own[name], other[name]) for name in own)
    inputs = make_inputs(1, 64, 64)
    with torch.inference_mode():
        assert torch.equal(network(*inputs).mask, loaded(*inputs).mask)
    assert [file.name for file in saved.parent.iterdir()] == ["last.safetensors"]


def test_whoever_may_read_other_files_may_read_the_weights(saved, tmp_path):
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    assert saved.stat().st_mode == ordinary.stat().st_mode


def test_half_is_smaller_and_close(network, saved, tmp_path, make_inputs):
    path = tmp_path / "half.safetensors"
    save_weights(network, path, half=True)
    assert path.stat().st_size < 0.6 * saved.stat().st_size
    names = network.state_dict().keys()
    assert load_file(path).keys() == {name for name in names if not name.startswith("detection.")} < names
    loaded, extra = load_network(path)
    assert extra == {}
    for name, value in loaded.state_dict().items():
        if name.startswith("detection."):  # left out: it trains, or begins anew
            continue
        assert value.dtype == network.state_dict()[name].dtype
        torch.testing.assert_close(value, network.state_dict()[name], atol=1e-6, rtol=1e-3)
    inputs = make_inputs(1, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(network(*inputs).mask, loaded(*inputs).mask, atol=0.02, rtol=0.02)


def _drop(path, beginning, but=None):
    """Take the tensors whose names begin so out of a file, but one."""
    _rewrite(path, lambda facts, tensors: [tensors.pop(n) for n in [*tensors] if n.startswith(beginning) and n != but])


def test_a_part_may_be_missing_as_a_whole_and_keeps_its_weights_then(network, saved, small_config):
    other = OmniIML(small_config)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    _drop(saved, "gate.")
    with pytest.raises(UnreadableModel, match=r"first difference: gate\."):
        load_into(other, saved)
    _drop(saved, "detection.")
    load_into(other, saved, without="gate.")
    for name, value in other.state_dict().items():
        wanted = before if name.startswith(("gate.", "detection.")) else network.state_dict()
        assert torch.equal(value, wanted[name]), name


@pytest.mark.parametrize("part", ["detection.", "gate."])
def test_half_a_part_is_refused(saved, small_config, part):
    _drop(saved, part, but=next(name for name in load_file(saved) if name.startswith(part)))
    with pytest.raises(UnreadableModel, match=f"first difference: {part}"):
        load_into(OmniIML(small_config), saved, without="gate.")


def test_half_refuses_what_it_cannot_hold(small_config, tmp_path):
    network = OmniIML(small_config)
    with torch.no_grad():
        network.decoder.reduce[0].weight[0] = 1e5
    path = tmp_path / "half.safetensors"
    with pytest.raises(ValueError, match=r"decoder\.reduce\.0\.weight holds values that float16 cannot"):
        save_weights(network, path, half=True)
    assert list(tmp_path.iterdir()) == []
    save_weights(network, path)
    assert load_network(path)[0].decoder.reduce[0].weight.max() == 1e5


def test_a_failed_write_leaves_the_old_file(network, saved, monkeypatch):
    before = saved.read_bytes()

    def fail(tensors, path, metadata):
        path.write_bytes(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", fail)
    with pytest.raises(OSError, match="No space"):
        save_weights(network, saved)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["last.safetensors"]


def test_a_new_file_takes_the_old_ones_place(network, saved, tmp_path):
    before = saved.read_bytes()
    reader = tmp_path / "what a reader has open"
    reader.hardlink_to(saved)
    save_weights(network, saved, {"samples": 8})
    assert reader.read_bytes() == before  # not written over
    assert read_metadata(saved)["extra"] == {"samples": 8}


def _metadata(text: str | None):
    def write(path):
        save_file({"x": torch.zeros(2)}, path, {"omni_iml": text} if text is not None else {"format": "pt"})

    return write


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda path: None, id="missing"),
        pytest.param(lambda path: path.mkdir(), id="folder"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(b"not weights at all, just text"), id="text"),
        pytest.param(lambda path: torch.save({"x": torch.zeros(2)}, path), id="pickle"),
        pytest.param(_metadata(None), id="another program's"),
        pytest.param(_metadata("{not json"), id="broken json"),
        pytest.param(_metadata("[1, 2]"), id="a list"),
        pytest.param(_metadata("{}"), id="no configuration"),
        pytest.param(_metadata(json.dumps({"config": {}, "extra": 3})), id="odd facts"),
    ],
)
def test_foreign_files_are_refused(tmp_path, write, network):
    path = tmp_path / "weights.safetensors"
    write(path)
    for read in (read_metadata, load_network, lambda p: load_into(network, p)):
        with pytest.raises(UnreadableModel, match=r"weights\.safetensors: .*; give a file that training wrote\.$"):
            read(path)


@pytest.mark.parametrize("share", [0.0005, 0.5, 0.999])
def test_a_cut_file_is_refused(saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UnreadableModel, match="cannot be read as safetensors"):
        load_network(saved)


def _rewrite(path, change):
    facts = read_metadata(path)
    tensors = load_file(path)
    change(facts, tensors)
    save_file(tensors, path, {"omni_iml": json.dumps(facts)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda facts, tensors: facts["config"].update(bogus=1), "bogus"),
        (lambda facts, tensors: facts["config"].update(backbone="resnet18"), "resnet18"),
        (lambda facts, tensors: facts["config"].update(gate_width=16), r"gate\.classifier"),
        (lambda facts, tensors: tensors.pop("gate.linear.bias"), r"first difference: gate\.linear\.bias"),
        (lambda facts, tensors: tensors.update(surplus=torch.zeros(1)), "first difference: surplus"),
    ],
)
def test_weights_that_do_not_fit_their_configuration_are_refused(saved, change, words):
    _rewrite(saved, change)
    with pytest.raises(UnreadableModel, match=words) as caught:
        load_network(saved)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused(saved, small_config):
    other = OmniIML(replace(small_config, gate_width=16))
    before = other.gate.linear.weight.clone()
    with pytest.raises(UnreadableModel, match=r"does not fit this network \(first difference: gate\..*recipe\.$"):
        load_into(other, saved)
    assert torch.equal(other.gate.linear.weight, before)
