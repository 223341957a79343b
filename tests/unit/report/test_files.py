import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omni_iml.report import save as save_function
from omni_iml.report.files import output_stem, save


def test_four_files_by_the_contract_s_names(detection, tmp_path):
    paths = save(detection, tmp_path / "new" / "out")
    assert {kind: path.name for kind, path in paths.items()} == {
        "json": "photo.jpg.json",
        "mask": "photo.jpg.mask.png",
        "heatmap": "photo.jpg.heatmap.png",
        "overlay": "photo.jpg.overlay.png",
    }
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == sorted(p.name for p in paths.values())
    assert json.loads(paths["json"].read_text(encoding="utf-8")) == detection.to_json()
    with Image.open(paths["mask"]) as mask:
        assert mask.mode == "L"
        np.testing.assert_array_equal(np.asarray(mask), detection.mask * 255)
    with Image.open(paths["heatmap"]) as grey:
        np.testing.assert_array_equal(np.asarray(grey), np.rint(detection.probability * 255))
    with Image.open(paths["overlay"]) as overlay:
        np.testing.assert_array_equal(np.asarray(overlay), np.asarray(detection.overlay()))


def test_relative_folders_are_made(detection, tmp_path):
    assert save(detection, tmp_path, "a/b/scan.png")["json"] == tmp_path / "a" / "b" / "scan.png.json"


def test_detection_delegates(detection, tmp_path):
    assert detection.save(str(tmp_path), "x")["json"] == tmp_path / "x.json"
    assert save_function is save


def test_earlier_results_are_replaced(detection, tmp_path):
    save(detection, tmp_path)
    paths = save(replace(detection, verdict="no_trace"), tmp_path)
    assert json.loads(paths["json"].read_text(encoding="utf-8"))["verdict"] == "no_trace"
    assert len(list(tmp_path.iterdir())) == 4


def test_failure_leaves_no_half_written_file(detection, tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match=r"photo.jpg.mask.png: it cannot be written \(No space left"):
        save(detection, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("photo.jpg", "photo.jpg"),
        ("a/photo.jpg", "a/photo.jpg"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a/./b//c.png", "a/b/c.png"),
        ('what? "now": <1>|*.png', "what_ _now__ _1___.png"),
        ("back\\slash.png", "back_slash.png"),
        ("line\nbreak\x7f.png", "line_break_.png"),
        ("CON", "_CON"),
        ("nul.png", "_nul.png"),
        ("consul.png", "consul.png"),
        ("LPT¹.png", "_LPT¹.png"),
        ("aux .png", "_aux .png"),
        ("conout$", "_conout$"),
        ("a./b /c .png", "a_/b/c .png"),
        ("nul/x.png", "_nul/x.png"),
        ("a/photo.", "a/photo."),
        ("...", "_..."),
        ("", "picture"),
        ("..", "picture"),
        ("<3 bytes>", "_3 bytes_"),
        ("äöü 图.jpg", "äöü 图.jpg"),
        ("a\udcff.jpg", "a?.jpg".replace("?", "_")),
    ],
)
def test_stems_are_safe(name, stem):
    assert output_stem(name) == Path(stem)


def test_long_names_keep_their_end(detection, tmp_path):
    name = "ü" * 250 + ".jpeg"
    path = save(detection, tmp_path, name)["overlay"]
    assert path.name.endswith("ü.jpeg.overlay.png")
    assert len(path.name.encode()) <= 255
    assert path.is_file()


def test_long_names_with_one_end_stay_apart(detection, tmp_path):
    names = [f"{letter}{'図' * 80}.jpg" for letter in "ab"]  # 245 bytes, more than is kept
    paths = [save(detection, tmp_path, f"{'ü' * 120}/{name}")["json"] for name in names]
    assert paths[0] != paths[1]
    assert all(path.is_file() and path.name.endswith("図.jpg.json") for path in paths)
    assert all(len(part.encode()) <= 255 for part in paths[0].relative_to(tmp_path).parts)


def test_long_paths_are_written_in_the_form_that_windows_takes(detection, tmp_path, monkeypatch):
    seen = []

    def spelt(path):
        seen.append(path)
        return path

    monkeypatch.setattr("omni_iml.io.whole_file.openable", spelt)
    paths = save(detection, tmp_path, "a/b.png")
    assert {tmp_path / "a", *paths.values()} <= set(seen)


@pytest.mark.parametrize("source", ["C:\\photos\\me.jpg", "/photos/me.jpg", "me.jpg"])
def test_name_comes_from_the_source(detection, tmp_path, source):
    assert save(replace(detection, source=source), tmp_path)["json"].name == "me.jpg.json"
