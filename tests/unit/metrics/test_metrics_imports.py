from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "sklearn", "scipy", "onnxruntime")


@pytest.mark.parametrize("module", ["omni_iml.metrics", "omni_iml.regions", "omni_iml.cli.score"])
def test_the_ground_floor_loads_nothing_heavy(module):
    code = f"import sys, {module}; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []


@pytest.mark.parametrize("module", ["omni_iml.metrics", "omni_iml.regions"])
def test_of_this_package_they_know_only_the_types(module):
    code = f"import sys, {module}; print(*sorted(name for name in sys.modules if name.startswith('omni_iml.')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert module in loaded
    others = {name for name in loaded if name != module and not name.startswith(f"{module}.")}
    assert others == {"omni_iml.types", "omni_iml.version"}
