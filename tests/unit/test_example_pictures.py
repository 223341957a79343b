"""The example pictures: complete, small, credited, with masks that fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "examples"
MASKS = ROOT / "examples-truth"
if not MASKS.is_dir():
    pytest.skip("the masks of the examples are not part of this source distribution", allow_module_level=True)
ENTRIES = json.loads((PICTURES / "truth.json").read_text(encoding="utf-8"))["pictures"]
TAMPERED = [entry for entry in ENTRIES if entry["label"] == "tampered"]
AUTHENTIC = [entry for entry in ENTRIES if entry["label"] == "authentic"]


def name(entry: dict) -> str:
    return entry["file"]


def test_every_domain_has_a_tampered_picture_and_two_have_an_authentic_one() -> None:
    assert {entry["domain"] for entry in TAMPERED} == {"natural", "document", "face", "scene_text"}
    assert {entry["domain"] for entry in AUTHENTIC} >= {"natural", "document"}
    assert len(TAMPERED) + len(AUTHENTIC) == len(ENTRIES) >= 6


def test_the_list_names_exactly_the_files_that_are_there() -> None:
    assert {entry["file"] for entry in ENTRIES} == {file.name for file in PICTURES.glob("*.jpg")}
    assert {entry["mask"] for entry in TAMPERED} == {file.name for file in MASKS.iterdir()}
    assert all(entry["mask"] is None for entry in AUTHENTIC)


def test_only_the_pictures_lie_where_detect_looks() -> None:
    others = [file for file in PICTURES.rglob("*") if file.suffix.lower() in {".png", ".webp", ".tif", ".bmp", ".gif"}]
    assert others == []


@pytest.mark.parametrize("entry", ENTRIES, ids=name)
def test_a_picture_is_a_small_jpeg_with_source_and_licence(entry: dict) -> None:
    file = PICTURES / entry["file"]
    with Image.open(file) as picture:
        assert picture.format == "JPEG"
        assert 500 <= max(picture.size) <= 1100
    assert file.stat().st_size < 250_000
    assert entry["sources"]
    assert all(entry[key] for key in ("licence", "history", "edit"))
    assert entry["file"] in (PICTURES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("entry", TAMPERED, ids=name)
def test_a_mask_is_black_and_white_and_as_large_as_its_picture(entry: dict) -> None:
    with Image.open(PICTURES / entry["file"]) as picture, Image.open(MASKS / entry["mask"]) as mask:
        assert mask.format == "PNG"
        assert mask.size == picture.size
        values = np.asarray(mask)
    assert set(np.unique(values)) == {0, 255}
    assert 0.002 < (values > 0).mean() < 0.35
