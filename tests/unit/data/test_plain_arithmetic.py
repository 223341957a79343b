"""A spawned process has the environment that holds libraries down to what every processor has; ours keeps its own."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest

from omni_iml.data.plain_arithmetic import plain_arithmetic, plain_environment

SAID = """
import cv2, numpy
print(" ".join(name for name in cv2.getCPUFeaturesLine().split() if name.startswith("*") and not name.endswith("?")))
print(numpy.show_config(mode="dicts")["SIMD Extensions"].get("found", []))
"""


def said() -> list[str]:
    child = subprocess.run([sys.executable, "-W", "error", "-c", SAID], capture_output=True, text=True, check=True)
    assert child.stderr == ""
    return child.stdout.splitlines()


def test_what_is_started_inside_computes_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_IPP", "sse42")
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    with plain_arithmetic():
        assert said() == ["", "[]"]
        assert os.environ["OPENCV_IPP"] == "disabled"
    assert os.environ["OPENCV_IPP"] == "sse42"
    assert "OPENBLAS_CORETYPE" not in os.environ


def test_what_is_disabled_already_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "AVX1, AVX2")
    monkeypatch.setenv("OPENCV_CPU_DISABLE", "FP16")
    plain = plain_environment()
    assert plain["NPY_DISABLE_CPU_FEATURES"].split(",")[:2] == ["AVX1", "AVX2"]
    assert plain["OPENCV_CPU_DISABLE"].split(",")[0] == "FP16"


def test_a_process_that_computes_plainly_has_the_same_environment() -> None:
    script = "from omni_iml.data.plain_arithmetic import plain_environment; print(plain_environment())"
    with plain_arithmetic():
        child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert ast.literal_eval(child.stdout) == {name: os.environ[name] for name in plain_environment()}


def test_only_what_this_processor_has_is_named() -> None:
    named = plain_environment()["OPENCV_CPU_DISABLE"].split(",")
    assert not any(name.startswith("*") or name.endswith("?") for name in named)
