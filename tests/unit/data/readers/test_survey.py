"""What a look at a data set finds, and that the commands say it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.data.readers import READERS, open_set
from omni_iml.data.readers.decoding import decode
from omni_iml.data.readers.sheet import CELL, contact_sheet, drawn
from omni_iml.data.readers.survey import absent, examine, survey
from omni_iml.io import load
from omni_iml.types import UnreadableImage
from reader_layouts import build, save

run = CliRunner()


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """A folder of pairs with one fault of each kind, and two that are whole."""
    root = tmp_path / "spoilt"
    build("folder", root)
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 255, (40, 48, 3), dtype=np.uint8)
    for name in ("empty", "size", "inverted", "nomask", "badmask"):
        save(root / "images" / f"{name}.jpg", picture)
    (root / "images" / "cut.jpg").write_bytes((root / "images" / "a.jpg").read_bytes()[:-400])
    (root / "images" / "text.jpg").write_text("no picture")
    white = np.full((40, 48), 255, np.uint8)
    for name, mask in (("empty", 0 * white), ("size", white[:, :20]), ("inverted", white), ("cut", white)):
        save(root / "masks" / f"{name}.png", mask)
    save(root / "masks" / "text.png", white)
    (root / "masks" / "badmask.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return root


FAULTS = {
    "cut": "picture unreadable",
    "text": "picture unreadable",
    "empty": "mask empty",
    "size": "mask unusable",
    "badmask": "mask unusable",
    "inverted": "mask inverted",
    "nomask": "mask missing",
}


def test_every_fault_is_found_and_names_its_file(spoilt):
    findings = list(survey(open_set("folder", spoilt)))
    assert {finding.key: finding.fault for finding in findings if finding.fault} == FAULTS
    for finding in findings:
        assert bool(finding.message) == bool(finding.fault)
        if finding.fault:
            assert finding.key in finding.message
            assert finding.message.endswith(".")


def test_what_a_whole_picture_is_like(tmp_path):
    truth = build("folder", tmp_path)
    found = {finding.key: finding for finding in survey(open_set("folder", tmp_path))}
    assert (found["a"].height, found["a"].width, found["a"].kind, found["a"].quality) == (96, 112, "JPEG", 88)
    assert (found["b/c"].kind, found["b/c"].quality) == ("PNG", None)
    assert found["a"].share == pytest.approx(truth["a"].mean())
    assert (found["a"].regions, found["authentic/e"].regions) == (1, 0)


def test_a_missing_picture_of_a_list(tmp_path):
    build("json", tmp_path)
    (tmp_path / "Tp" / "6.jpg").unlink()
    entry = next(iter(open_set("json", tmp_path)))
    assert examine(entry).fault == absent(entry).fault == "picture missing"


def test_several_processes_find_the_same(tmp_path):
    for number in range(20):
        build("folder", tmp_path, seed=number)
        (tmp_path / "images" / "a.jpg").rename(tmp_path / "images" / f"a{number}.jpg")
        (tmp_path / "masks" / "a.png").rename(tmp_path / "masks" / f"a{number}.png")
    reader = open_set("folder", tmp_path)
    assert len(reader) > 16
    assert list(survey(reader, workers=2)) == list(survey(reader))


def test_decoding_gives_what_inference_reads(tmp_path):
    build("casia2", tmp_path)
    for entry in open_set("casia2", tmp_path):
        ours, theirs = decode(entry.data(), entry.key), load(entry.data())
        np.testing.assert_array_equal(ours.pixels, theirs.pixels)
        if ours.trace is not None:
            np.testing.assert_array_equal(ours.trace.coefficients, theirs.trace.coefficients)
            np.testing.assert_array_equal(ours.trace.table, theirs.trace.table)
        assert (ours.trace is not None) == theirs.is_jpeg


def test_a_file_without_its_end_is_unreadable(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(path)
    data = path.read_bytes()
    for damaged in (data[:900], data[:900] + b"\xff\xd9"):
        with pytest.raises(UnreadableImage, match=r"cut short|holds no data"):
            decode(damaged, "a.jpg")


def test_the_contact_sheet_outlines_the_mask(tmp_path):
    build("folder", tmp_path)
    entries = [entry for entry in open_set("folder", tmp_path) if entry.key == "b/c"]
    sheet = contact_sheet(entries, columns=1)
    pink = (sheet == (255, 0, 200)).all(2)
    mask = entries[0].mask.read(96, 112)
    y, x = np.nonzero(pink)
    scale = CELL / 112
    rows, columns = np.nonzero(mask)
    assert abs(x.min() - columns.min() * scale) <= 2
    assert abs(y.max() - (rows.max() + 1) * scale) <= 3
    assert (sheet[:CELL, CELL:] > 200).any()


def test_what_is_drawn_depends_on_the_seed_alone(tmp_path):
    build("folder", tmp_path)
    reader = open_set("folder", tmp_path)
    assert drawn(reader, 2, 5) == drawn(reader, 2, 5)
    assert len(drawn(reader, 99)) == len(reader)


class TestCommands:
    def test_list(self):
        result = run.invoke(app, ["data", "list"])
        assert result.exit_code == 0, result.stderr
        assert all(name in result.stdout for name in READERS)
        assert "600,000" in result.stdout
        rows = json.loads(run.invoke(app, ["data", "list", "--json"]).stdout)
        assert [row["name"] for row in rows] == list(READERS)
        assert "edgemask" in run.invoke(app, ["data", "list", "columbia"]).stdout
        assert run.invoke(app, ["data", "list", "casia3"]).exit_code == 2

    def test_check(self, spoilt):
        result = run.invoke(app, ["data", "check", "folder", str(spoilt), "--workers", "1"])
        assert result.exit_code == 1
        lines = result.stdout.splitlines()
        assert sorted(line.split(":")[0] for line in lines) == sorted(FAULTS.values())
        assert "11 of 11 pictures looked at" in result.stderr
        quick = run.invoke(app, ["data", "check", "folder", str(spoilt), "--quick"])
        assert [line.split(":")[0] for line in quick.stdout.splitlines()] == ["mask missing"]

    def test_check_of_a_whole_and_of_an_incomplete_set(self, tmp_path):
        build("folder", tmp_path / "a")
        assert run.invoke(app, ["data", "check", "folder", str(tmp_path / "a")]).exit_code == 0
        build("coverage", tmp_path / "b")
        result = run.invoke(app, ["data", "check", "coverage", str(tmp_path / "b")])
        assert result.exit_code == 1
        assert "incomplete: 2 tampered pictures, the complete set has 100." in result.stdout
        tampered = run.invoke(app, ["data", "check", "coverage", str(tmp_path / "b"), "--labels", "tampered"])
        assert "authentic pictures" not in tampered.stdout

    def test_stats_and_show(self, tmp_path):
        build("doctamper", tmp_path)
        result = run.invoke(app, ["data", "stats", "doctamper", str(tmp_path)])
        assert result.exit_code == 0, result.stderr
        assert "formats                JPEG 3" in result.stdout
        out = tmp_path / "sheet.png"
        result = run.invoke(app, ["data", "show", "doctamper", str(tmp_path), str(out), "--count", "2"])
        assert result.stdout.strip() == str(out)
        assert Image.open(out).size[0] > 2 * CELL

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["check", "casia3", "."], "data set 'casia3' is unknown"),
            (["check", "casia2", "nowhere"], "nowhere: is not there"),
            (["stats", "folder", ".", "--labels", "good"], "--labels good: is unknown"),
            (["show", "folder", ".", "sheet.gif"], "is no name of a .png"),
        ],
    )
    def test_wrong_usage(self, arguments, message):
        result = run.invoke(app, ["data", *arguments])
        assert result.exit_code == 2
        assert message in result.stderr
