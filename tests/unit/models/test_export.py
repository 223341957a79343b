"""The exported graph: what it holds, and that it says what the network says."""

from __future__ import annotations

import copy
import json
from importlib.util import find_spec

import numpy as np
import onnx
import pytest
import torch

from omni_iml.inference.model_file import METADATA_KEY as READ_KEY
from omni_iml.inference.model_file import SCHEMA as READ_SCHEMA
from omni_iml.inference.onnx_session import OnnxSession
from omni_iml.inference.session import open_session
from omni_iml.models.checkpoint import HALF_ABOVE
from omni_iml.models.export import METADATA_KEY, SCHEMA, UNCALIBRATED, export_onnx

SIDE = 64


def inputs(batch, seed=0, height=SIDE, width=SIDE):
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, 256, (batch, 3, height, width), dtype=np.uint8),
        rng.integers(0, 21, (batch, height, width), dtype=np.uint8),
        rng.integers(1, 64, (batch, 8, 8), dtype=np.uint8),
    )


@pytest.mark.parametrize("batch", [1, 5])
def test_graph_and_network_agree(exported, batch):
    network, path = exported
    given = inputs(batch, seed=7)
    found = OnnxSession(path, threads=1)(*given)
    with torch.inference_mode():
        wanted = network(*(torch.from_numpy(x) for x in given))
    assert float(wanted.mask.std()) > 0.05, "a flat map would agree with anything"
    np.testing.assert_allclose(found.mask, wanted.mask.numpy(), atol=1e-3)
    np.testing.assert_allclose(found.gate, wanted.gate.numpy(), atol=1e-3)
    np.testing.assert_allclose(found.image, wanted.image.numpy(), atol=1e-3)


@pytest.mark.slow  # this export alone takes a minute
@pytest.mark.parametrize(("height", "width"), [(64, 64), (32, 96), (128, 32), (160, 128)])
def test_a_graph_of_any_size_agrees_with_the_network(exported, tmp_path_factory, height, width):
    network, _ = exported
    path = tmp_path_factory.getbasetemp() / "free.onnx"
    if not path.exists():
        export_onnx(network, path, {**UNCALIBRATED, "tile": 160, "free_size": True})
    session = OnnxSession(path, threads=1)
    assert (session.info.tile, session.info.free_size) == (160, True)
    given = inputs(2, 9, height, width)
    found = session(*given)
    with torch.inference_mode():
        wanted = network(*(torch.from_numpy(x) for x in given))
    np.testing.assert_allclose(found.mask, wanted.mask.numpy(), atol=1e-3)
    np.testing.assert_allclose(found.image, wanted.image.numpy(), atol=1e-3)
    if find_spec("openvino") is not None:
        other = open_session(path, "openvino", threads=1)(*given)
        np.testing.assert_allclose(other.mask, wanted.mask.numpy(), atol=1e-3)
        np.testing.assert_allclose(other.image, wanted.image.numpy(), atol=1e-3)


def test_graph_has_the_contract_s_signature_and_no_detector(exported):
    _, path = exported
    model = onnx.load(path)
    assert [i.name for i in model.graph.input] == ["image", "coefficients", "table"]
    assert [o.name for o in model.graph.output] == ["mask", "gate", "image_logit"]
    assert not [t.name for t in model.graph.initializer if "detection" in t.name]
    assert any("decoder" in t.name for t in model.graph.initializer)


def test_large_weights_are_stored_as_half_and_nothing_of_the_machine_stays(exported):
    _, path = exported
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            assert np.prod(tensor.dims) <= HALF_ABOVE
    assert [p.key for p in model.metadata_props] == [METADATA_KEY]
    assert all(not node.metadata_props and not node.doc_string for node in model.graph.node)
    assert json.loads(model.metadata_props[0].value)["name"] == "lively"


def test_missing_facts_and_bad_tiles_are_named(exported, tmp_path):
    network, _ = exported
    with pytest.raises(ValueError, match="lack card, licence"):
        export_onnx(
            network, tmp_path / "x.onnx", {k: v for k, v in UNCALIBRATED.items() if k not in ("card", "licence")}
        )
    with pytest.raises(ValueError, match="500 is not a multiple"):
        export_onnx(network, tmp_path / "x.onnx", {**UNCALIBRATED, "tile": 500})
    assert not list(tmp_path.iterdir())


def test_weights_that_float16_cannot_hold_are_named(exported, tmp_path):
    network = copy.deepcopy(exported[0])
    with torch.no_grad():
        network.backbone.stages[0].downsample[1].weight[0, 0, 0, 0] = 1e5
    with pytest.raises(ValueError, match=r"backbone\.stages\.0\.downsample\.1\.weight holds values that float16"):
        export_onnx(network, tmp_path / "x.onnx", {**UNCALIBRATED, "tile": 64})
    assert not list(tmp_path.iterdir())


def test_what_is_written_is_what_the_reader_looks_for():
    """Two definitions, since the network's package and inference may not import each other."""
    assert METADATA_KEY == READ_KEY
    assert SCHEMA == READ_SCHEMA


def test_no_bias_is_made_at_run_time(exported):
    """A convolution whose bias is computed, even of zeros, keeps runtimes from fusing the batch norm behind it."""
    model = onnx.load(exported[1])
    made = {output for node in model.graph.node for output in node.output if node.op_type != "Cast"}
    biases = [node.input[2] for node in model.graph.node if node.op_type == "Conv" and len(node.input) == 3]
    assert biases
    assert not made.intersection(biases)
    used = {name for node in model.graph.node for name in node.input} | {output.name for output in model.graph.output}
    assert all(used.intersection(node.output) for node in model.graph.node), "a node feeds nothing"
