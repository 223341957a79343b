"""The int8 model file: what is quantized, what stays, and that it still says what the float file says."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import onnx
import pytest

from omni_iml.inference.onnx_session import OnnxSession
from omni_iml.models.export import METADATA_KEY
from omni_iml.models.quantize import KEPT_FLOAT, SMALLEST_CALIBRATION, quantize_model

pytestmark = pytest.mark.slow  # the bundled model is not int8, and quantizing takes half a minute

SIDE = 64


def tile(seed):
    """A smooth picture with a noisy square, so that the mask is not the same everywhere."""
    rng = np.random.default_rng(seed)
    image = np.tile(np.linspace(rng.integers(0, 60), rng.integers(160, 255), SIDE), (3, SIDE, 1))
    image[:, 16:40, 16:40] += rng.normal(0, 25, (3, 24, 24))
    return {
        "image": np.clip(image, 0, 255).astype(np.uint8)[None],
        "coefficients": rng.integers(0, 5, (1, SIDE, SIDE), dtype=np.uint8),
        "table": rng.integers(1, 20, (1, 8, 8), dtype=np.uint8),
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory, exported):
    """A float model file and its int8 twin."""
    path = tmp_path_factory.mktemp("int8") / "int8.onnx"
    quantize_model(exported[1], path, map(tile, range(SMALLEST_CALIBRATION)))
    return exported[1], path


def test_masks_stay_close(files):
    whole, small = (OnnxSession(path, threads=1) for path in files)
    for seed in (20, 21):
        one, other = (session(*tile(seed).values()) for session in (whole, small))
        assert one.mask.std() > 0.05, "a flat map would agree with anything"
        assert np.abs(one.mask - other.mask).mean() < 0.2 * one.mask.std()
        assert np.abs(one.mask - other.mask).max() > 1e-4, "nothing was quantized"
        np.testing.assert_allclose(one.image, other.image, atol=0.2)


def test_runtimes_agree_on_int8(files):
    pytest.importorskip("openvino")
    from omni_iml.inference.openvino_session import OpenVinoSession

    given = tile(20).values()
    one, other = OnnxSession(files[1], threads=1)(*given), OpenVinoSession(files[1], threads=1)(*given)
    # The runtimes round integers at other places: each is as far from the other as from float.
    assert np.abs(one.mask - other.mask).mean() < 0.2 * one.mask.std()


def test_weights_of_convolutions_are_int8_but_for_the_parts_kept(files):
    model = onnx.load(files[1])
    makers = {output: node for node in model.graph.node for output in node.output}
    dtypes = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    quantized, kept = [], []
    for node in (node for node in model.graph.node if node.op_type == "Conv"):
        maker = makers.get(node.input[1])
        is_int8 = maker is not None and maker.op_type == "DequantizeLinear"
        if is_int8:
            assert dtypes[maker.input[0]] == onnx.TensorProto.INT8
        (quantized if is_int8 else kept).append(node.input[1])
    assert len(quantized) > 50
    assert all(any(f"network.{part}" in name for part in KEPT_FLOAT) for name in kept)
    parts = set(KEPT_FLOAT) - {"vision_head.context"}  # which this network does not have
    assert all(any(f"network.{part}" in name for name in kept) for part in parts)


def test_facts_stay_and_say_where_it_comes_from(files):
    model = onnx.load(files[1])
    assert [entry.key for entry in model.metadata_props] == [METADATA_KEY]
    facts = json.loads(model.metadata_props[0].value)
    assert facts["name"] == "lively"
    assert facts["precision"] == "int8"
    assert facts["float_sha256"] == hashlib.sha256(files[0].read_bytes()).hexdigest()
    assert facts["calibration_tiles"] == SMALLEST_CALIBRATION
    assert {opset.domain for opset in model.opset_import} == {""}
    assert files[1].stat().st_size < files[0].stat().st_size


def test_same_inputs_same_bytes(files, tmp_path):
    quantize_model(files[0], tmp_path / "again.onnx", map(tile, range(SMALLEST_CALIBRATION)))
    assert (tmp_path / "again.onnx").read_bytes() == files[1].read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.onnx"]


def test_a_file_without_facts(files, tmp_path):
    model = onnx.load(files[0])
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "plain.onnx")
    with pytest.raises(ValueError, match=r"plain\.onnx: is no Omni-IML model file"):
        quantize_model(tmp_path / "plain.onnx", tmp_path / "x.onnx", map(tile, range(SMALLEST_CALIBRATION)))
    assert not (tmp_path / "x.onnx").exists()


def test_a_file_of_free_size_is_refused(files, tmp_path):
    model = onnx.load(files[0])
    facts = json.loads(model.metadata_props[0].value)
    model.metadata_props[0].value = json.dumps({**facts, "free_size": True})
    onnx.save(model, tmp_path / "free.onnx")
    with pytest.raises(ValueError, match=r"x\.onnx: OpenVINO computes wrong masks from int8 files of free size"):
        quantize_model(tmp_path / "free.onnx", tmp_path / "x.onnx", map(tile, range(SMALLEST_CALIBRATION)))
    assert not (tmp_path / "x.onnx").exists()


def test_too_few_tiles(files, tmp_path):
    with pytest.raises(ValueError, match="7 tiles are too few"):
        quantize_model(files[0], tmp_path / "x.onnx", map(tile, range(SMALLEST_CALIBRATION - 1)))
    assert not list(tmp_path.iterdir())
