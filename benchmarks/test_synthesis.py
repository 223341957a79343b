"""How many training samples a second one process makes.

    make bench        # or: pytest benchmarks/test_synthesis.py --benchmark-only -s

Generated pictures of 640x640 pixels, half of them photograph-like and half pages of text; one thread. The figure to
compare with is what a training step takes: samples must not be what it waits for. Nothing is asserted of times.
"""

from __future__ import annotations

from itertools import count

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from omni_iml.data.dataset import collate
from omni_iml.data.synthesis import Engine, SynthesisConfig
from omni_iml.data.tile_cache import build_cache

SIDE = 640
SAMPLES = 20
"""Samples of a round: enough to hold most operations and histories."""


def photograph(rng: np.random.Generator) -> Image.Image:
    field = cv2.resize(rng.uniform(0, 255, (24, 24, 3)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return Image.fromarray(np.clip(field + rng.normal(0, 8, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8))


def page(rng: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", (SIDE, SIDE), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(20)
    for y in range(10, SIDE - 20, 28):
        draw.text((12, y), " ".join(str(number) for number in rng.integers(0, 10**6, 8)), "black", font)
    return image


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for domain, draw in (("natural", photograph), ("document", page)):
        folder = root / "source" / domain / "generated"
        folder.mkdir(parents=True)
        for number in range(12):
            draw(rng).save(folder / f"{number}.jpg", quality=92)
    return build_cache(root, tmp_path_factory.mktemp("tiles"))


@pytest.fixture(autouse=True)
def _one_thread():
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.mark.benchmark(group="synthesis, one thread")
@pytest.mark.parametrize("size", [128, 256, 512])
def test_samples(benchmark, pool, size):
    engine = Engine(pool, "train", SynthesisConfig(size=size, domains={"natural": 0.5, "document": 0.5}), 1)
    indices = count()

    def one_round():
        return collate([engine(next(indices)) for _ in range(SAMPLES)])

    benchmark.pedantic(one_round, rounds=5, warmup_rounds=1)
    rate = SAMPLES / benchmark.stats.stats.median
    benchmark.extra_info["samples a second"] = round(rate, 1)
    print(f"\n{size}x{size}: {rate:.0f} samples a second")
