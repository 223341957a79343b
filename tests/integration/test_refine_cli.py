from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.explain.refine.refining import refinement_schema

EXAMPLES = Path(__file__).parents[2] / "examples"
TRUTH = EXAMPLES.parent / "examples-truth"


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.slow
def test_a_rough_mask_snaps_to_the_text_that_the_explanation_names(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    code, _, error = run("explain", EXAMPLES / "receipt.jpg", "--masks", TRUTH, "--ocr", "--out", tmp_path / "r", "-q")
    assert code == 0, error
    with Image.open(TRUTH / "receipt.jpg.mask.png") as picture:
        truth = np.asarray(picture.convert("L")) > 127
    rough = np.zeros_like(truth)
    rows, columns = np.nonzero(truth[:400])  # the date, the upper one of two regions
    rough[rows.min() - 8 : rows.max() + 9, columns.min() - 25 : columns.max() + 26] = True
    Image.fromarray(rough).save(tmp_path / "r" / "receipt.jpg.mask.png")
    code, out, error = run(
        "refine", EXAMPLES / "receipt.jpg", "--results", tmp_path / "r", "--truth", TRUTH, "--domain", "document",
        "--out", tmp_path / "o", "--json",
    )  # fmt: skip
    assert code == 0, error
    told = json.loads(out)
    jsonschema.validate(told, refinement_schema())
    assert told["changes"][0]["kind"] == "snapped"
    assert told["iou_after"] > told["iou_before"] + 0.1
    assert "before" in error
    assert json.loads((tmp_path / "o" / "receipt.jpg.refinement.json").read_text("utf-8")) == told
    with Image.open(tmp_path / "o" / "receipt.jpg.mask.png") as picture:
        assert np.count_nonzero(np.asarray(picture)) == told["pixels_after"]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    (tmp_path / "r").mkdir()
    common = ("refine", EXAMPLES / "receipt.jpg", "--domain", "document")
    code, _, error = run(*common, "--results", tmp_path / "r", "--out", tmp_path / "o")
    assert code == 1
    assert "receipt.jpg.explanation.json: the explanation cannot be read" in error
    assert run(*common, "--results", tmp_path / "r", "--out", tmp_path / "r")[0] == 2
    assert run(*common, "--results", tmp_path / "nowhere", "--out", tmp_path / "o")[0] == 2


def test_a_mask_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    (tmp_path / "r").mkdir()
    (tmp_path / "o").mkdir()
    mine = tmp_path / "o" / "receipt.jpg.mask.png"
    mine.write_bytes(b"drawn by hand")
    common = ("refine", EXAMPLES / "receipt.jpg", "--domain", "document")
    code, _, error = run(*common, "--results", tmp_path / "r", "--out", tmp_path / "o")
    assert code == 1
    assert f"receipt.jpg: its results would replace {mine}, which is no result of ours; name another --out" in error
    assert mine.read_bytes() == b"drawn by hand"
