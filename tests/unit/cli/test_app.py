import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from omni_iml import cli
from omni_iml.version import __version__

RUNNER = CliRunner()


def test_version():
    result = RUNNER.invoke(cli.app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout == f"omni-iml {__version__}\n"


def test_version_imports_nothing_heavy():
    code = (
        "import sys\nfrom omni_iml.cli import app\ntry:\n app(['--version'])\nexcept SystemExit:\n pass\n"
        "print([m for m in ('onnxruntime', 'cv2', 'torch', 'numpy', 'PIL') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.splitlines() == [f"omni-iml {__version__}", "[]"]


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_help(name):
    result = RUNNER.invoke(cli.app, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert name in result.stdout


def test_a_picture_without_a_command_is_pointed_to_detect(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"x")
    result = RUNNER.invoke(cli.app, ["a.jpg"])
    assert result.exit_code == 2
    assert "omni-iml detect a.jpg" in result.stderr
    assert "No such command" in RUNNER.invoke(cli.app, ["b.jpg"]).stderr


def test_help_lists_the_commands():
    result = RUNNER.invoke(cli.app, ["--help"])
    assert result.exit_code == 0
    for name in cli.COMMANDS:
        assert name in result.stdout


@pytest.mark.parametrize("arguments", [["bogus"], ["--bogus"], ["detect"], ["detect", "x", "--runtime", "abacus"]])
def test_wrong_usage(arguments):
    result = RUNNER.invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_main_survives_characters_that_the_stream_cannot_show():
    code = "import sys; from omni_iml import cli; cli.app = lambda: print('图'); cli.main()"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, env=environment
    )
    assert run.stdout.strip() == "\\u56fe"
