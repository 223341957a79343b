"""One forward pass of a 512x512 tile: ours under each runtime and arrangement, and published localisers beside them.

    python benchmarks/forward_passes.py --repetitions 5
    python benchmarks/forward_passes.py --device cuda --models base small
    python benchmarks/forward_passes.py --models bundled-torch small base --arrangements

Every repetition runs every model once, so that all meet the same load; the first repetition is thrown away. Times of
one run compare with each other, never with another run's. Two times are printed: wall clock, and the processor time of
all threads of the process, which other programs disturb far less (with OMP_WAIT_POLICY=passive, or waiting counts too).
Weights of all but the bundled model are random: they do not change the time. Nothing is asserted.

The peers come from IMDL-BenCo, which is not installed with this project; without it they are left out, with a line
that says so. IML-ViT knows only 1024x1024: a quarter of its time is printed, as much area as the others look at.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from omni_iml.inference.session import open_session
from omni_iml.models import PRESETS, OmniIML, count_parameters
from omni_iml.models.checkpoint import load_network
from omni_iml.models.inference_form import inference_form
from omni_iml.weights import bundled_path

SIDE = 512
PEERS = {"SparseViT": SIDE, "Mesorch": SIDE, "IML_ViT": 2 * SIDE}  # class in IMDL-BenCo's model zoo -> side
MODELS = ("bundled-onnx", "bundled-torch", "small", "base", *PEERS)


@dataclass(frozen=True)
class Contestant:
    """Something to time.

    Attributes:
        name: in the table.
        parameters: in millions.
        run: one forward pass.
        tiles: how many 512x512 areas it looks at.
    """

    name: str
    parameters: float
    run: Callable[[], object]
    tiles: int = 1


def tile(device: torch.device | None = None) -> tuple:
    """Random (image, coefficients, table) of one tile; numpy arrays, or tensors on the device."""
    rng = np.random.default_rng(0)
    arrays = (
        rng.integers(0, 256, (1, 3, SIDE, SIDE), dtype=np.uint8),
        rng.integers(0, 21, (1, SIDE, SIDE), dtype=np.uint8),
        rng.integers(1, 64, (1, 8, 8), dtype=np.uint8),
    )
    return arrays if device is None else tuple(torch.from_numpy(array).to(device) for array in arrays)


def synchronised(device: torch.device, run: Callable[[], object]) -> Callable[[], object]:
    """``run``, which then waits until the device is done."""

    def wait() -> object:
        result = run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return result

    return wait


def ours(preset: str, device: torch.device, arrangements: bool) -> list[Contestant]:
    """The network of a preset, "bundled" with the shipped weights, as it runs in a session or in every arrangement."""
    network = shipped() if preset == "bundled" else OmniIML(PRESETS[preset]())
    network.eval().requires_grad_(False)
    size = count_parameters(network) / 1e6
    inputs = tile(device)

    def contestant(label: str, network: nn.Module, half: bool) -> Contestant:
        def run() -> object:
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
                return network(*inputs)

        return Contestant(f"{preset}, {label}", size, synchronised(device, run))

    fast = inference_form(network).to(device)
    chosen = [contestant("torch", fast, False), contestant("torch, bfloat16", fast, True)]
    if arrangements:
        plain = network.to(device)
        compiled = torch.compile(fast)
        chosen = [
            contestant("as trained", plain, False),
            *chosen,
            contestant("as trained, bfloat16", plain, True),
            contestant("torch, compiled", compiled, False),
        ]
    return chosen


def shipped() -> OmniIML:
    """The bundled network, which has a context that its preset does not."""
    return load_network(bundled_path(".safetensors"))[0]


def bundled_onnx(threads: int) -> Contestant:
    """The bundled model file under ONNX Runtime."""
    session, arrays = open_session(threads=threads), tile()
    return Contestant("bundled, ONNX Runtime", count_parameters(shipped()) / 1e6, lambda: session(*arrays))


def peer(name: str, device: torch.device) -> Contestant | None:
    """A localiser of IMDL-BenCo's; None, with a line that says why, if it cannot be had."""
    try:
        with redirect_stdout(sys.stderr):  # they tell of every block they make
            network = getattr(importlib.import_module("IMDLBenCo.model_zoo"), name)().eval().to(device)
    except Exception as error:  # whatever it or its many dependencies raise
        print(f"{name} is left out: {type(error).__name__}: {error}", file=sys.stderr)
        return None
    side = PEERS[name]
    image = torch.rand(1, 3, side, side, device=device)
    mask = torch.zeros(1, 1, side, side, device=device)

    @torch.inference_mode()
    def run() -> object:
        return network(image=image, mask=mask, edge_mask=mask, label=mask[:, 0, 0, 0])

    size = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    tiles = (side // SIDE) ** 2
    return Contestant(name.replace("_", "-"), size, synchronised(device, run), tiles)


def measure(contestants: list[Contestant], repetitions: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds a 512x512 of area, wall clock and processor, of every repetition after the first."""
    times: dict[str, list[tuple[float, float]]] = {contestant.name: [] for contestant in contestants}
    for repetition in range(repetitions + 1):
        for contestant in contestants:
            gc.collect()
            wall, processor = time.perf_counter(), time.process_time()
            contestant.run()
            spent = time.perf_counter() - wall, time.process_time() - processor
            if repetition:
                times[contestant.name].append((spent[0] / contestant.tiles, spent[1] / contestant.tiles))
            print(f"{repetition} {contestant.name}: {spent[0]:.2f} s", file=sys.stderr)
    return times


def table(contestants: list[Contestant], times: dict[str, list[tuple[float, float]]]) -> list[str]:
    """Markdown; ratios are of the smallest processor times, to the first row's."""
    rows = [
        "| model | parameters | wall: min, median | processor: min, median | ratio | frames a second |",
        "|---|---|---|---|---|---|",
    ]
    reference = min(processor for _, processor in times[contestants[0].name])
    for contestant in contestants:
        walls, processors = zip(*times[contestant.name], strict=True)
        rows.append(
            f"| {contestant.name} | {contestant.parameters:.1f} M | {min(walls):.2f}, {statistics.median(walls):.2f} s "
            f"| {min(processors):.2f}, {statistics.median(processors):.2f} s | {min(processors) / reference:.2f} "
            f"| {1 / min(walls):.2g} |"
        )
    return rows


def main() -> None:
    """Measure what the command line asks for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--arrangements", action="store_true", help="ours as trained, and compiled, too")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("Nothing measured: torch finds no CUDA device here.", file=sys.stderr)
        return
    device = torch.device(options.device)
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    contestants: list[Contestant] = []
    for model in options.models:
        if model == "bundled-onnx":
            contestants += [bundled_onnx(options.threads)] if device.type == "cpu" else []
        elif model in PEERS:
            contestants += [found for found in [peer(model, device)] if found is not None]
        else:
            contestants += ours(model.removesuffix("-torch"), device, options.arrangements)
    if not contestants:
        print("Nothing measured: none of the models asked for can be had here.", file=sys.stderr)
        return
    times = measure(contestants, options.repetitions)
    load = f"load average {os.getloadavg()[2]:.0f}" if hasattr(os, "getloadavg") else "load unknown"
    place = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {options.threads} threads, {load}"
    print(f"torch {torch.__version__}, {place}; batch 1, {options.repetitions} repetitions")
    print("\n".join(table(contestants, times)))


if __name__ == "__main__":
    main()
