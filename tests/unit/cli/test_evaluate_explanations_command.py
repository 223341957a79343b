from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from chat_server import ChatServer
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
        (["--vectors", "model:missing"], "no such folder of an encoder"),
        (["--robust"], "--out"),
        (["--mllm", "endpoint:http://127.0.0.1:1"], "with --robust"),
        (["--no-ocr"], "explains anew"),
        (["--model", "mine.onnx"], "explains anew"),
        (["--robust", "--ocr", "--mllm", "endpoint:http://127.0.0.1:1"], "leave one out"),
        (["--spell-form", "--query", "plain"], "--query, --spell-form: no multimodal model is asked"),
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


def test_robust_asks_the_model_that_is_named_about_every_view(truth, tmp_path, tiny_model, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "pictures").mkdir()
    pixels = np.random.default_rng(0).integers(60, 110, (96, 128, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "pictures" / "a.jpg", quality=95)
    common = (tmp_path / "pictures", truth, "--robust", "--out", tmp_path / "out", "--model", tiny_model)
    with ChatServer() as server:
        server.says = json.dumps([ITEM])
        asking = ("--mllm", f"endpoint:{server.url}", "--vectors", "counts", "--label", "mine")
        server.faults.extend(["", "400", "refusal"])  # what was refused is an answer and scores 0
        result = run(*common, *asking)
        assert result.exit_code == 0, result.output
        assert len(server.requests) == 7
        assert "tampered natural image" in server.requests[0]["messages"][0]["content"][0]["text"]
        assert run(*common, *asking).exit_code == 0
        assert len(server.requests) == 7  # nothing is asked twice
        other = run(*common, *asking, "--query", "plain")
        assert other.exit_code == 2
        assert "was asked otherwise (query)" in other.output
    scores = json.loads((tmp_path / "out/scores.json").read_text("utf-8"))["views"]
    assert len(scores) == 7
    means = {name: view["whole_string"]["average"]["mean"] for name, view in scores.items()}
    assert sorted(means.values())[1:3] == [0, 1]
    assert means["none"] == pytest.approx(1)
    measured = run(*common)
    assert measured.exit_code == 2
    assert "mllm" in measured.output
