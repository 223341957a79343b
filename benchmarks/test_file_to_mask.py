"""File to mask: how long, against what, and where the time goes.

    make bench        # or: pytest benchmarks/test_file_to_mask.py --benchmark-only

The figures of a group are comparable with each other (one run, one machine, two threads); pytest-benchmark prints the
ratios to the fastest in brackets. Nothing is asserted of times.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from omni_iml import Detector
from omni_iml.inference.session import open_session
from omni_iml.inference.tiles import cut
from omni_iml.io import load
from omni_iml.io.jpeg import read_trace

THREADS = 2
EXAMPLE = Path(__file__).parents[1] / "examples" / "pagoda.jpg"


def jpeg(folder: Path, height: int, width: int) -> Path:
    """A real photograph tiled to the size and saved as JPEG, quality 90."""
    with Image.open(EXAMPLE) as image:
        pixels = np.asarray(image.convert("RGB"))
    repeats = (-(-height // pixels.shape[0]), -(-width // pixels.shape[1]), 1)
    path = folder / f"{width}x{height}.jpg"
    Image.fromarray(np.tile(pixels, repeats)[:height, :width]).save(path, quality=90)
    return path


@pytest.fixture(scope="module")
def square(tmp_path_factory):
    return jpeg(tmp_path_factory.mktemp("square"), 512, 512)


@pytest.fixture(scope="module")
def tile(square):
    return cut(load(square), 0, 0, 512)


@pytest.fixture(autouse=True)
def _two_threads():
    torch.set_num_threads(THREADS)


@pytest.mark.benchmark(group="512x512, 2 threads")
def test_file_to_mask_onnx(benchmark, square):
    detector = Detector(threads=THREADS)
    found = benchmark.pedantic(detector.detect, (square,), rounds=10, warmup_rounds=2)
    benchmark.extra_info.update({step: round(ms, 1) for step, ms in found.timing_ms.items()})
    print("\nmilliseconds by step:", {step: round(ms, 1) for step, ms in found.timing_ms.items()})


@pytest.mark.benchmark(group="512x512, 2 threads")
def test_file_to_mask_torch_eager(benchmark, square):
    detector = Detector(runtime="torch", threads=THREADS)
    benchmark.pedantic(detector.detect, (square,), rounds=10, warmup_rounds=2)


@pytest.mark.benchmark(group="512x512, 2 threads")
def test_plain_convnext_pico_torch_eager(benchmark):
    network = timm.create_model("convnext_pico", num_classes=0).eval()
    picture = torch.zeros(1, 3, 512, 512)

    @torch.inference_mode()
    def forward():
        return network.forward_features(picture)

    benchmark.pedantic(forward, rounds=10, warmup_rounds=2)


@pytest.mark.benchmark(group="where the time goes, 512x512")
def test_decode_and_coefficients(benchmark, square):
    benchmark.pedantic(load, (square,), rounds=20, warmup_rounds=2)


@pytest.mark.benchmark(group="where the time goes, 512x512")
def test_coefficients_alone(benchmark, square):
    benchmark.pedantic(read_trace, (square.read_bytes(),), rounds=20, warmup_rounds=2)


@pytest.mark.benchmark(group="where the time goes, 512x512")
def test_session_alone(benchmark, tile):
    session = open_session(threads=THREADS)
    benchmark.pedantic(session, (tile.image, tile.coefficients, tile.table), rounds=10, warmup_rounds=2)


@pytest.mark.benchmark(group="12 Mpx, 2 threads")
def test_twelve_megapixels(benchmark, tmp_path):
    detector = Detector(threads=THREADS)
    path = jpeg(tmp_path, 3000, 4000)
    found = benchmark.pedantic(detector.detect, (path,), rounds=1, warmup_rounds=0)
    print(
        "\nmilliseconds by step:", {step: round(ms) for step, ms in found.timing_ms.items()}, len(found.tiles), "tiles"
    )
