from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from omni_iml.cli import app

ITEM = {
    "Tampered Region": "A dog",
    "Absolute Position": "Center of the image",
    "Relative Position": "On the lawn",
    "Artifacts": {"Edge": "A halo runs around it"},
}


def run(*arguments):
    return CliRunner().invoke(app, ["evaluate-explanations", *map(str, arguments)])


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / "truth.jsonl"
    row = {"image": "a.jpg", "source": "set", "domain": "natural", "instances": [ITEM]}
    path.write_text(json.dumps(row) + "\n", "utf-8")
    return path


@pytest.fixture
def said(tmp_path):
    path = tmp_path / "said.jsonl"
    path.write_text(json.dumps({"image": "a.jpg", "output": json.dumps([ITEM])}) + "\n", "utf-8")
    return path


def test_scores_and_tables(truth, said, tmp_path):
    result = run(said, truth, "--out", tmp_path / "out", "--vectors", "counts", "--label", "mine")
    assert result.exit_code == 0, result.output
    assert "C-T11" in result.output
    scores = json.loads((tmp_path / "out/scores.json").read_text("utf-8"))
    assert scores["views"]["none"]["whole_string"]["average"]["mean"] == pytest.approx(1)
    assert "word counts" in scores["views"]["none"]["cosine_vectors"]


def test_a_bad_line_is_said_and_counted(truth, said):
    said.write_text(said.read_text("utf-8") + "{\n", "utf-8")
    result = run(said, truth)
    assert result.exit_code == 1
    assert "line 2: is not JSON" in result.output
    assert "1 rows or pictures could not be read" in result.output
    assert "C-T6" in result.output


@pytest.mark.parametrize(
    ("options", "said_of_it"),
    [
        (["--vectors", "missing.vec"], "cannot be read"),
        (["--robust"], "--out"),
    ],
)
def test_wrong_usage(truth, said, options, said_of_it):
    result = run(said, truth, *options)
    assert result.exit_code == 2
    assert said_of_it in result.output


def test_names_that_do_not_meet(truth, said):
    said.write_text('{"image": "z.jpg", "output": "x"}\n', "utf-8")
    assert "check the names" in run(said, truth).output
    truth.write_text("", "utf-8")
    assert "holds no row" in run(said, truth).output


def test_robust_names_the_pictures_that_are_missing(truth, tmp_path):
    (tmp_path / "pictures").mkdir()
    result = run(tmp_path / "pictures", truth, "--robust", "--out", tmp_path / "out")
    assert "no picture of this name" in result.output
    assert result.exit_code == 2
