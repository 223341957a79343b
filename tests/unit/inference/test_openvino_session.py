"""OpenVINO behind the session: the same answers and the same refusals as ONNX Runtime."""

import hashlib
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from omni_iml.inference.onnx_session import OnnxSession
from omni_iml.types import OmniError, UnreadableModel

pytest.importorskip("openvino")  # the extra named openvino

from omni_iml.inference.openvino_session import OpenVinoSession, _reason


def inputs(batch: int = 1, side: int = 64, seed: int = 1):
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, 256, (batch, 3, side, side), dtype=np.uint8),
        rng.integers(0, 21, (batch, side, side), dtype=np.uint8),
        rng.integers(1, 64, (batch, 8, 8), dtype=np.uint8),
    )


@pytest.fixture(scope="module")
def session(tiny_model):
    return OpenVinoSession(tiny_model, threads=1)


@pytest.mark.parametrize("batch", [1, 5])
def test_outputs_are_those_of_the_graph(session, tiny_model, batch):
    given = inputs(batch)
    found, other = session(*given), OnnxSession(tiny_model)(*given)
    np.testing.assert_allclose(found.mask[:, 0], (given[0][:, 1].astype(np.float32) - 128) / 16, rtol=1e-6)
    for name in ("mask", "gate", "image"):
        np.testing.assert_allclose(getattr(found, name), getattr(other, name), atol=1e-4)


def test_results_outlive_the_next_call(session):
    """OpenVINO's buffers are used again; what a caller keeps must be a copy."""
    first = session(*inputs(seed=1))
    kept = first.mask.copy()
    session(*inputs(seed=2))
    np.testing.assert_array_equal(first.mask, kept)


def test_info_comes_from_the_file(session, tiny_model):
    assert session.info == OnnxSession(tiny_model).info
    assert session.info.name == "tiny"
    assert session.info.sha256 == hashlib.sha256(tiny_model.read_bytes()).hexdigest()
    assert session.runtime == "openvino"


@pytest.mark.parametrize("threads", [1, 2])
def test_thread_count_is_honoured(tiny_model, threads):
    if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) < threads:
        pytest.skip("OpenVINO takes no more threads than the cores that this process may use")
    assert OpenVinoSession(tiny_model, threads).threads == threads


def test_arithmetic_is_float32_whatever_the_processor_prefers(session):
    assert session.precision == "f32"


def test_threads_do_not_mix_their_tiles(session):
    """Eight threads at once, each with tiles of its own, get what one thread gets."""
    tiles = [inputs(16, seed=seed) for seed in range(48)]
    alone = [session(*tile) for tile in tiles]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda tile: session(*tile), tiles))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)
        np.testing.assert_array_equal(one.image, other.image)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_wrong_shapes_and_types_are_refused(session, position):
    for spoil in (lambda a: a[..., :-1], lambda a: a.astype(np.float32)):
        arrays = list(inputs())
        arrays[position] = spoil(arrays[position])
        with pytest.raises(ValueError, match=("image", "coefficients", "table")[position]):
            session(*arrays)


def test_missing_file(tmp_path):
    with pytest.raises(UnreadableModel, match="no such model file"):
        OpenVinoSession(tmp_path / "absent.onnx")


@pytest.mark.parametrize(
    "content", [b"not a model at all", b"\x08\x07\x12\x00\xff\xff", b"<?xml version='1.0'?><net/>"]
)
def test_damaged_file(tmp_path, content, capfd):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(UnreadableModel, match="OpenVINO cannot load the file") as caught:
        OpenVinoSession(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Exception from" not in str(caught.value)
    assert capfd.readouterr() == ("", "")  # no other format's reader is tried on it


def test_the_reason_is_the_end_of_what_openvino_says():
    """Whatever the exception takes to be made: this one takes five arguments."""
    said = "Exception from src/a.cpp:1:\n\nthe reason\n"
    assert _reason(RuntimeError(said)) == "the reason"
    assert _reason(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad byte")).endswith("bad byte")
    assert _reason(RuntimeError()) == "RuntimeError"


def test_empty_file_and_file_cut_short(tmp_path, tiny_model):
    for content in (b"", tiny_model.read_bytes()[:-900]):
        path = tmp_path / "short.onnx"
        path.write_bytes(content)
        with pytest.raises(UnreadableModel):
            OpenVinoSession(path)


def test_foreign_model(write_model):
    with pytest.raises(UnreadableModel, match="no Omni-IML model file"):
        OpenVinoSession(write_model(metadata=None))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("uint8[B,8,8] table)", "int32[B,8,8] table)"),
        (") => (float[B,1,64,64] mask, float[B] gate", ") => (float[B] gate, float[B,1,64,64] mask"),
        (", float[B] image_logit)", ")"),
    ],
)
def test_other_inputs_or_outputs(write_model, tiny_network, old, new):
    network = " ".join(tiny_network.split())
    assert old in network
    with pytest.raises(UnreadableModel, match="not those of an Omni-IML model"):
        OpenVinoSession(write_model(network=network.replace(old, new)))


def test_values_that_are_not_finite(write_model, tiny_network):
    session = OpenVinoSession(write_model(network=tiny_network.replace("float f16 = {16.0}", "float f16 = {0.0}")))
    with pytest.raises(OmniError, match="not finite"):
        session(*inputs())


def test_path_with_spaces_and_accents(tmp_path, tiny_model):
    path = tmp_path / "modèle né 1.onnx"
    path.write_bytes(tiny_model.read_bytes())
    assert OpenVinoSession(path).info.name == "tiny"


def test_nothing_is_sent_anywhere(tiny_model, monkeypatch):
    """OpenVINO installs a telemetry package beside itself; loading and running a model must not wake it."""
    assert "openvino" in sys.modules

    def refuse(*args, **kwargs):
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    OpenVinoSession(tiny_model)(*inputs())
