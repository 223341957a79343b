import subprocess
import sys

import pytest
from typer.testing import CliRunner

from omni_iml import cli

RUNNER = CliRunner()


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nmodel: bundled\n")
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["r.yaml"],
        ["--out", "o"],
        ["r.yaml", "--out", "o", "--bogus"],
        ["r.yaml", "--out", "o", "--workers", "-1"],
        ["r.yaml", "--out", "o", "--threads", "0"],
        ["r.yaml", "--out", "o", "--max-minutes", "soon"],
    ],
)
def test_wrong_usage(arguments):
    result = RUNNER.invoke(cli.app, ["train", *arguments])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_without_pictures_it_says_where_they_should_be(recipe, tmp_path, monkeypatch):
    monkeypatch.delenv("OMNI_IML_DATA", raising=False)
    result = RUNNER.invoke(cli.app, ["train", str(recipe), "--out", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: OMNI_IML_DATA")
    assert "set OMNI_IML_DATA to the folder that holds source/" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--set", "optim.bogus=1"], "optim.bogus"),
        (["--set", "optim.batch"], "section.key=value"),
        (["--init", "a.pth", "--resume", "b.safetensors"], "--init and --resume: a leg starts from one of the two"),
        (["--set", "init.bogus=1"], "init.bogus"),
        (["--max-minutes", "0"], "a leg of 0.0 minutes trains nothing"),
    ],
)
def test_bad_values_are_told_in_one_line(recipe, tmp_path, extra, words):
    result = RUNNER.invoke(cli.app, ["train", str(recipe), "--out", str(tmp_path / "run"), *extra])
    assert result.exit_code == 2
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_missing_recipe_is_told(tmp_path):
    arguments = ["train", str(tmp_path / "gone.yaml"), "--out", str(tmp_path / "run")]
    result = RUNNER.invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert "gone.yaml: cannot be read as a recipe" in result.stderr
    assert "Traceback" not in result.stderr
    debug = RUNNER.invoke(cli.app, [*arguments, "--debug"])
    assert debug.exit_code == 2
    assert "Traceback" in debug.stderr


@pytest.mark.parametrize("missing", ["torch", "yaml"])
def test_without_the_extra_it_says_what_to_install(recipe, tmp_path, missing):
    code = (
        f"import sys; sys.modules[{missing!r}] = None; from omni_iml.cli import app; "
        f"app(['train', {str(recipe)!r}, '--out', {str(tmp_path / 'run')!r}])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr == f"Error: omni-iml train: {missing} is not installed; run pip install 'omni-iml[train]'.\n"
