import json
import sys
from dataclasses import replace

import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.cli.inspect import parse_tiles

RUNNER = CliRunner()


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.effect_noise((90, 80), 60).convert("RGB").save(path, quality=85)
    return path


@pytest.fixture
def write_weights(small_config, tmp_path):
    """Writes the weights of a small network for tiles of 64 pixels, with fields of its configuration changed."""
    torch = pytest.importorskip("torch")
    from omni_iml.models import OmniIML
    from omni_iml.models.checkpoint import save_weights
    from omni_iml.models.export import UNCALIBRATED

    def write(**changes):
        torch.manual_seed(0)
        path = tmp_path / "small.safetensors"
        network = OmniIML(replace(small_config, **changes))
        save_weights(network, path, {"model_file": {**UNCALIBRATED, "name": "small", "tile": 64}})
        return path

    return write


@pytest.fixture
def weights(write_weights):
    return write_weights()


def run(*arguments):
    return RUNNER.invoke(app, ["inspect", *map(str, arguments)])


def refused(result, code, *words):
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in result.stderr


def test_stdout_is_the_folder_and_stderr_a_table(weights, picture, tmp_path):
    result = run(weights, picture, "--out", tmp_path / "o", "--device", "cpu")
    assert result.exit_code == 0, result.output
    folder = tmp_path / "o" / "photo.jpg.inspect"
    assert result.stdout == f"{folder}\n"
    report = json.loads((folder / "inspect.json").read_text(encoding="utf-8"))
    for words in ("Gate chose", "DWF_6", f"{report['activations']['DWF_6'][2]:.3f}", "Score"):
        assert words in result.stderr
    assert sum(tile["written"] for tile in report["tiles"]) == 4


def test_a_network_without_some_parts(write_weights, picture, tmp_path):
    weights = write_weights(gate="vision", anomaly_enhancement=False, decoder="fixed")
    result = run(weights, picture, "--out", tmp_path / "o", "--tiles", "0")
    assert result.exit_code == 0, result.output
    absent = "gate_logit, frequency, fused, coarse_rgb_logit, coarse_fused_logit, e2_attention"
    assert f"This network has no part for: {absent}" in result.stderr
    folder = tmp_path / "o" / "photo.jpg.inspect"
    report = json.loads((folder / "inspect.json").read_text(encoding="utf-8"))
    assert report["gate_probability"] is None
    assert report["activations"] == {}
    assert not (folder / "filters.png").exists()
    assert not (folder / "tile-000" / "fused.pca.png").exists()
    assert (folder / "tile-000" / "e2.pca.png").exists()


def test_quiet_and_a_choice(weights, picture, tmp_path):
    result = run(weights, picture, "--out", tmp_path / "o", "--tiles", "1-2", "--quiet")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    names = {path.name for path in (tmp_path / "o" / "photo.jpg.inspect").glob("tile-*.npz")}
    assert names == {"tile-001.npz", "tile-002.npz"}


def test_precision_moves_the_values(weights, picture, tmp_path):
    found = {}
    for precision in ("float32", "bfloat16"):
        options = ("--out", tmp_path / precision, "--device", "cpu", "--tiles", "none", "--precision", precision)
        assert run(weights, picture, *options).exit_code == 0
        found[precision] = json.loads((tmp_path / precision / "photo.jpg.inspect" / "inspect.json").read_text())
    assert found["float32"]["score"] != found["bfloat16"]["score"]
    assert found["float32"]["score"] == pytest.approx(found["bfloat16"]["score"], abs=0.05)


def test_an_onnx_file(tiny_model, picture, tmp_path):
    result = run(tiny_model, picture, "--out", tmp_path / "o")
    refused(result, 2, "tiny.onnx: an ONNX graph gives its outputs only", "(.safetensors)", "'bundled'")


@pytest.mark.parametrize(
    ("name", "words"), [("absent.safetensors", "no such model file"), ("photo.jpg", "give a file that training wrote")]
)
def test_no_weights(picture, tmp_path, name, words):
    refused(run(tmp_path / name, picture, "--out", tmp_path / "o"), 2, name, words)


def test_pictures_that_cannot_be_read(weights, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("this is no picture")
    refused(run(weights, text, "--out", tmp_path / "o"), 1, "text.jpg")
    refused(run(weights, tmp_path / "absent.jpg", "--out", tmp_path / "o"), 1, "absent.jpg: there is no such file")
    refused(run(weights, tmp_path, "--out", tmp_path / "o"), 1, "it is a folder")


@pytest.mark.parametrize("tiles", ["", "x", "1;2", "-3", "1-", "0x1", "9999999"])
def test_tiles_that_are_no_list(weights, picture, tmp_path, tiles):
    refused(run(weights, picture, "--out", tmp_path / "o", "--tiles", tiles), 2, "write for example 0,5-8, all or none")


def test_wrong_choices(weights, picture, tmp_path):
    out = ("--out", tmp_path / "o")
    refused(run(weights, picture, *out, "--tiles", "0,7"), 2, "photo.jpg: there is no tile 7 among its 4")
    refused(run(weights, picture, *out, "--device", "abacus"), 2, "device 'abacus'", "try cpu")
    refused(run(weights, picture, *out, "--max-pixels", "50"), 1, "photo.jpg")
    (tmp_path / "file").write_text("")
    refused(run(weights, picture, "--out", tmp_path / "file"), 2, "the output folder cannot be made")
    (tmp_path / "o" / "photo.jpg.inspect").mkdir()
    refused(run(weights, picture, *out), 2, "is no earlier inspection")


def test_without_torch(picture, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("omni_iml.inspection", "omni_iml.models"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "omni_iml.inference.torch_session", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    refused(run("bundled", picture, "--out", tmp_path / "o"), 2, "torch is not installed", "omni-iml[train]")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("all", [0, 1, 2]), ("none", []), ("2", [2]), ("2,0", [0, 2]), ("0-2, 1", [0, 1, 2]), ("7-8", [7, 8])],
)
def test_lists_of_tiles(text, wanted):
    assert list(parse_tiles(text, 3)) == wanted
