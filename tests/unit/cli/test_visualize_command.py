import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app

RUNNER = CliRunner()


@pytest.fixture
def data(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / "set" / name).mkdir(parents=True)
    Image.effect_noise((64, 64), 60).convert("RGB").save(tmp_path / "set" / "images" / "a.jpg", quality=85)
    mask = np.zeros((64, 64), np.uint8)
    mask[:32] = 255
    Image.fromarray(mask).save(tmp_path / "set" / "masks" / "a.png")
    return f"document/mine={tmp_path / 'set'}"


def run(*arguments):
    return RUNNER.invoke(app, ["visualize", *map(str, arguments)])


def refused(result, *words):
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in result.stderr


def test_an_onnx_file(tiny_model, data, tmp_path):
    result = run("--model", tiny_model, "--data", data, "--out", tmp_path / "o")
    refused(result, "tiny.onnx: an ONNX graph gives its outputs only", "(.safetensors)")
    assert not (tmp_path / "o").exists()


def test_wrong_names(data, tmp_path):
    out = ("--out", tmp_path / "o")
    refused(run("--model", tmp_path / "absent.safetensors", "--data", data, *out), "no such model file")
    refused(run("--data", "nothing", *out), "is not of the form NAME=ROOT")
    refused(run("--data", f"x={tmp_path / 'absent'}", *out), "is not there")


@pytest.mark.parametrize("library", ["torch", "matplotlib"])
def test_without_a_library(data, tmp_path, monkeypatch, library):
    ours = ("omni_iml.visualization", "omni_iml.inspection", "omni_iml.models", "omni_iml.inference.torch_session")
    for name in [name for name in sys.modules if name.startswith((*ours, library))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    refused(run("--data", data, "--out", tmp_path / "o"), "is not installed", library, "omni-iml[train,eval]")
