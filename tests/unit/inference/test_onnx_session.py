import hashlib
from pathlib import Path

import numpy as np
import pytest

from omni_iml.inference.onnx_session import OnnxSession
from omni_iml.types import OmniError, UnreadableModel


def inputs(batch: int = 1, side: int = 64):
    rng = np.random.default_rng(1)
    return (
        rng.integers(0, 256, (batch, 3, side, side), dtype=np.uint8),
        rng.integers(0, 21, (batch, side, side), dtype=np.uint8),
        np.full((batch, 8, 8), 4, np.uint8),
    )


@pytest.mark.parametrize("batch", [1, 5])
def test_outputs_are_those_of_the_graph(tiny_model, batch):
    image, coefficients, table = inputs(batch)
    outputs = OnnxSession(tiny_model)(image, coefficients, table)
    np.testing.assert_allclose(outputs.mask[:, 0], (image[:, 1].astype(np.float32) - 128) / 16, rtol=1e-6)
    gate = (image.mean((1, 2, 3)) - 100) / 10 + coefficients.mean((1, 2))
    np.testing.assert_allclose(outputs.gate, gate, rtol=1e-4)
    np.testing.assert_allclose(outputs.image, (image.max((1, 2, 3)).astype(float) - 200) / 10 + 3, rtol=1e-5)


def test_info_comes_from_the_file(tiny_model):
    info = OnnxSession(tiny_model).info
    assert info.name == "tiny"
    assert info.sha256 == hashlib.sha256(tiny_model.read_bytes()).hexdigest()


@pytest.mark.parametrize(("asked", "got"), [(None, 0), (1, 1), (3, 3)])
def test_thread_count_is_honoured(tiny_model, asked, got):
    assert OnnxSession(tiny_model, asked).threads == got


@pytest.mark.parametrize("position", [0, 1, 2])
def test_wrong_shapes_and_types_are_refused(tiny_model, position):
    session = OnnxSession(tiny_model)
    for spoil in (lambda a: a[..., :-1], lambda a: a.astype(np.float32)):
        arrays = list(inputs())
        arrays[position] = spoil(arrays[position])
        with pytest.raises(ValueError, match=("image", "coefficients", "table")[position]):
            session(*arrays)


def test_a_model_of_any_size_takes_multiples_of_32_up_to_its_tile(free_model):
    session = OnnxSession(free_model)
    image, coefficients, table = inputs()
    outputs = session(image[:, :, :32], coefficients[:, :32], table)
    assert outputs.mask.shape == (1, 1, 32, 64)
    for height, width in ((48, 64), (32, 96), (64, 0)):
        with pytest.raises(ValueError, match="image"):
            session(np.zeros((1, 3, height, width), np.uint8), np.zeros((1, height, width), np.uint8), table)
    with pytest.raises(ValueError, match="coefficients"):
        session(image[:, :, :32], coefficients, table)


def test_missing_file(tmp_path):
    with pytest.raises(UnreadableModel, match="no such model file"):
        OnnxSession(tmp_path / "absent.onnx")


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\x08\x07\x12\x00\xff\xff"])
def test_damaged_file(tmp_path, content, capfd):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(UnreadableModel) as caught:
        OnnxSession(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")  # ONNX Runtime's own log stays silent


def test_file_cut_short(tmp_path, tiny_model):
    path = tmp_path / "short.onnx"
    path.write_bytes(tiny_model.read_bytes()[:-900])
    with pytest.raises(UnreadableModel):
        OnnxSession(path)


def test_foreign_model(write_model):
    with pytest.raises(UnreadableModel, match="no Omni-IML model file"):
        OnnxSession(write_model(metadata=None))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("uint8[B,8,8] table)", "uint8[B,8,8] table, uint8[1] more)"),
        ("uint8[B,8,8] table)", "int32[B,8,8] table)"),
        (") => (float[B,1,64,64] mask, float[B] gate", ") => (float[B] gate, float[B,1,64,64] mask"),
        (", float[B] image_logit)", ")"),
    ],
)
def test_other_inputs_or_outputs(write_model, tiny_network, old, new):
    network = " ".join(tiny_network.split())
    assert old in network
    with pytest.raises(UnreadableModel, match="not those of an Omni-IML model"):
        OnnxSession(write_model(network=network.replace(old, new)))


def test_outputs_of_another_shape(write_model, model_metadata, tiny_network):
    network = tiny_network.replace("float[B,1,64,64] mask", "float[B,H,W,1] mask").replace(
        "mask = Div (green_above, f16)", "m = Div (green_above, f16)\n mask = Transpose <perm: ints = [0,2,3,1]> (m)"
    )
    with pytest.raises(UnreadableModel, match="'mask' is float32"):
        OnnxSession(write_model(network=network))(*inputs())


def test_values_that_are_not_finite(write_model, tiny_network):
    network = tiny_network.replace("float f16 = {16.0}", "float f16 = {0.0}")
    session = OnnxSession(write_model(network=network))
    with pytest.raises(OmniError, match="not finite"):
        session(*inputs())


def test_path_with_spaces_and_accents(tmp_path, tiny_model):
    path: Path = tmp_path / "modèle né 1.onnx"
    path.write_bytes(tiny_model.read_bytes())
    assert OnnxSession(path).info.name == "tiny"
