"""The same digits on every x86-64 processor: what is started meanwhile does without the instructions that not all have.

OpenCV, NumPy and OpenBLAS choose their loops by the processor, and the last digits of the results differ. On one
machine a synthetic test set had other bytes with OpenCV's AVX2 than without.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np


def plain_environment() -> dict[str, str]:
    """Environment variables that hold this processor's libraries down to what every x86-64 processor has."""
    features = cv2.getCPUFeaturesLine().split()
    chosen_at_run_time = [name.removeprefix("*") for name in features if name.startswith("*")]
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])  # absent where there are none
    return {
        "OPENCV_CPU_DISABLE": _more("OPENCV_CPU_DISABLE", (n for n in chosen_at_run_time if not n.endswith("?"))),
        "OPENCV_IPP": "disabled",
        "OPENCV_LOG_LEVEL": "ERROR",  # it warns of the line before
        "NPY_DISABLE_CPU_FEATURES": _more("NPY_DISABLE_CPU_FEATURES", found),
        "OPENBLAS_CORETYPE": "Core2",
    }


def _more(variable: str, names: Iterable[str]) -> str:
    """What the variable disables already, which no library names any more, and more."""
    disabled = os.environ.get(variable, "").replace(",", " ").replace(";", " ").split()
    return ",".join(dict.fromkeys([*disabled, *names]))


@contextmanager
def plain_arithmetic() -> Iterator[None]:
    """Processes that are spawned inside compute plainly; this one, whose libraries are loaded, does not."""
    plain = plain_environment()
    before = {name: os.environ.get(name) for name in plain}
    os.environ.update(plain)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
