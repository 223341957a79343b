"""The benchmark command on a set in miniature: it runs, keeps, goes on, and writes the page."""

import json

import numpy as np
import pytest
from PIL import Image

from omni_iml.evaluation import benchmarks
from omni_iml.evaluation.benchmarks_page import BEGIN, END


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with a page, and two pictures to score."""
    rng = np.random.default_rng(4)
    for folder in ("images", "masks"):
        (tmp_path / "set" / folder).mkdir(parents=True)
    for name in ("a", "b"):
        Image.fromarray(rng.integers(0, 256, (64, 80, 3), np.uint8)).save(tmp_path / "set" / "images" / f"{name}.png")
        mask = np.zeros((64, 80), np.uint8)
        mask[10:30, 10:40] = 255
        Image.fromarray(mask).save(tmp_path / "set" / "masks" / f"{name}.png")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "benchmarks.md").write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_command_scores_keeps_and_writes_the_page(place):
    arguments = ["--data", f"tiny={place / 'set'}", "--work", "runs", "--method", "error-level"]
    benchmarks.main(arguments)
    journal = place / "runs" / "error-level" / "journal.jsonl"
    before = journal.read_bytes()
    page = (place / "docs" / "benchmarks.md").read_text()
    assert "**tiny**" in page
    assert "| error-level | 2 / 0 |" in page
    kept = json.loads((place / "benchmarks" / "results" / "error-level.json").read_text())
    assert str(place) not in json.dumps(kept)
    benchmarks.main(arguments)
    assert journal.read_bytes() == before, "what was scored is not scored again"


def test_the_bundled_model_begins_anew_when_its_bytes_change(place):
    run = benchmarks.measure("bundled", [f"tiny={place / 'set'}"], place / "runs", limit=1)
    about = json.loads((run / "scores.json").read_text())["about"]
    assert run.name == f"bundled-{about['sha256'][:8]}"
    assert about["limit"] == 1


def test_without_data_only_the_page_is_written(place):
    benchmarks.keep("error-level", benchmarks.measure("error-level", [f"tiny={place / 'set'}"], place / "runs"))
    benchmarks.main([])
    assert "| error-level |" in (place / "docs" / "benchmarks.md").read_text()
