"""``omni-iml annotate`` from end to end, against a server that speaks the OpenAI protocol."""

from __future__ import annotations

import json
import pickle
import re
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
from omni_iml.mllm import Reply, opening
from omni_iml.mllm.opening import Opening

sys.path.append(str(Path(__file__).parents[1] / "annotate"))
from chat_server import ChatServer
from tiny_mllms import build

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
        (["run", "list.csv", "--work", "w", "--mllm", "m"], "--mllm m: is no model in this process"),
        (["run", "list.csv", "--work", "w", "--mllm", "endpoint:http://a"], "--annotator openai with --base-url"),
        (
            ["run", "list.csv", "--work", "w", "--mllm", "local:m", "--annotator", "evidence"],
            "leave one of the two out",
        ),
        (["run", "list.csv", "--work", "w", "--mllm", "local:m", "--base-url", "http://a"], "--base-url names another"),
        (["run", "list.csv", "--work", "w", "--mllm", "local:m", "--batch"], "local:m has no batches"),
        (["run", "list.csv", "--work", "w", "--mllm", "local:m", "--bits", "3"], "quantized to 4 or 8 bits"),
        (["run", "list.csv", "--work", "w", "--bits", "4"], "are for --mllm"),
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


class Wordy:
    """A model that answers everything in words."""

    backend = "local"
    model = "wordy"

    def reply(self, query):
        assert "Answer with one JSON object" in query.text
        return Reply("A cat.", "stop", 50, 3)


def test_a_local_model_is_opened_as_asked_and_each_question_asked_once(listed, monkeypatch):
    opened = []

    def open_model(name, how):
        opened.append((name, how))
        return Wordy()

    monkeypatch.setattr(opening, "open_model", open_model)
    options = ["--mllm", "local:m", "--model", "mine", "--adapter", "lora", "--dtype", "float16", "--bits", "4"]
    options += [
        "--device-map",
        "cpu",
        "--timeout",
        "9",
        "--max-tokens",
        "20",
        "--max-side",
        "70",
        "--price-out",
        "1000",
    ]
    result = annotate("run", listed, "--work", listed.parent / "work", *options)
    expected = Opening("mine", 9.0, 20, 70, dtype="float16", bits=4, device_map="cpu", adapter="lora")
    assert opened == [("local:m", expected)]
    assert result.exit_code == 1
    assert "a.png, instance 0, recognise: the answer is not in the form" in result.stderr
    assert "questions: 2 unusable; 100 tokens in, 6 out; cost 0.0060" in result.stdout


def test_a_dry_run_of_a_local_model_shows_the_form_and_opens_nothing(listed):
    work = listed.parent / "work"
    plain = annotate("run", listed, "--work", work, "--dry-run")
    result = annotate("run", listed, "--work", work, "--mllm", "local:nowhere", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.count("Answer with one JSON object that fits this JSON Schema") == 3
    assert "Answer with one JSON object" not in plain.stdout
    assert "6 questions" in result.stdout
    assert "cost at most 0.00." in result.stdout
    assert not work.exists()
    said = [int(each.stdout.split("about ")[1].split(" tokens")[0].replace(",", "")) for each in (plain, result)]
    assert said[1] > said[0] + 6 * 50


EXAMPLES = Path(__file__).parents[3] / "examples"


def example(folder, name):
    """The list of the examples with one of them."""
    head, *lines = (EXAMPLES / "annotate.csv").read_text(encoding="utf-8").splitlines()
    chosen = [line for line in lines if line.startswith(name)]
    placed = [line.replace(f"{name}.jpg,..", f"{EXAMPLES}/{name}.jpg,{EXAMPLES}/..") for line in chosen]
    (folder / "list.csv").write_text("\n".join([head, *placed]), encoding="utf-8")
    return folder / "list.csv"


def test_measured_findings_are_a_valid_data_set_offline(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)  # whoever asks the network for something fails
    assert annotate("run", example(tmp_path, "portrait"), "--work", tmp_path / "work").exit_code == 0
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


@pytest.mark.slow  # for importing torch and transformers
def test_a_random_local_model_ends_with_counted_and_named_failures(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    folder = build("qwen2_5_vl", tmp_path / "tiny", ["What is in the picture?"])
    monkeypatch.setattr(socket, "socket", None)  # whoever asks the network for something fails
    work, listed = tmp_path / "work", example(tmp_path, "meadow")
    options = ["--mllm", f"local:{folder}", "--model", "random", "--max-tokens", "16", "--max-side", "96"]
    result = annotate("run", listed, "--work", work, *options)
    assert result.exit_code == 1
    assert "meadow.jpg, instance 0, recognise: the answer" in result.stderr
    assert "split: 1 done" in result.stdout
    assert "recognise: 1 failed" in result.stdout
    counted = re.search(r"questions: 1 unusable; ([\d,]+) tokens in, (\d+) out; cost 0.0000", result.stdout)
    assert counted
    assert int(counted[1].replace(",", "")) > 100
    assert 0 < int(counted[2]) <= 16
    assert "0 of 1 pictures finished, 1 steps failed." in result.stdout
    other = annotate("run", listed, "--work", work, *options, "--model", "other")
    assert other.exit_code == 2
    assert "random" in other.stderr
    nowhere = annotate("run", listed, "--work", tmp_path / "second", "--mllm", f"local:{tmp_path / 'nowhere'}")
    assert nowhere.exit_code == 2
    assert "nowhere: there is no such folder of a model" in nowhere.stderr
