"""`omni-iml inspect` with the bundled weights on an example picture, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omni_iml.inference.detector import Detector

pytest.importorskip("torch")

PORTRAIT = Path(__file__).resolve().parents[2] / "examples" / "portrait.jpg"


def test_a_real_picture(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "omni_iml.cli", "inspect", "bundled", str(PORTRAIT), "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    folder = tmp_path / "portrait.jpg.inspect"
    assert run.stdout == f"{folder}\n"
    assert "vision" in run.stderr
    report = json.loads((folder / "inspect.json").read_text(encoding="utf-8"))
    (tile,) = report["tiles"]
    detection = Detector(runtime="onnx").detect(PORTRAIT)  # the shipped graph, which holds the same weights
    assert report["gate_probability"] == pytest.approx(detection.gate_probability, abs=5e-3)
    assert report["modality"] == detection.modality
    assert tile["image_logit"] == pytest.approx(detection.tiles[0].image_logit, abs=0.05)
    with np.load(folder / "picture.npz") as stored:
        assert np.abs(stored["probability"] - detection.probability).mean() < 5e-3
    with np.load(folder / "tile-000.npz") as stored:
        chosen = "rgb" if report["modality"] == "vision" else "fused"
        assert np.array_equal(stored["e2"], stored[chosen])
        assert stored["e3_enhanced"].shape == (1, 160, 32, 32)
    with Image.open(folder / "tile-000" / "e3_enhanced.deviation.png") as picture:
        assert picture.size == (512, 512)
