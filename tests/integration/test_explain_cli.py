from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from chat_server import ChatServer
from omni_iml.cli import app
from omni_iml.inference.detector import Detector

EXAMPLES = Path(__file__).parents[2] / "examples"
TRUTH = EXAMPLES.parent / "examples-truth"


def test_given_masks_are_explained_and_written(tmp_path: Path) -> None:
    names = [str(EXAMPLES / name) for name in ("meadow.jpg", "letter.jpg")]
    result = CliRunner().invoke(
        app, ["explain", *names, "--masks", str(TRUTH), "--out", str(tmp_path), "--no-ocr", "--json"]
    )
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "letter.jpg.explanation.json", "meadow.jpg.explanation.json", "meadow.jpg.explanation.png",
    ]  # fmt: skip
    meadow, letter = (json.loads(line) for line in result.stdout.splitlines())
    assert meadow["mask"] == "given"
    assert "copy_move" in meadow["regions"][0]["findings"]
    assert letter["explanation"] == []
    assert "2 regions" not in result.stderr
    assert "letter.jpg: 0 regions, 0 findings" in result.stderr


def test_without_masks_a_model_finds_them(tiny_model: Path, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(60, 110, (192, 256, 3)).astype(np.uint8)
    pixels[80:120, 100:160, 1] = 240  # the model for tests calls green tampered
    Image.fromarray(pixels).save(tmp_path / "green.png")
    result = CliRunner().invoke(
        app, ["explain", str(tmp_path / "green.png"), "--model", str(tiny_model), "--no-ocr", "--json", "-q"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["mask"] == "detected"
    assert found["detection"]["verdict"] in ("tampered", "inconclusive", "no_trace")
    assert found["regions"][0]["box"] == [100, 80, 160, 120]


@pytest.mark.parametrize("verdict", ["no_trace", "tampered"])
def test_findings_at_odds_with_the_verdict_are_printed_with_a_warning(
    verdict: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse = Detector.analyse
    monkeypatch.setattr(Detector, "analyse", lambda self, image: replace(analyse(self, image), verdict=verdict))
    pixels = np.random.default_rng(0).integers(60, 110, (192, 256, 3)).astype(np.uint8)
    pixels[80:120, 100:160, 1] = 240
    Image.fromarray(pixels).save(tmp_path / "green.png")
    command = ["explain", str(tmp_path / "green.png"), "--model", str(tiny_model), "--no-ocr", "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["regions"][0]["findings"]
    warned = 'Warning: The verdict is "no trace found": the ' in result.stderr
    assert warned == (verdict == "no_trace") == any("The verdict is" in warning for warning in found["warnings"])


def test_a_mask_of_another_size_is_named_and_the_others_are_done(tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.new("L", (7, 7)).save(masks / "meadow.jpg.mask.png")
    names = [str(EXAMPLES / name) for name in ("meadow.jpg", "letter.jpg")]
    result = CliRunner().invoke(
        app, ["explain", *names, "--masks", str(masks), "--no-ocr", "--out", str(tmp_path / "o")]
    )
    assert result.exit_code == 1
    assert "7x7" in result.stderr
    assert (tmp_path / "o" / "letter.jpg.explanation.json").is_file()


def test_files_of_others_are_not_replaced(tmp_path: Path) -> None:
    mine = tmp_path / "meadow.jpg.explanation.json"
    mine.write_text("my own words")
    names = [str(EXAMPLES / name) for name in ("meadow.jpg", "letter.jpg")]
    for _ in range(2):  # the second time letter.jpg's explanation is one of ours
        result = CliRunner().invoke(app, ["explain", *names, "--masks", str(TRUTH), "--no-ocr", "--out", str(tmp_path)])
        assert result.exit_code == 1
        assert f"meadow.jpg: its results would replace {mine}, which is no result of ours" in result.stderr
        assert "letter.jpg: 0 regions" in result.stderr
    assert mine.read_text() == "my own words"


def test_what_is_true_no_longer_is_removed(tmp_path: Path) -> None:
    picture, masks, out = tmp_path / "in" / "meadow.jpg", tmp_path / "masks", tmp_path / "o"
    for folder in (picture.parent, masks):
        folder.mkdir()
    picture.write_bytes((EXAMPLES / "meadow.jpg").read_bytes())
    (masks / "meadow.jpg.mask.png").write_bytes((TRUTH / "meadow.jpg.mask.png").read_bytes())

    def run() -> int:
        options = ["--masks", str(masks), "--no-ocr", "--out", str(out), "-q"]
        return CliRunner().invoke(app, ["explain", str(picture), *options]).exit_code

    assert run() == 0
    assert {path.name for path in out.iterdir()} == {"meadow.jpg.explanation.json", "meadow.jpg.explanation.png"}
    (masks / "meadow.jpg.mask.png").unlink()  # then it has no region, and so no picture of one
    assert run() == 0
    assert {path.name for path in out.iterdir()} == {"meadow.jpg.explanation.json"}
    picture.write_bytes(b"garbage")
    assert run() == 1
    assert list(out.iterdir()) == []


def test_a_mask_that_claims_too_much_is_named_and_the_others_are_done(tmp_path: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(tmp_path / "meadow.jpg.mask.png")
    names = [str(EXAMPLES / name) for name in ("meadow.jpg", "letter.jpg")]
    result = CliRunner().invoke(app, ["explain", *names, "--masks", str(tmp_path), "--no-ocr"])
    assert result.exit_code == 1, result.output
    assert "meadow.jpg.mask.png: the mask has 30000x30000 pixels and its picture" in result.stderr
    assert "letter.jpg: 0 regions, 0 findings" in result.stderr


def test_a_mask_of_0_and_1_is_warned_of(tmp_path: Path) -> None:
    with Image.open(TRUTH / "meadow.jpg.mask.png") as mask:
        mask.convert("L").point(lambda level: level // 255).save(tmp_path / "meadow.jpg.mask.png")
    command = ["explain", str(EXAMPLES / "meadow.jpg"), "--masks", str(tmp_path), "--no-ocr", "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    (warning,) = json.loads(result.stdout)["warnings"]
    assert "largest value is 1" in warning
    assert f"Warning: {warning}" in result.stderr


@pytest.mark.parametrize("options", [["--masks", "nowhere"], ["--frames", "0"]])
def test_wrong_usage_ends_with_2(options: list[str]) -> None:
    result = CliRunner().invoke(app, ["explain", str(EXAMPLES / "letter.jpg"), *options])
    assert result.exit_code == 2


def test_a_multimodal_model_is_asked_as_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    place = {"Absolute Position": "Center of the image", "Relative Position": ""}
    said = [{"Tampered Region": "Four", **place, "Artifacts": {}}]
    with ChatServer() as server:
        server.says = json.dumps(said)
        server.faults.extend(["", "refusal"])
        names = [str(EXAMPLES / name) for name in ("meadow.jpg", "letter.jpg")]
        options = ["--masks", str(TRUTH), "--no-ocr", "--json", "--domain", "natural", "--mask-colors", "#ff0000,black"]
        result = CliRunner().invoke(app, ["explain", *names, *options, "--mllm", f"endpoint:{server.url}"])
    assert result.exit_code == 1, result.output
    meadow, letter = (json.loads(line) for line in result.stdout.splitlines())
    assert meadow["interpretation"]["explanation"] == said
    assert meadow["interpretation"]["valid"]
    assert "copy_move" in meadow["regions"][0]["findings"]
    assert letter["interpretation"]["status"] == "refused"
    assert "letter.jpg: m: refused: the model declined" in result.stderr
    assert "tampered natural image" in server.requests[0]["messages"][0]["content"][0]["text"]


def test_options_of_a_model_that_is_not_named_are_refused() -> None:
    options = ["--masks", str(TRUTH), "--adapter", "lora", "--max-tokens", "100"]
    result = CliRunner().invoke(app, ["explain", str(EXAMPLES / "letter.jpg"), *options])
    assert result.exit_code == 2
    assert "--adapter, --max-tokens: no multimodal model is asked" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("quiet", [True, False])
def test_a_quiet_run_loads_a_model_without_bars(tmp_path: Path, quiet: bool) -> None:
    pytest.importorskip("transformers")
    from tiny_mllms import build

    folder = build("qwen2_5_vl", tmp_path / "tiny", ["What?"])
    names = [str(EXAMPLES / "letter.jpg"), "--masks", str(TRUTH), "--no-ocr"]
    command = [sys.executable, "-m", "omni_iml.cli", "explain", *names, "--mllm", f"local:{folder}"]
    command += ["--max-tokens", "16", "--max-side", "64", *(["-q"] if quiet else [])]
    # Other tests' quiet runs, which ran in this process, left their settings in it.
    settings = ("HF_HUB_DISABLE_PROGRESS_BARS", "TRANSFORMERS_VERBOSITY")
    env = {name: value for name, value in os.environ.items() if name not in settings}
    said = subprocess.run(command, capture_output=True, text=True, check=False, env=env).stderr
    assert "unreadable: no region could be read" in said  # the weights are random
    assert ("Loading" in said) is not quiet
    assert len(said.splitlines()) == 1 or not quiet


@pytest.mark.parametrize(
    "options", [["--mllm", "gpt"], ["--mllm", "endpoint:http://127.0.0.1:1", "--mask-colors", "x"]]
)
def test_a_model_that_is_named_wrongly_ends_with_2(options: list[str]) -> None:
    result = CliRunner().invoke(app, ["explain", str(EXAMPLES / "letter.jpg"), "--masks", str(TRUTH), *options])
    assert result.exit_code == 2
