"""`omni-iml visualize` with the bundled weights on the example pictures, in a process of its own."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from omni_iml.inference.detector import Detector
from omni_iml.metrics import count_pixels, iou
from omni_iml.metrics.pictures import read_gray

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

ROOT = Path(__file__).resolve().parents[2]
PICTURES = {"face": "portrait"}


def test_example_pictures(tmp_path: Path) -> None:
    for domain, name in PICTURES.items():
        for folder in ("images", "masks"):
            (tmp_path / "sets" / domain / folder).mkdir(parents=True)
        shutil.copy(ROOT / "examples" / f"{name}.jpg", tmp_path / "sets" / domain / "images")
        truth = ROOT / "examples-truth" / f"{name}.jpg.mask.png"
        shutil.copy(truth, tmp_path / "sets" / domain / "masks" / f"{name}.png")
    out = tmp_path / "out"
    command = ["visualize", "--data", f"examples={tmp_path / 'sets'}", "--out", str(out), "--each", "1"]
    run = subprocess.run(
        [sys.executable, "-m", "omni_iml.cli", *command],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    paths = [Path(line) for line in run.stdout.splitlines()]
    names = ["gate.csv", "filters.csv", "enhancement.csv", "gate.png", "filters.png", "enhancement.png", "grid.png"]
    assert [path.name for path in paths] == [*names, "visualize.json"]
    assert "vision alone" in run.stderr
    content = json.loads((out / "visualize.json").read_text(encoding="utf-8"))
    detector = Detector(runtime="onnx")  # the shipped graph, which holds the same weights
    for picture in content["pictures"]:
        name = PICTURES[picture["domain"]]
        found = detector.detect(ROOT / "examples" / f"{name}.jpg")
        truth = read_gray(ROOT / "examples-truth" / f"{name}.jpg.mask.png") > 127
        assert picture["key"] == name
        assert picture["gate_probability"] == pytest.approx(found.gate_probability, abs=5e-3)
        assert picture["modality"] == found.modality
        assert picture["iou"] == pytest.approx(float(iou(count_pixels(found.mask, truth))[0]), abs=0.02)
    with (out / "gate.csv").open(encoding="utf-8") as file:
        rows = {(row["by"], row["name"]): row for row in csv.DictReader(file)}
    assert set(rows) == {("domain", d) for d in PICTURES} | {("data set", f"examples/{d}") for d in PICTURES}
    assert rows["domain", "face"]["published"] == "0.9700"
    with Image.open(out / "grid.png") as grid, Image.open(out / "enhancement.png") as enhancement:
        assert grid.width == enhancement.width  # five panels each
        assert grid.height == enhancement.height  # of one picture
