"""The rule behind ``runtime="auto"``, on sessions whose speed is known."""

import logging
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from omni_iml import Detector
from omni_iml.inference import auto
from omni_iml.inference.onnx_session import OnnxSession
from omni_iml.inference.session import open_session
from omni_iml.types import UnreadableModel


class Delayed:
    """A session that takes longer by a known time; its name is its own."""

    def __init__(self, session, runtime, seconds):
        self.session, self.runtime, self.seconds, self.calls = session, runtime, seconds, 0

    @property
    def info(self):
        return self.session.info

    def __call__(self, *tile):
        self.calls += 1
        time.sleep(self.seconds)
        return self.session(*tile)


@pytest.fixture
def runtimes(monkeypatch, tiny_model):
    """Sets the extra seconds of both runtimes, and makes OpenVINO count as installed."""

    def set_up(onnx, openvino):
        extra = {"onnx": onnx, "openvino": openvino}

        def opened(model, runtime, threads):
            return Delayed(OnnxSession(tiny_model, threads), runtime, extra[runtime])

        monkeypatch.setattr(auto, "open_session", opened)
        monkeypatch.setattr(auto, "find_spec", lambda name: object())

    return set_up


@pytest.mark.parametrize(("onnx", "openvino", "chosen"), [(0.05, 0.01, "openvino"), (0.01, 0.05, "onnx")])
def test_the_faster_one_is_kept_and_named_in_the_log(runtimes, tiny_model, caplog, onnx, openvino, chosen):
    runtimes(onnx, openvino)
    with caplog.at_level(logging.INFO, "omni_iml"):
        assert auto.fastest_session(tiny_model, 1).runtime == chosen
    assert f"runtime auto: {chosen} (a tile takes" in caplog.text


def test_a_tie_stays_with_the_default(monkeypatch, runtimes, tiny_model):
    runtimes(0, 0)
    monkeypatch.setattr(auto, "best_times", lambda sessions: [100.0, 95.0])
    assert auto.fastest_session(tiny_model).runtime == "onnx"


def test_measuring_ends_with_its_budget(tiny_model):
    ticks = iter(range(0, 1000, 1))  # each look at the clock finds a second gone
    slow = Delayed(OnnxSession(tiny_model), "onnx", 0)
    assert auto.best_times((slow, slow), rounds=50, clock=lambda: float(next(ticks))) == [1000.0, 1000.0]
    assert slow.calls == 2 + 2  # the warm-up, and the one round that began before the two seconds were over


def test_without_openvino_it_is_onnx(monkeypatch, tiny_model):
    monkeypatch.setattr(auto, "find_spec", lambda name: None)
    assert open_session(tiny_model, "auto").runtime == "onnx"


def test_an_openvino_that_does_not_import_is_named(monkeypatch, tiny_model, caplog):
    monkeypatch.setattr(auto, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "omni_iml.inference.openvino_session", raising=False)
    assert auto.fastest_session(tiny_model).runtime == "onnx"
    assert "OpenVINO failed" in caplog.text


def test_a_damaged_file_is_an_error(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"junk")
    with pytest.raises(UnreadableModel):
        auto.fastest_session(path)


def test_weights_go_to_torch(monkeypatch):
    asked = []
    monkeypatch.setattr(auto, "open_session", lambda *arguments: asked.append(arguments))
    auto.fastest_session("run/last.safetensors", 3, "float32")
    assert asked == [(Path("run/last.safetensors"), "torch", 3, "float32")]


def test_the_choice_is_written_into_the_result(tiny_model):
    from omni_iml.inference.session import RUNTIMES

    detector = Detector(tiny_model, runtime="auto", threads=1)
    assert detector.runtime in RUNTIMES[:2]
    if find_spec("openvino") is None:
        assert detector.runtime == "onnx"
    import numpy as np

    found = detector.detect(np.zeros((70, 70, 3), np.uint8))
    assert found.to_json()["model"]["runtime"] == found.runtime == detector.runtime
