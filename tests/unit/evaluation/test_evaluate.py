"""`omni-iml evaluate` from end to end, on pictures that the tests make."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.evaluation.table import read_parquet

RUNNER = CliRunner()


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8)).save(path)


def replaced(path, array):
    path.unlink()
    np.save(path.with_suffix(".npy"), array)


@pytest.fixture
def data(tmp_path):
    """Six tampered and three authentic pictures of different shapes."""
    rng = np.random.default_rng(1)
    root = tmp_path / "set"
    for index in range(9):
        shape = (40 + 3 * index, 70 - 2 * index)
        folder = "images" if index < 6 else "authentic"
        save(root / folder / f"p{index}.png", rng.integers(0, 256, (*shape, 3)))
        if index < 6:
            mask = np.zeros(shape)
            mask[5:20, 8:30] = 255
            save(root / "masks" / f"p{index}.png", mask)
    return root


@pytest.fixture
def maps(tmp_path, data):
    """Maps that find the right half of every region and nothing else."""
    root = tmp_path / "maps"
    for path in sorted(data.rglob("p*.png")):
        if path.parent.name == "masks":
            continue
        levels = np.full(Image.open(path).size[::-1], 20)
        if path.parent.name == "images":
            levels[5:20, 19:30] = 220
        save(root / f"{path.stem}.png", levels)
    return root


def evaluate(*arguments):
    result = RUNNER.invoke(app, ["evaluate", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def scores_of(out):
    return json.loads((out / "scores.json").read_text())


def test_three_protocols_in_one_run(tmp_path, data, maps):
    out = tmp_path / "out"
    result = evaluate(
        "--data", f"mine={data}", "--predictions", maps, "--out", out, "--protocol", "paper", "--protocol", "benco",
        "--protocol", "clean",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    scores = {score["asked"]: score for score in scores_of(out)["scores"]}
    assert list(scores) == ["paper", "benco", "clean"]
    assert (scores["paper"]["n"], scores["paper"]["n_authentic"], scores["paper"]["n_empty"]) == (9, 3, 0)
    # Half of each region of 15 x 22 is found, nothing else is called.
    assert scores["clean"]["pixel"]["IoU"]["mean"] == 0.5
    assert scores["clean"]["pixel"]["P"]["mean"] == 1.0
    assert scores["clean"]["pixel"]["AUC"]["mean"] == 0.75
    assert scores["paper"]["pixel"]["F1"]["mean"] == pytest.approx(2 / 3, abs=1e-6)
    # Scored at 512 x 512: nearly the same, as the edges are resampled.
    assert scores["benco"]["view"] == "resize-512"
    assert scores["benco"]["pixel"]["IoU"]["mean"] == pytest.approx(0.5, abs=0.03)
    assert scores["clean"]["image_score"] == "maximum"  # the maps came without a score
    assert scores["clean"]["image"]["image AUC"]["mean"] == 1.0
    # Authentic pictures counted as benco's own code counts them: 6 of 9.
    assert scores["benco"]["with_authentic"] == pytest.approx(scores["benco"]["pixel"]["F1"]["mean"] * 6 / 9)
    for name in ("counts.parquet", "tables.md", "tables.tex", "contact.png"):
        assert (out / name).stat().st_size > 0
    assert "benco: pixels" in (out / "tables.md").read_text()
    assert r"\begin{tabular}" in (out / "tables.tex").read_text()
    assert len(read_parquet(out / "counts.parquet")) == 18  # nine pictures in two views


def test_the_papers_table_has_our_row_below_the_published_ones(tmp_path, data, maps):
    out = tmp_path / "out"
    evaluate("--data", f"casia1={data}", "--predictions", maps, "--out", out)
    text = (out / "tables.md").read_text()
    start = text.index("C-T2 natural")
    table = text[start : text.index("Pictures in our row", start) + 80]
    assert "| Ours | 0.800 | 0.538 | 0.540 | 0.662 | 0.538 | 0.612 |" in table
    assert "0.500 | - | - | - | - | 0.500 |" in table
    assert "by its own five cells" in table
    assert "casia1 9" in table


def test_a_model_of_one_task_stands_in_the_columns_of_such_models(tmp_path, data, maps):
    out = tmp_path / "out"
    evaluate("--data", f"casia1={data}", "--predictions", maps, "--out", out, "--task", "natural")
    text = (out / "tables.md").read_text()
    row = next(line for line in text[text.index("C-T3") :].splitlines() if "natural alone" in line)
    assert row.split("|")[2:-1] == [" 0.500 ", *[" - "] * 8]
    wrong = evaluate("--data", f"casia1={data}", "--predictions", maps, "--out", tmp_path / "b", "--task", "cats")
    assert wrong.exit_code == 2


@pytest.mark.parametrize(
    ("sets", "tables"),
    [
        (["casia1", "columbia"], ["C-T2 natural", "C-T3", "C-T5", "C-T15", "C-T18", "A-T1", "A-T3"]),
        (["sacp-test", "ostf-test"], ["C-T2 document", "C-T4 scene text", "A-T2"]),
        (["rscmqa", "faceshifter-test", "openforensics-test"], ["C-T4 face", "C-T14", "A-T4"]),
    ],
)
def test_the_papers_layouts_come_out_in_markdown_and_latex(tmp_path, data, maps, sets, tables):
    out = tmp_path / "out"
    given = [part for name in sets for part in ("--data", f"{name}={data}")]
    evaluate(*given, "--predictions", maps, "--out", out)
    text, latex = (out / "tables.md").read_text(), (out / "tables.tex").read_text()
    for table in tables:
        assert f"**{table}: " in text
        assert rf"\caption{{{table}: " in latex


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda d, m: save(m / "p1.png", np.zeros((9, 9))), "size"),
        (lambda d, m: (m / "p1.png").unlink(), "missing"),
        (lambda d, m: np.save(m / "p1.npy", np.zeros((43, 68), np.float32)), "ambiguous"),
        (lambda d, m: save(m / "p1.tif", np.zeros((43, 68))), "ambiguous"),
        (lambda d, m: replaced(m / "p1.png", np.full((43, 68), 1.5, np.float32)), "range"),
        (lambda d, m: replaced(m / "p1.png", np.full((43, 68), np.inf, np.float32)), "nan"),
        (lambda d, m: save(m / "p1.png", np.ones((43, 68))), "dark"),
        (lambda d, m: save(d / "images" / "p1.jpg", np.zeros((43, 68, 3))), "ambiguous"),
        (lambda d, m: (m / "p1.png").write_bytes(b"nothing"), "unreadable"),
        (lambda d, m: (d / "masks" / "p1.png").unlink(), "unreadable"),
    ],
)
def test_what_cannot_be_scored_is_named_and_counted_and_the_rest_is_scored(tmp_path, data, maps, spoil, kind):
    spoil(data, maps)
    out = tmp_path / "out"
    result = evaluate("--data", f"mine={data}", "--predictions", maps, "--out", out, "--protocol", "clean")
    assert result.exit_code == 1
    content = scores_of(out)
    assert {problem["kind"] for problem in content["problems"]} == {kind}
    assert "p1" in content["problems"][0]["message"]
    assert content["scores"][0]["n"] == 8
    assert content["scores"][0]["pixel"]["IoU"]["n"] == 5


def test_nan_in_a_map_is_not_scored(tmp_path, data, maps):
    (maps / "p1.png").unlink()
    map_ = np.zeros((43, 68), np.float32)
    map_[3, 4] = np.nan
    np.save(maps / "p1.npy", map_)
    out = tmp_path / "out"
    result = evaluate("--data", f"mine={data}", "--predictions", maps, "--out", out, "--protocol", "clean")
    assert result.exit_code == 1
    assert [p["kind"] for p in scores_of(out)["problems"]] == ["nan"]
    assert scores_of(out)["scores"][0]["n"] == 8


def test_gray_levels_in_a_mask_are_named_and_scored(tmp_path, data, maps):
    mask = np.zeros((43, 68))
    mask[5:20, 8:30] = 255
    mask[4, 8:30] = 90
    save(data / "masks" / "p1.png", mask)
    out = tmp_path / "out"
    result = evaluate(
        "--data", f"mine={data}", "--predictions", maps, "--out", out, "--protocol", "clean", "--protocol", "mvss"
    )
    assert result.exit_code == 1
    assert [p["kind"] for p in scores_of(out)["problems"]] == ["gray"]
    clean, mvss = scores_of(out)["scores"]
    assert clean["n"] == mvss["n"] == 9
    row = next(row for row in read_parquet(out / "counts.parquet") if row.key == "p1")
    assert row.counts["above half, map > 0.5"][2] + 22 == row.counts["non-zero, map > 0.5"][2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "mine=nowhere"], "not there"),
        (["--data", "nothing"], "NAME=ROOT"),
        (["--data", "x/mine={data}"], "domain"),
        (["--data", "mine={data}", "--protocol", "benko"], "benko"),
        (["--data", "mine={data}", "--model", "baseline:magic"], "magic"),
        (["--data", "mine={data}", "--predictions", "{data}", "--robust", "classic"], "distorted"),
        (["--data", "mine={empty}"], "no picture"),
    ],
)
def test_wrong_usage_is_one_clear_line(tmp_path, data, arguments, message):
    empty = tmp_path / "empty"
    (empty / "images").mkdir(parents=True)
    (empty / "masks").mkdir()
    filled = [a.format(data=data, empty=empty) for a in arguments]
    result = evaluate(*filled, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.output


def test_an_empty_folder_of_predictions_is_one_clear_line(tmp_path, data):
    (tmp_path / "none").mkdir()
    result = evaluate("--data", f"mine={data}", "--predictions", tmp_path / "none", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "no picture could be scored" in result.output
    assert "no prediction has this name" in result.output
    assert not (tmp_path / "out" / "scores.json").exists()


def test_another_run_is_not_gone_on_with(tmp_path, data, maps):
    out = tmp_path / "out"
    common = ("--data", f"mine={data}", "--out", out, "--protocol", "clean")
    assert evaluate(*common, "--predictions", maps).exit_code == 0
    again = evaluate(*common, "--predictions", maps)
    assert again.exit_code != 0
    assert "--resume" in again.output
    other = evaluate(*common, "--model", "baseline:error-level", "--resume")
    assert other.exit_code != 0
    assert "other settings" in other.output
    assert evaluate(*common, "--predictions", maps, "--resume").exit_code == 0


def test_a_killed_run_goes_on_and_scores_nothing_twice(tmp_path):
    rng = np.random.default_rng(2)
    data = tmp_path / "set"
    for index in range(24):
        save(data / "images" / f"p{index}.png", rng.integers(0, 256, (160, 160, 3)))
        mask = np.zeros((160, 160))
        mask[20:60, 20:60] = 255
        save(data / "masks" / f"p{index}.png", mask)
    out = tmp_path / "out"
    command = [
        sys.executable, "-m", "omni_iml.cli", "evaluate", "--data", f"mine={data}", "--model", "baseline:block-grid",
        "--out", str(out), "--protocol", "clean",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = out / "journal.jsonl"
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not (journal.exists() and journal.read_bytes().count(b"\n") >= 4):
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    before = journal.read_bytes()
    rows = before.count(b"\n") - 1
    assert 3 <= rows < 24, "the run was not killed in the middle"
    journal.write_bytes(before + b'{"row": {"data": "mi')  # what a kill in the middle of a write would leave
    subprocess.run([*command, "--resume"], check=True, stdout=subprocess.DEVNULL)
    after = journal.read_bytes()
    assert after.startswith(before)
    keys = [json.loads(line)["row"]["key"] for line in after.splitlines()[1:]]
    assert len(keys) == len(set(keys)) == 24
    assert len(read_parquet(out / "counts.parquet")) == 24
    assert json.loads((out / "scores.json").read_text())["scores"][0]["n"] == 24


def test_robustness_runs_on_distorted_files_and_draws_curves(tmp_path, data):
    out = tmp_path / "out"
    result = evaluate(
        "--data", f"nist16={data}", "--model", "baseline:error-level", "--out", out, "--robust", "classic",
        "--limit", "1", "--protocol", "clean",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    views = [score["view"] for score in scores_of(out)["scores"]]
    assert views == ["original", *(f"original@{name}" for name in (
        "resize-0.78", "resize-0.25", "blur-3", "blur-15", "noise-3", "noise-15", "jpeg-100", "jpeg-50"))]  # fmt: skip
    text = (out / "tables.md").read_text()
    ours = next(line for line in text[text.index("**C-T12") :].splitlines() if line.startswith("| error-level"))
    assert "-" not in ours.removeprefix("| error-level")  # a figure under each of the paper's distortions
    rows = read_parquet(out / "counts.parquet")
    assert next((r.height, r.width) for r in rows if r.view == "original@resize-0.25") == (10, 18)
    with Image.open(out / "robust.png") as image:
        assert image.width > 800


def test_two_runs_are_compared_on_the_pictures_that_both_have(tmp_path, data, maps):
    worse = tmp_path / "worse"
    for path in maps.iterdir():
        levels = np.array(Image.open(path))
        levels[:, :23][levels[:, :23] > 127] = 20
        save(worse / path.name, levels)
    common = ("--data", f"mine={data}", "--protocol", "clean")
    evaluate(*common, "--predictions", worse, "--out", tmp_path / "a")
    evaluate(*common, "--predictions", maps, "--out", tmp_path / "b", "--compare", tmp_path / "a")
    compared = scores_of(tmp_path / "b")["compared"]["clean"]
    assert compared["difference"]["mean"] == pytest.approx(0.5 - 7 / 22)
    assert compared["difference"]["n"] == 6
    assert compared["p"] == pytest.approx(2 / 64, abs=0.01)  # all six signs alike: two of 64 flips are as extreme
