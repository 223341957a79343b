"""Several processes compute what one does; a leg that was killed goes on as if nothing had been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from reader_layouts import build

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "single_task" / "document.yaml"

# Batch norm's statistics are of a process's own samples on a CPU (on GPUs they are shared): they are held fixed. The
# detector's losses are means over what each process drew, so they are left out.
SCRIPT = """
import sys, torch
from pathlib import Path
from omni_iml.training.recipe import load_recipe
from omni_iml.training.train import prepare

recipe, out, devices, strategy, *overrides = sys.argv[1:]
recipe, out, devices = Path(recipe), Path(out), int(devices)
leg = prepare(load_recipe(recipe, overrides), out, workers=0, threads=1, devices=devices, strategy=strategy)
for part in leg.module.network.modules():
    if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
        part.eval()
        part.train = lambda mode=True, part=part: part

def keep(optimiser):
    if leg.module.global_step:
        return
    grads = {n: p.grad for n, p in leg.module.network.named_parameters() if p.grad is not None}
    grads = {n: g.full_tensor() if hasattr(g, "full_tensor") else g.clone() for n, g in grads.items()}
    if leg.trainer.is_global_zero:
        torch.save(grads, out / "gradients.pt")

leg.module.on_before_optimizer_step = keep
leg.run()
"""

OVERRIDES = [
    "model=bundled",
    "synthesis.size=64",
    "optim.batch=4",
    "optim.steps=2",
    "loss.detection=0",
    "validation.size=64",
    "validation.samples=5",
    "validation.every=2",
    "data.augment.aim=1.0",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    build("sacp", root / "SACP")
    build("doctamper", root / "DocTamper")
    return root


@pytest.fixture
def environment(data: Path) -> dict[str, str]:
    return {**os.environ, "OMNI_IML_DATA": str(data), "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}


def scores(out: Path) -> dict:
    return json.loads((out / "validation.jsonl").read_text().splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "more"),
    [
        ("ddp", []),
        ("ddp", ["optim.accumulate=2"]),
        pytest.param(
            *("fsdp", ["optim.checkpointing=true", "optim.clip=100"]),
            marks=pytest.mark.timeout(900),  # the import of torch's distributed tensors is slow
        ),
    ],
)
def test_two_processes_compute_what_one_does(tmp_path, environment, strategy, more):
    """Gloo on the CPU: gradients of the first step, and validation scores, of which five samples are an odd number."""
    script = tmp_path / "leg.py"
    script.write_text(SCRIPT)
    runs = {}
    for devices in (1, 2):
        out = runs[devices] = tmp_path / f"of{devices}"
        out.mkdir()
        start = [sys.executable]
        if devices > 1:
            start += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={devices}"]
        how = strategy if devices > 1 else "ddp"
        command = [*start, str(script), str(RECIPE), str(out), str(devices), how, *OVERRIDES]
        command += more if devices > 1 else []
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr[-3000:]
    one, two = (torch.load(out / "gradients.pt", weights_only=True) for out in runs.values())
    moved = {name for name, value in one.items() if value.abs().max() > 0}
    assert len(moved) > 100
    assert moved <= set(two)
    for name in moved:
        torch.testing.assert_close(two[name], one[name], rtol=2e-3, atol=2e-6, msg=name)
    assert scores(runs[2]) == pytest.approx(scores(runs[1]), abs=2e-3)
    assert scores(runs[2])["samples"] == 8
    first, second = (load_file(out / "last.safetensors") for out in runs.values())
    assert first.keys() == second.keys()
    assert all(second[name].shape == value.shape for name, value in first.items())
    assert (runs[2] / "last.ckpt").exists() == (strategy == "ddp")


def leg(environment: dict[str, str], out: Path, *more: str) -> list[str]:
    overrides = [part for value in OVERRIDES[:3] for part in ("--set", value)]
    overrides += ["--set", "optim.steps=8", "--set", "model.drop_path=0.3", "--set", "optim.ema=0.9"]
    overrides += ["--set", "validation.size=64", "--set", "validation.samples=2", "--set", "validation.every=3"]
    command = [sys.executable, "-m", "omni_iml.cli", "train", str(RECIPE), "--out", str(out), "--workers", "1"]
    return [*command, "--threads", "1", "--save-minutes", "0", *overrides, *more]


@pytest.mark.slow
def test_a_killed_leg_goes_on_exactly(tmp_path, environment):
    """Kill -9 in the middle; weights in the end are those of the leg that nobody killed, bit for bit."""
    whole, cut, rest = (tmp_path / name for name in ("whole", "cut", "rest"))
    subprocess.run(leg(environment, whole), env=environment, check=True, capture_output=True, timeout=240)
    killed = subprocess.Popen(leg(environment, cut), env=environment, stderr=subprocess.DEVNULL)
    state, deadline = cut / "last.ckpt", time.monotonic() + 120
    steps = 0
    while steps < 3:
        assert time.monotonic() < deadline
        assert killed.poll() is None
        time.sleep(0.02)
        if state.exists():
            steps = torch.load(state, weights_only=True)["steps"]
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    steps = torch.load(state, weights_only=True)["steps"]
    assert 3 <= steps < 8
    command = leg(environment, rest, "--resume", str(state), "--exact")
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=240)
    first, second = (load_file(out / "last.safetensors") for out in (whole, rest))
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    assert scores(whole) == scores(rest)
    assert scores(rest)["step"] == 8
    assert scores(rest)["samples"] == 32
