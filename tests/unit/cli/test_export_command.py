"""``omni-iml export --int8``: the folder of pictures, and what is refused."""

import json
import re

import numpy as np
import onnx
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.cli.export import calibration_tiles
from omni_iml.cli.failures import WrongUsage
from omni_iml.inference.onnx_session import OnnxSession
from omni_iml.models import OmniIML
from omni_iml.models.checkpoint import save_weights
from omni_iml.models.export import UNCALIBRATED
from omni_iml.models.quantize import SMALLEST_CALIBRATION


@pytest.fixture
def pictures(tmp_path):
    def write(count, side=100):
        rng = np.random.default_rng(count)
        folder = tmp_path / f"pictures{count}"
        (folder / "sub").mkdir(parents=True)
        for number in range(count):
            pixels = np.tile(rng.integers(0, 256, (1, side, 3), dtype=np.uint8), (side, 1, 1))
            Image.fromarray(pixels).save(folder / "sub" / f"{number}.jpg")
        return folder

    return write


def test_tiles_are_the_model_s_inputs_spread_over_the_folder(pictures):
    tiles = calibration_tiles(pictures(20), 10, 64)
    assert len(tiles) == 10
    assert {name: value.shape for name, value in tiles[0].items()} == {
        "image": (1, 3, 64, 64),
        "coefficients": (1, 64, 64),
        "table": (1, 8, 8),
    }
    assert len({tile["image"].tobytes() for tile in tiles}) == 10


def test_a_picture_that_cannot_be_read_is_named_and_left_out(pictures, caplog):
    folder = pictures(9)
    (folder / "broken.jpg").write_bytes(b"junk")
    assert len(calibration_tiles(folder, 32, 64)) == 9
    assert "broken.jpg" in caplog.text


@pytest.mark.parametrize(("count", "sentence"), [(0, "0 pictures"), (3, "3 pictures")])
def test_too_few_pictures(pictures, count, sentence):
    with pytest.raises(WrongUsage, match=f"{sentence} to calibrate with are too few; name a folder with at least 8"):
        calibration_tiles(pictures(count), 32, 64)


def test_no_such_folder(tmp_path):
    with pytest.raises(WrongUsage, match="there is no such folder"):
        calibration_tiles(tmp_path / "absent", 32, 64)


@pytest.mark.parametrize("options", [["--int8"], ["--calibration", "x"]])
def test_int8_and_calibration_belong_together(tmp_path, options):
    result = CliRunner().invoke(app, ["export", "w.safetensors", str(tmp_path / "x.onnx"), *options])
    assert result.exit_code == 2
    assert "belong together" in result.stderr


@pytest.fixture
def weights(tmp_path, small_config):
    path = tmp_path / "w.safetensors"
    save_weights(OmniIML(small_config), path)
    return path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tile", "8224"], "tile: Input should be less than or equal to 8192"),
        (["--version", ""], "version: String should have at least 1 character"),
        (["--card", "absent.md"], "absent.md: the card cannot be read"),
    ],
)
def test_facts_that_no_reader_would_take(tmp_path, weights, options, words):
    result = CliRunner().invoke(app, ["export", str(weights), str(tmp_path / "x.onnx"), *options])
    assert result.exit_code == 2
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "x.onnx").exists()


def test_weights_are_not_overwritten_by_a_slip(weights):
    before = weights.read_bytes()
    result = CliRunner().invoke(app, ["export", str(weights), str(weights)])
    assert result.exit_code == 2
    assert "a model file's name ends in .onnx" in result.stderr
    assert weights.read_bytes() == before


def test_the_count_asks_for_no_fewer_than_the_calibration_takes(tmp_path):
    count = SMALLEST_CALIBRATION - 1
    arguments = ["--int8", "--calibration", str(tmp_path), "--calibration-count", str(count)]
    result = CliRunner().invoke(app, ["export", "w.safetensors", str(tmp_path / "x.onnx"), *arguments])
    assert result.exit_code == 2
    assert "--calibration-count" in result.stderr
    assert re.search(rf"\b{SMALLEST_CALIBRATION}\b", result.stderr)


@pytest.mark.slow
def test_weights_to_int8_model_file(tmp_path, small_config, pictures):
    weights, out = tmp_path / "w.safetensors", tmp_path / "int8.onnx"
    save_weights(OmniIML(small_config), weights, {"model_file": {**UNCALIBRATED, "free_size": True}})
    result = CliRunner().invoke(
        app, ["export", str(weights), str(out), "--tile", "64", "--int8", "--calibration", str(pictures(8))]
    )
    assert result.exit_code == 0, result.stderr
    assert result.stdout.strip() == str(out)
    assert OnnxSession(out).info.tile == 64
    assert not OnnxSession(out).info.free_size
    facts = json.loads(onnx.load(out).metadata_props[0].value)
    assert (facts["precision"], facts["calibration_tiles"]) == ("int8", 8)
