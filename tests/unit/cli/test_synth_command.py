from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app

run = CliRunner()


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A plain folder: three pictures, a strip that is too small, a file that is none."""
    folder, rng = tmp_path / "scans", np.random.default_rng(0)
    (folder / "more").mkdir(parents=True)
    for name in ("a.jpg", "b.png", "more/c.jpg"):
        pixels = np.kron(rng.integers(90, 255, (20, 24, 3)), np.ones((8, 8, 1))) + rng.normal(0, 4, (160, 192, 3))
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / name)
    Image.new("RGB", (400, 20)).save(folder / "strip.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 this is no picture")
    return folder


def test_a_folder_of_pictures_becomes_a_folder_of_forgeries(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["synth", str(scans), str(out), "--domain", "natural", "--count", "6", "--size", "128", "--workers", "1"]
    result = run.invoke(app, command)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.strip() == str(out)
    assert "strip.png: is too small to be edited (400x20 pixels); it is skipped." in result.stderr
    assert "broken.jpg" in result.stderr
    assert "6 of 6 pictures" in result.stderr
    assert "Sources skipped: 2." in result.stderr
    recipes = [json.loads(path.read_text()) for path in sorted((out / "recipes").iterdir())]
    for recipe in recipes:
        mask = np.asarray(Image.open(out / "masks" / recipe["mask"]))
        assert mask.shape[::-1] == Image.open(out / "images" / recipe["image"]).size
        assert set(np.unique(mask)) <= {0, 255}
        assert (mask.any()) == (recipe["label"] == 1)
    digest = next(line for line in result.stderr.splitlines() if line.startswith("sha256 of all"))
    again = run.invoke(app, [*command[:2], str(tmp_path / "again"), *command[3:]])
    assert digest in again.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "so its pictures are of one domain; name it with --domain"),
        (["--domain", "forest"], "domain forest: is unknown"),
        (["--domain", "natural", "--size", "100"], "synthesis size 100: is no positive multiple of 32"),
        (["--domain", "natural", "--set", "colour=1"], "--set colour=1: is no setting"),
        (["--domain", "natural", "--split", "dev"], "split 'dev': is unknown"),
        (["--domain", "natural", "--set", 'operations={"fly": 1}'], "operation fly: is unknown; the operations are"),
    ],
)
def test_wrong_usage_is_one_sentence(options: list[str], message: str, scans: Path, tmp_path: Path) -> None:
    result = run.invoke(app, ["synth", str(scans), str(tmp_path / "out"), *options])
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [["synth", "{}", "out"], ["data", "tiles", "{}", "out"]])
def test_folders_that_hold_nothing_are_named(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    filled = [part.format(tmp_path / "empty") if part == "{}" else part for part in command]
    result = run.invoke(app, [*filled[:-1], str(tmp_path / "out"), "--domain", "document"])
    assert result.exit_code == 2
    assert "file in it; put pictures there" in result.stderr


@pytest.mark.parametrize("form", ["pixels", "jpeg"])
def test_tiles_are_cut_and_what_cannot_be_is_named(form: str, scans: Path, tmp_path: Path) -> None:
    (scans / "more" / "a.jpg").write_bytes((scans / "a.jpg").read_bytes())
    command = ["data", "tiles", str(scans), str(tmp_path / "out"), "--domain", "natural", "--side", "96"]
    result = run.invoke(app, [*command, "--form", form])
    assert result.exit_code == 1
    assert "broken.jpg" in result.stderr
    assert result.stdout.strip() == str(tmp_path / "out")
    if form == "jpeg":
        names = {path.name.split("@")[0] for path in (tmp_path / "out" / "source" / "natural" / "scans").iterdir()}
        assert names == {"a", "b.png", "more__c", "more__a", "strip.png"}


def test_a_manifest_is_printed(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "root" / "source" / "natural").mkdir(parents=True)
    scans.rename(tmp_path / "root" / "source" / "natural" / "scans")
    result = run.invoke(app, ["data", "manifest", str(tmp_path / "root")])
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "path,sha256,identity,split,licence"
    assert [line.split(",")[0] for line in lines[1:]] == [
        f"natural/scans/{name}" for name in ("a.jpg", "b.png", "broken.jpg", "strip.png")
    ]
