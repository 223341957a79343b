from __future__ import annotations

import json
import re

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli.score import score

app = typer.Typer()
app.command()(score)


@pytest.fixture
def run(tmp_path):
    def call(files, *options, predictions="pred", truths="truth"):
        for name, rows in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(rows, bytes):
                path.write_bytes(rows)
            else:
                Image.fromarray(np.array(rows, np.uint8)).save(path)
        folders = [str(tmp_path / predictions), str(tmp_path / truths)]
        return CliRunner(env={"COLUMNS": "100", "FORCE_COLOR": ""}).invoke(app, [*folders, *options])

    return call


# One tampered row [255 255 0 0]. The mask calls the first three: IoU 2/3, P 2/3, R 1, F1 4/5. The heat map ranks one
# tampered pixel first and ties the other with both authentic ones: AUC (2 + 2 / 2) / 4.
FILES = {
    "truth/a.png": [[255, 255, 0, 0]],
    "pred/a.jpg.mask.png": [[255, 255, 255, 0]],
    "pred/a.jpg.heatmap.png": [[200, 90, 90, 90]],
    "truth/b.png": [[0, 0, 0, 0]],
    "pred/b.jpg.mask.png": [[255, 0, 0, 0]],
}


def figures(output, heading):
    """The cells of a table row: n, mean, interval."""
    (line,) = [line for line in output.splitlines() if heading in line]
    return [cell.strip() for cell in re.split("[│┃|]", line) if cell.strip()][1:]


def test_table(run):
    result = run(FILES)
    assert result.exit_code == 0, result.output
    assert figures(result.stdout, "IoU") == ["1", "0.6667", "n/a"]
    assert figures(result.stdout, "Precision") == ["1", "0.6667", "n/a"]
    assert figures(result.stdout, "Recall") == ["1", "1.0000", "n/a"]
    assert figures(result.stdout, "F1") == ["1", "0.8000", "n/a"]
    assert figures(result.stdout, "Pixel AUC") == ["1", "0.7500", "n/a"]
    assert figures(result.stdout, "False alarm area") == ["1", "0.2500", "n/a"]
    assert (
        "Scored: 1 tampered. Skipped: 1 authentic (empty truth). Missing predictions: 0. Problems: 0." in result.stdout
    )
    assert result.stderr == ""


def test_table_has_an_interval_with_two_pictures(run):
    files = FILES | {"truth/c.png": [[255, 0]], "pred/c.jpg.mask.png": [[0, 255]]}
    result = run(files)
    assert figures(result.stdout, "IoU") == ["2", "0.3333", "0.0000 to 0.6667"]
    assert "Without pixel AUC: 1 tampered (no heat map, or tampered all over)." in result.stdout


def test_json(run):
    result = run(FILES, "--json")
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    assert data["schema"] == "omni-iml/score/1"
    assert (data["n_tampered"], data["n_authentic_skipped"], data["n_missing"]) == (1, 1, 0)
    assert data["iou"] == {"mean": pytest.approx(2 / 3), "low": None, "high": None, "n": 1, "skipped": 0}
    assert data["auc"]["mean"] == 0.75
    assert data["false_alarm_area"]["mean"] == 0.25
    assert [(p["name"], p["authentic"], p["tp"], p["fp"], p["fn"], p["tn"]) for p in data["pictures"]] == [
        ("a.jpg", False, 2, 1, 0, 1),
        ("b.jpg", True, 0, 1, 0, 3),
    ]
    assert data["pictures"][1]["auc"] is None


def test_threshold_applies_to_heat_maps(run):
    files = {"truth/a.png": [[255, 255, 0, 0]], "pred/a.png": [[200, 90, 90, 0]]}
    assert figures(run(files).stdout, "Recall")[1] == "0.5000"
    assert figures(run(files, "--threshold", "0.3").stdout, "Recall")[1] == "1.0000"


def test_pictures_above_the_pixel_limit_are_named_with_the_option_that_lifts_it(run):
    result = run(FILES, "--max-pixels", "3")
    assert result.exit_code == 1
    assert all("above the limit of 3; raise --max-pixels" in line for line in result.stderr.splitlines())
    assert len(result.stderr.splitlines()) == 2
    assert run(FILES, "--max-pixels", "4").exit_code == 0


@pytest.mark.parametrize(
    ("more", "named", "words"),
    [
        ({"truth/x.png": [[255]]}, "x.png", "no prediction has this name"),
        ({"truth/x.png": [[255]], "pred/x.jpg.mask.png": [[255, 0]]}, "x.jpg.mask.png", "2 x 1 pixels and its truth"),
        ({"truth/x.png": [[200]], "pred/x.jpg.mask.png": [[255]]}, "x.png", "was thresholded"),
        ({"truth/x.png": [[255]], "pred/x.bmp": [[0]], "pred/x.png": [[0]]}, "x.bmp", "match one name"),
        ({"truth/x.png": [[255]], "pred/x.png": b"junk"}, "x.png", "not a picture"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_bad_input_is_one_line_and_exit_1_and_the_rest_is_scored(run, more, named, words, options):
    result = run(FILES | more, *options)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert named in line
    assert words in line
    if options:
        data = json.loads(result.stdout)
        assert data["n_problems"] == len(data["problems"]) == 1
        assert data["problems"][0]["message"] == line
        assert "a.jpg" in [picture["name"] for picture in data["pictures"]]
    else:
        assert "Problems: 1, named on standard error." in result.stdout


def test_missing_predictions_are_counted(run):
    result = run(FILES | {"truth/x.png": [[255]], "truth/y.png": [[0]]})
    assert result.exit_code == 1
    assert "Missing predictions: 2." in result.stdout
    assert len(result.stderr.splitlines()) == 2


def test_extra_predictions_are_told(run):
    result = run(FILES | {"pred/[b]x[/b].jpg.mask.png": [[255]]})
    assert result.exit_code == 0
    assert "Not scored, no truth mask: 1 ([b]x[/b].jpg)." in result.stdout


def test_empty_folder(run, tmp_path):
    (tmp_path / "empty").mkdir()
    result = run(FILES, predictions="empty")
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "no prediction is in this folder" in line


def test_folder_against_itself_is_wrong_usage(run):
    result = run(FILES, predictions="truth")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_unexpected_errors_are_a_sentence_and_exit_3(run, monkeypatch):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("omni_iml.cli.score.score_folders", fail)
    result = run(FILES)
    assert result.exit_code == 3
    assert result.stderr.splitlines() == ["Error: [Errno 28] No space left on device"]
    assert "Traceback" in run(FILES, "--debug").stderr


@pytest.mark.parametrize("options", [["--threshold", "1"], ["--threshold", "nan"], ["--threshold", "-0.1"], ["--no"]])
def test_wrong_options_exit_2(run, options):
    assert run(FILES, *options).exit_code == 2


def test_a_folder_that_is_not_there_exits_2(run):
    assert run(FILES, truths="absent").exit_code == 2
