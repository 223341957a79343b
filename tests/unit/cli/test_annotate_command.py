"""``omni-iml annotate`` from end to end, against a server that speaks the OpenAI protocol."""

from __future__ import annotations

import json
import pickle
import socket
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from omni_iml import cli
from omni_iml.annotate import Annotation
from omni_iml.annotate.examination import hedges

sys.path.append(str(Path(__file__).parents[1] / "annotate"))
from chat_server import ChatServer

RUNNER = CliRunner()
KEY = "sk-secret-of-the-test"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with ChatServer() as running:
        yield running


@pytest.fixture
def listed(tmp_path):
    lines = ["image,mask,domain,source"]
    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((60, 60, 3), 90, np.uint8))
        mask = np.zeros((60, 60), np.uint8)
        mask[5:20, 5:20] = 255
        cv2.imwrite(str(tmp_path / f"{name}.mask.png"), mask)
        lines.append(f"{name}.png,{name}.mask.png,natural,mine")
    path = tmp_path / "list.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def annotate(*arguments):
    return RUNNER.invoke(cli.app, ["annotate", *map(str, arguments)])


def run(listed, server, *more):
    work = listed.parent / "work"
    return work, annotate(
        "run", listed, "--work", work, "--annotator", "openai", "--model", "m", "--base-url", server.url, *more
    )


def test_run_status_export_and_stats(server, listed, tmp_path):
    server.faults.append("refusal")
    work, result = run(listed, server, "--concurrency", "1", "--price-in", "10", "--price-out", "10")
    assert result.exit_code == 1
    assert "a.png, instance 0, recognise: the model declined" in result.stderr
    assert "1 of 2 pictures finished, 1 steps failed." in result.stdout
    assert "cost 0.0440" in result.stdout
    status = annotate("status", work)
    assert "recognise: 1 done, 1 failed" in status.stdout
    assert annotate("retry", work).stdout == "1 failed steps wait again.\n"
    assert run(listed, server)[1].exit_code == 0
    out = tmp_path / "rows.jsonl"
    assert annotate("export", work, out).exit_code == 0
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["image"] for row in rows] == ["a.png", "b.png"]
    assert rows[0]["provenance"]["prompts"]["examine_natural"]
    assert "| natural | 2 | 126,366 |" in annotate("stats", out).stdout
    assert annotate("stats", work).stdout == annotate("stats", out).stdout
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_a_wrong_key_stops_at_once_and_is_not_shown(server, listed, debug):
    server.faults.extend(["401"] * 9)
    _, result = run(listed, server, *debug)
    assert result.exit_code == 1
    assert "check key, model and address" in result.stderr
    assert KEY not in result.output
    assert len(server.requests) <= 4


def test_batches(server, listed):
    _, result = run(listed, server, "--batch", "--poll", "0.01")
    assert result.exit_code == 0
    assert len(server.batches) == 3


def test_a_dry_run_prints_prompts_and_cost_and_asks_nothing(server, listed):
    work, result = run(listed, server, "--dry-run", "--price-out", "10")
    assert result.exit_code == 0
    assert "--- describe_natural ---\nYou are an expert" in result.stdout
    assert "2 pictures, 0 of them unusable; 6 questions" in result.stdout
    assert "cost at most 0.09." in result.stdout
    assert server.requests == []
    assert not work.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "list.csv", "--work", "w", "--annotator", "openai"], "needs --model"),
        (["run", "list.csv", "--work", "w", "--budget", "1"], "needs prices"),
        (["run", "list.csv", "--work", "w", "--batch"], "has no batches"),
        (["run", ".", "--work", "w"], "needs --masks and --domain"),
        (["run", "none.csv", "--work", "w", "--masks", ".", "--domain", "face"], "no such folder"),
        (["status", "nowhere"], "no work directory"),
        (["stats", "a.txt"], "neither .jsonl nor .parquet"),
        (["convert", "own.json", "--out", "o.jsonl"], "say its domain"),
    ],
)
def test_wrong_usage(listed, monkeypatch, arguments, said):
    monkeypatch.chdir(listed.parent)
    Path("own.json").write_text("{}")
    result = annotate(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_convert_joins_and_names_what_is_wrong(tmp_path, listed):
    good = {
        "Tampered Region": "A cat",
        "Absolute Position": "Center of the image.",
        "Relative Position": "On a mat",
        "Artifacts": {},
    }
    (tmp_path / "MIML.pkl").write_bytes(pickle.dumps({"a.jpg": [good], "z.jpg": [good], "b.jpg": [{**good, "x": 1}]}))
    out = tmp_path / "rows.parquet"
    result = annotate("convert", tmp_path / "MIML.pkl", "--out", out, "--images", tmp_path)
    assert result.exit_code == 1
    assert "entry 3 ('b.jpg'): instances[0].x: extra inputs are not permitted" in result.stderr
    assert "z.jpg: has no picture" in result.stderr
    assert "2 rows, 2 problems." in result.stderr
    assert "| natural | 2 |" in annotate("stats", out).stdout


EXAMPLES = Path(__file__).parents[3] / "examples"


def test_measured_findings_are_a_valid_data_set_offline(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)  # whoever asks the network for something fails
    head, *lines = (EXAMPLES / "annotate.csv").read_text(encoding="utf-8").splitlines()
    chosen = [line for line in lines if line.startswith("portrait")]
    placed = [line.replace("portrait.jpg,..", f"{EXAMPLES}/portrait.jpg,{EXAMPLES}/..") for line in chosen]
    (tmp_path / "list.csv").write_text("\n".join([head, *placed]), encoding="utf-8")
    assert annotate("run", tmp_path / "list.csv", "--work", tmp_path / "work").exit_code == 0
    out = tmp_path / "rows.parquet"
    assert annotate("export", tmp_path / "work", out).exit_code == 0
    assert "| face | 1 |" in annotate("stats", out).stdout


@pytest.mark.slow
def test_the_examples_with_their_true_masks_become_a_valid_data_set_offline(tmp_path):
    work, out = tmp_path / "work", tmp_path / "rows.jsonl"
    assert annotate("run", EXAMPLES / "annotate.csv", "--work", work).exit_code == 0
    assert annotate("export", work, out).exit_code == 0
    rows = [Annotation.model_validate_json(line) for line in out.read_text("utf-8").splitlines()]
    assert [row.image for row in rows] == ["bowl.jpg", "meadow.jpg", "receipt.jpg", "portrait.jpg", "doorplate.jpg"]
    assert [len(row.instances) for row in rows] == [1, 1, 2, 1, 1]
    assert rows[2].instances[1].relative_position == "TOTAL EUR 88.40"
    assert [bool(row.instances[0].artifacts) for row in rows if row.domain in ("natural", "face")] == [True] * 3
    assert not any(hedges(text) for row in rows for each in row.instances for text in each.artifacts.values())
