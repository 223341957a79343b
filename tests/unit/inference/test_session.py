import sys

import pytest

from omni_iml.inference.session import MissingRuntime, open_session
from omni_iml.types import UnreadableModel


def test_onnx_is_the_default(tiny_model):
    assert open_session(tiny_model).info.name == "tiny"
    assert open_session(str(tiny_model), "onnx", 1).info.name == "tiny"


def test_options_out_of_range(tiny_model):
    with pytest.raises(ValueError, match="runtime 'tensorrt' is unknown; choose one of onnx, openvino, torch, auto"):
        open_session(tiny_model, "tensorrt")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="threads must be at least 1"):
        open_session(tiny_model, threads=0)


def test_torch_that_is_not_installed(monkeypatch, tiny_model):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "omni_iml.inference.torch_session", raising=False)
    with pytest.raises(MissingRuntime, match=r"torch is not installed; run pip install 'omni-iml\[train\]'"):
        open_session(tiny_model, "torch")


@pytest.mark.parametrize("threads", [None, 1])
def test_openvino_that_is_not_installed(monkeypatch, tiny_model, threads):
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "omni_iml.inference.openvino_session", raising=False)
    with pytest.raises(MissingRuntime, match=r"openvino is not installed; run pip install 'omni-iml\[openvino\]'"):
        open_session(tiny_model, "openvino", threads)


def test_installation_without_a_model(monkeypatch, tmp_path):
    monkeypatch.setattr("omni_iml.weights.files", lambda package: tmp_path)
    with pytest.raises(UnreadableModel, match=r"bundled \.onnx model"):
        open_session()
    (tmp_path / "bundled.onnx").write_bytes(b"junk")
    with pytest.raises(UnreadableModel, match="cannot load"):
        open_session()
