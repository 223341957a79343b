import hashlib
import json

import pytest
from typer.testing import CliRunner

from omni_iml.cli import app

RUNNER = CliRunner()


@pytest.fixture
def bundled(monkeypatch, tmp_path, tiny_model):
    """A package whose bundled model is the tiny one."""
    path = tmp_path / "bundled.onnx"
    path.write_bytes(tiny_model.read_bytes())
    monkeypatch.setattr("omni_iml.weights.files", lambda package: tmp_path)
    return path


def test_json(bundled):
    result = RUNNER.invoke(app, ["models", "--json"])
    assert result.exit_code == 0
    facts = json.loads(result.stdout)
    assert facts["name"] == "tiny"
    assert facts["version"] == "0.0.1"
    assert facts["sha256"] == hashlib.sha256(bundled.read_bytes()).hexdigest()
    assert facts["path"] == str(bundled)
    assert facts["bytes"] == bundled.stat().st_size
    assert facts["card"].startswith("# Tiny")


def test_for_people(bundled):
    result = RUNNER.invoke(app, ["models"])
    assert result.exit_code == 0
    for words in ("tiny", "CC0-1.0", str(bundled), "# Tiny", "wholly generated"):
        assert words in result.stdout


def test_installation_without_a_model(monkeypatch, tmp_path):
    monkeypatch.setattr("omni_iml.weights.files", lambda package: tmp_path)
    result = RUNNER.invoke(app, ["models"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "carries no bundled .onnx model" in result.stderr
