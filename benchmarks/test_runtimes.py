"""Runtimes and int8 against each other: how fast, and what int8 costs in accuracy.

    pytest benchmarks/test_runtimes.py --benchmark-only -s                       # speed
    OMNI_IML_INT8=int8.onnx pytest benchmarks/test_runtimes.py --benchmark-only -s     # of a file made before

Speed is measured in turns: each round gives one tile to every session, so that whatever else the machine does meets all
alike. Two times are taken: wall clock, and the processor time of all threads of the process, which other programs
disturb less, though it counts threads of a runtime that wait for each other, too. Accuracy needs a cache of source
tiles, as training makes it (OMNI_IML_TILES, by default cache/tiles); without one it is skipped. A busy machine needs
longer than a test may take: --timeout 0. docs/decisions/0005-runtimes.md has the figures. Nothing is asserted.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
import pytest

from omni_iml.cli.export import calibration_tiles
from omni_iml.data.sources import DOMAINS
from omni_iml.data.synthesis import Engine, SynthesisConfig
from omni_iml.data.tile_cache import TilePool
from omni_iml.inference.blending import sigmoid
from omni_iml.inference.session import open_session
from omni_iml.inference.tiles import cut
from omni_iml.io import load
from omni_iml.metrics import count_pixels, iou
from omni_iml.models.checkpoint import load_network
from omni_iml.models.export import export_onnx
from omni_iml.models.quantize import quantize_model
from omni_iml.weights import bundled_path

THREADS = 2
EXAMPLES = Path(__file__).parents[1] / "examples"
TILES = Path(os.environ.get("OMNI_IML_TILES", "cache/tiles"))
SAMPLES = 15
"""Of each domain."""


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """The bundled model in both runtimes, float and int8 (calibrated on the examples unless a file is given)."""
    int8 = Path(os.environ.get("OMNI_IML_INT8") or tmp_path_factory.mktemp("int8") / "int8.onnx")
    if not int8.exists():
        network, extra = load_network(bundled_path(".safetensors"))
        whole = int8.with_name("float.onnx")
        export_onnx(network, whole, {**extra["model_file"], "free_size": False})
        quantize_model(whole, int8, calibration_tiles(EXAMPLES, 32, extra["model_file"]["tile"]))
    print(f"\nbytes: float {bundled_path().stat().st_size}, int8 {int8.stat().st_size}")
    return {
        f"{runtime} {name}": open_session(path, runtime, THREADS)
        for runtime in ("onnx", "openvino")
        for name, path in (("float", bundled_path()), ("int8", int8))
    }


def test_speed(benchmark, sessions):
    side = sessions["onnx int8"].info.tile  # an int8 graph takes no other size
    tile = cut(load(EXAMPLES / "pagoda.jpg"), 0, 0, side)
    inputs = (tile.image, tile.coefficients, tile.table)
    times = defaultdict(list)

    def one_round():
        for name, session in sessions.items():
            wall, processor = perf_counter(), process_time()
            session(*inputs)
            times[name].append((1000 * (perf_counter() - wall), 1000 * (process_time() - processor)))

    benchmark.pedantic(one_round, rounds=20, warmup_rounds=2)
    for clock, name in enumerate(("wall clock", "processor time")):
        taken = {session: [round_[clock] for round_ in rounds[2:]] for session, rounds in times.items()}
        base = taken["onnx float"]
        print(f"\n{side}x{side}, 2 threads, {name}: ms (min, median), times as fast as onnx float (by min, by median)")
        for session, own in taken.items():
            best, middle = min(own), median(own)
            print(f"{session:16} {best:6.0f} {middle:6.0f}  {min(base) / best:5.2f} {median(base) / middle:5.2f}")


@pytest.mark.skipif(not (TILES / "pool.json").is_file(), reason="no tile cache; OMNI_IML_TILES names one")
def test_accuracy(benchmark, sessions):
    """Synthetic validation samples, as large as an int8 graph's tile; masks are cut at 0.5, padding is left out."""
    side = sessions["onnx int8"].info.tile
    pool = TilePool(TILES)
    figures = defaultdict(lambda: defaultdict(list))

    def one_sample(sample):
        valid = sample.mask != 255
        inputs = (sample.image[None], sample.coefficients[None], sample.table[None])
        outputs = {name: session(*inputs) for name, session in sessions.items()}
        maps = {name: np.where(valid, sigmoid(output.mask[0, 0]), 0) for name, output in outputs.items()}
        whole, exact = maps["onnx float"], outputs["onnx float"]
        for name, probability in maps.items():
            difference = np.abs(probability - whole)
            figures[name]["difference"].append(float(difference.mean()))
            figures[name]["largest difference"].append(float(difference.max()))
            figures[name]["image logit"].append(float(np.abs(outputs[name].image - exact.image)[0]))
            figures[name]["gates that changed"].append(float((outputs[name].gate[0] >= 0) != (exact.gate[0] >= 0)))
            if (whole > 0.5).any() or (probability > 0.5).any():
                counts = count_pixels(probability > 0.5, (whole > 0.5).astype(np.uint8))
                figures[name]["IoU with onnx float"].append(float(iou(counts)[0]))
            if (sample.mask == 1).any():
                counts = count_pixels(probability > 0.5, sample.mask)
                figures[name]["IoU with truth"].append(float(iou(counts)[0]))

    def all_samples():
        for domain in DOMAINS:
            config = replace(SynthesisConfig(authentic=0.25), size=side, domains={domain: 1.0})
            engine = Engine(pool, "validation", config, 20_263)
            for index in range(SAMPLES):
                one_sample(engine(index))

    benchmark.pedantic(all_samples, rounds=1)
    print()
    for name, columns in figures.items():
        largest = max(columns.pop("largest difference"))
        print(
            f"{name:16}",
            *(f"{column} {np.nanmean(values):.4f} ({len(values)})" for column, values in columns.items()),
            f"largest difference {largest:.2f}",
        )
