"""A spawned process has the environment that holds libraries down to what every processor has; ours keeps its own."""

from __future__ import annotations

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


def test_only_what_this_processor_has_is_named() -> None:
    named = plain_environment()["OPENCV_CPU_DISABLE"].split(",")
    assert not any(name.startswith("*") or name.endswith("?") for name in named)
