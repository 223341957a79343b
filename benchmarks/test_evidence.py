"""Time of all measurements of three regions of a picture of one million pixels, reading of text apart.

OMP_NUM_THREADS=1 pytest benchmarks/test_evidence.py --benchmark-only --benchmark-timer=time.process_time

counts processor time, which other programs on the machine change little; without the last option, seconds on the clock.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from omni_iml.evidence.measures import measure_regions
from omni_iml.explain.explaining import explain_image
from omni_iml.inference.detector import Detector
from omni_iml.io import load


@pytest.fixture(scope="module")
def case():
    """The picture, and the masks of three regions."""
    rng = np.random.default_rng(0)
    canvas = np.full((864, 1160, 3), 128, np.uint8)
    for _ in range(3000):
        centre, axes = rng.integers(0, 1160, 2).tolist(), rng.integers(3, 30, 2).tolist()
        cv2.ellipse(canvas, centre, axes, int(rng.integers(180)), 0, 360, rng.integers(40, 215, 3).tolist(), -1)
    noisy = np.clip(canvas + rng.normal(0, 3, canvas.shape), 0, 255).astype(np.uint8)
    noisy[500:620, 700:860] = noisy[100:220, 200:360]  # one of them a copy: the search for twins runs to its end
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "JPEG", quality=90)
    masks = []
    for x0, y0, x1, y1 in ((700, 500, 860, 620), (100, 400, 180, 440), (300, 650, 600, 800)):
        mask = np.zeros((864, 1160), bool)
        mask[y0:y1, x0:x1] = True
        masks.append(mask)
    return buffer.getvalue(), masks


def test_three_regions_of_a_million_pixels(benchmark, case):
    image, masks = load(case[0]), case[1]
    found = benchmark.pedantic(measure_regions, (image, masks), rounds=5, warmup_rounds=1)
    assert any(one.name == "copy_move" and one.is_finding for one in found[0])


def test_detection_and_three_regions(benchmark, case):
    # What `omni-iml explain --no-ocr` does of one picture, but for the files it writes. The model finds what it finds:
    # the three regions are measured in any case.
    detector, mask = Detector(), np.any(case[1], axis=0)

    def detect_and_explain():
        image = load(case[0])
        return explain_image(image, mask, detector.analyse(image))

    explanation = benchmark.pedantic(detect_and_explain, rounds=3, warmup_rounds=1)
    assert len(explanation.regions) == 3
