"""`omni-iml detect` as people and programs use it, on small files, with the tiny model."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.io import load
from omni_iml.report.json import detection_schema

RUNNER = CliRunner()
COMMAND = [sys.executable, "-m", "omni_iml.cli"]


def green_patch(height: int = 90, width: int = 130) -> Image.Image:
    pixels = np.full((height, width, 3), 50, np.uint8)
    pixels[16:48, 24:80, 1] = 250
    return Image.fromarray(pixels)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with a JPEG, a PNG one folder down, and a text that calls itself JPEG."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    green_patch().save(folder / "photo.jpg", quality=92)
    green_patch(64, 65).save(folder / "sub" / "scan.png")
    (folder / "broken.jpg").write_text("this is no picture", encoding="utf-8")
    return folder


@pytest.fixture
def detect(tiny_model: Path):
    """Runs the command inside this process."""

    def run(*arguments: object):
        return RUNNER.invoke(app, ["detect", *map(str, arguments), "--model", str(tiny_model)])

    return run


def test_a_precision_that_the_runtime_does_not_have(detect, pictures):
    result = detect(pictures, "--precision", "bfloat16")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: precision bfloat16: runtime onnx computes in float32 alone; choose runtime torch.\n"
    )
    assert detect(pictures / "photo.jpg", "--precision", "float32").exit_code == 0


def test_the_installed_command(pictures, tiny_model, tmp_path):
    out = tmp_path / "deep" / "out"
    run = subprocess.run(
        [*COMMAND, "detect", str(pictures), "--out", str(out), "--model", str(tiny_model), "--json", "--threads", "1"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 1
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [Path(line["source"]).name for line in lines] == ["photo.jpg", "scan.png"]
    for line in lines:
        jsonschema.validate(line, detection_schema())
        assert line["verdict"] == "tampered"
        assert len(line["regions"]) == 1
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*")) == [
        f"{stem}.{kind}"
        for stem in ("photo.jpg", "sub/scan.png")
        for kind in ("heatmap.png", "json", "mask.png", "overlay.png")
    ]
    assert json.loads((out / "sub" / "scan.png.json").read_text(encoding="utf-8")) == lines[1]
    assert "broken.jpg" in run.stderr
    assert "Traceback" not in run.stderr
    assert "\x1b" not in run.stderr  # no progress bar and no colours where nobody looks


def test_mask_is_where_the_patch_is(pictures, detect, tmp_path):
    assert detect(pictures / "sub", "--out", tmp_path / "o").exit_code == 0
    with Image.open(tmp_path / "o" / "scan.png.mask.png") as picture:
        mask = np.asarray(picture)
    assert set(np.unique(mask)) == {0, 255}
    rows, columns = np.nonzero(mask)
    assert (rows.min(), columns.min()) == (16, 24)
    assert (rows.max(), columns.max()) == (47, 64)


def test_people_read_a_table_on_stderr(pictures, detect):
    result = detect(pictures / "photo.jpg")
    assert result.exit_code == 0
    assert result.stdout == ""
    for words in ("photo.jpg", "tampered", "1 analysed, 0 unreadable", "wholly generated"):
        assert words in result.stderr


def test_no_trace_is_never_called_authentic(tmp_path, detect):
    Image.new("RGB", (70, 70), (30, 30, 30)).save(tmp_path / "plain.png")
    result = detect(tmp_path / "plain.png")
    assert "no trace found" in result.stderr
    assert "authentic" not in result.stderr


def test_quiet_still_names_what_could_not_be_read(pictures, detect):
    result = detect(pictures, "--quiet")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "broken.jpg" in result.stderr


def test_a_missing_source_does_not_stop_the_others(pictures, detect):
    result = detect(pictures / "photo.jpg", pictures / "absent.jpg", "--json")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1
    assert "absent.jpg" in result.stderr


def test_warnings_are_shown(tmp_path, detect):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (100, 100, 3), dtype=np.uint8)).save(tmp_path / "whole.jpg")
    data = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    result = detect(tmp_path / "cut.jpg", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["warnings"]
    assert "Warning: cut.jpg:" in result.stderr


@pytest.mark.parametrize("arguments", [["absent.jpg"], ["empty"], ["absent*.png", "nowhere"]])
def test_nothing_to_analyse(tmp_path, monkeypatch, detect, arguments):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    result = detect(*arguments)
    assert result.exit_code == 2
    assert arguments[0] in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_missing_model(pictures, tmp_path):
    result = RUNNER.invoke(app, ["detect", str(pictures), "--model", str(tmp_path / "absent.onnx")])
    assert result.exit_code == 2
    assert "absent.onnx: there is no such model file" in result.stderr


@pytest.mark.parametrize(
    "options", [["--threads", "0"], ["--mask-threshold", "2"], ["--max-pixels", "0"], ["--mask-threshold", "x"]]
)
def test_options_out_of_range(pictures, detect, options):
    assert detect(pictures, *options).exit_code == 2


def test_pixel_limit(pictures, detect):
    result = detect(pictures / "photo.jpg", "--max-pixels", 100)
    assert result.exit_code == 1
    assert "photo.jpg" in result.stderr


def test_output_folder_that_is_a_file(pictures, detect, tmp_path):
    (tmp_path / "taken").write_text("")
    result = detect(pictures / "photo.jpg", "--out", tmp_path / "taken")
    assert result.exit_code == 2
    assert "taken: it cannot be written" in result.stderr


def test_an_output_folder_that_cannot_be_written_to_is_found_first(pictures, detect, tmp_path, monkeypatch):
    original = Path.open

    def forbid(path, mode="r", *arguments, **options):
        if "x" in mode:
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", forbid)  # a test run by root may write everywhere
    monkeypatch.setattr("omni_iml.inference.detector.Detector.__init__", None)  # is not reached
    result = detect(pictures / "photo.jpg", "--out", tmp_path / "o")
    assert result.exit_code == 2
    way_out = "change the permissions or write to another folder"
    assert result.stderr == f"Error: {tmp_path / 'o'}: it cannot be written (Permission denied); {way_out}.\n"


def test_a_second_run_does_not_analyse_the_first_one_s_maps(pictures, detect):
    (pictures / "broken.jpg").unlink()
    for _ in range(2):
        result = detect(pictures, "--out", pictures)
        assert "2 analysed, 0 unreadable" in result.stderr
    assert detect(pictures / "photo.jpg.mask.png").exit_code == 0  # but it does when it is told to


def test_files_of_others_are_not_replaced(pictures, detect):
    (pictures / "broken.jpg").unlink()
    foreign = {"photo.jpg.json": b'{"title": "photo.jpg", "photoTakenTime": {}}', "sub/scan.png.overlay.png": b"mine"}
    for name, data in foreign.items():
        (pictures / name).write_bytes(data)
    green_patch().save(pictures / "other.png")
    result = detect(pictures / "photo.jpg", pictures / "sub" / "scan.png", pictures / "other.png", "--out", pictures)
    assert result.exit_code == 1
    assert result.stderr.startswith(
        f"Error: {pictures / 'photo.jpg'}: its results would replace {pictures / 'photo.jpg.json'}, "
        "which is no result of ours; name another --out.\n"
    )
    assert "2 analysed, 1 unreadable" in result.stderr
    assert (pictures / "photo.jpg.json").read_bytes() == foreign["photo.jpg.json"]
    assert not (pictures / "photo.jpg.mask.png").exists()
    result = detect(pictures / "sub" / "scan.png", "--out", pictures / "sub", "--quiet")
    assert result.exit_code == 1
    assert "scan.png.overlay.png, which is no result of ours" in result.stderr
    assert (pictures / "sub" / "scan.png.overlay.png").read_bytes() == b"mine"


def test_a_picture_of_the_run_is_not_replaced(pictures, detect, monkeypatch):
    mine = pictures / "photo.jpg.mask.png"
    green_patch().save(mine)
    (pictures / "photo.jpg.json").write_text('{"schema": "other/1"}')  # is not ours, and so the mask is not either
    monkeypatch.setattr("omni_iml.inference.detector.Detector.__init__", None)  # is not reached
    before = {path: path.read_bytes() for path in pictures.rglob("*.*")}
    result = detect(pictures, "--out", pictures)
    assert result.exit_code == 2
    photo = pictures / "photo.jpg"
    assert result.stderr == f"Error: {mine}: the results of {photo} would replace it; name another --out.\n"
    assert {path: path.read_bytes() for path in pictures.rglob("*.*")} == before


def test_pages_and_frames_do_not_replace_files_of_others(detect, tmp_path):
    frames = [Image.new("RGB", (70, 70), (shade, 30, 30)) for shade in (30, 90)]
    frames[0].save(tmp_path / "two.tif", save_all=True, append_images=frames[1:])
    (tmp_path / "two.tif.json").write_text("{}")  # no result of two frames has this name
    (tmp_path / "two.tif.p002.json").write_text("{}")
    result = detect(tmp_path / "two.tif", "--frames", "all", "--out", tmp_path)
    assert result.exit_code == 1
    assert "1 analysed, 1 unreadable" in result.stderr
    assert "two.tif.p002: its results would replace" in result.stderr
    assert {(tmp_path / name).read_text() for name in ("two.tif.json", "two.tif.p002.json")} == {"{}"}
    assert (tmp_path / "two.tif.p001.json").is_file()


def test_results_of_a_file_that_cannot_be_read_any_more_are_removed(pictures, detect, tmp_path):
    out = tmp_path / "o"
    assert detect(pictures, "--out", out).exit_code == 1
    (out / "photo.jpg.note.txt").write_text("mine")
    (out / "broken.jpg.json").write_text("{}")  # not ours
    (pictures / "photo.jpg").write_text("garbage", encoding="utf-8")
    result = detect(pictures, "--out", out)
    assert result.exit_code == 1
    assert "1 analysed, 2 unreadable" in result.stderr
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*")) == [
        "broken.jpg.json",
        "photo.jpg.note.txt",
        *(f"sub/scan.png.{kind}" for kind in ("heatmap.png", "json", "mask.png", "overlay.png")),
    ]


def test_results_of_the_members_of_an_archive_go_with_it(detect, tmp_path):
    out = tmp_path / "o"
    for name in ("a.zip", "a.zip2.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member in ("x.png", "deep/y.png"):
                with archive.open(member, "w") as stream:
                    green_patch().save(stream, format="PNG")
    assert detect(tmp_path / "a.zip", tmp_path / "a.zip2.zip", "--out", out).exit_code == 0
    assert len(list(out.rglob("*.json"))) == 4
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 garbage")
    assert detect(tmp_path / "a.zip", "--out", out).exit_code == 1
    left = {path.relative_to(out).parts[0] for path in out.rglob("*.*") if path.is_file()}
    assert left == {"a.zip2.zip!deep", "a.zip2.zip!x.png.json"} | {
        f"a.zip2.zip!x.png.{kind}.png" for kind in ("heatmap", "mask", "overlay")
    }


def test_same_names_from_two_folders_are_kept_apart(tmp_path, detect):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        green_patch().save(tmp_path / folder / "x.png")
    assert detect(tmp_path / "a" / "x.png", tmp_path / "b" / "x.png", "--out", tmp_path / "o").exit_code == 0
    assert len(list((tmp_path / "o").rglob("*.json"))) == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_would_share_their_output_are_refused(tmp_path, detect):
    for name in ("a:b.png", "a?b.png"):
        green_patch().save(tmp_path / name)
    result = detect(tmp_path, "--out", tmp_path / "o")
    assert result.exit_code == 2
    assert "would overwrite" in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_hostile_file_names(tmp_path, detect):
    green_patch().save(tmp_path / "[red]\x1b[31m\n.png")
    result = detect(tmp_path, "--out", tmp_path / "o")
    assert result.exit_code == 0
    assert "\x1b" not in result.stderr
    assert "[red]" in result.stderr


def test_debug_shows_tracebacks(pictures, detect):
    result = detect(pictures, "--debug")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "2 analysed" in result.stderr


def test_full_disk(pictures, detect, tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    result = detect(pictures / "photo.jpg", "--out", tmp_path / "o")
    assert result.exit_code == 3
    named = tmp_path / "o" / "photo.jpg.mask.png"
    way_out = "make room or write to another folder"
    assert result.stderr == f"Error: {named}: it cannot be written (No space left on device); {way_out}.\n"


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_reader_that_goes_away(tiny_model, tmp_path):
    for number in range(30):
        green_patch(300, 300).save(tmp_path / f"{number}.png")
    with subprocess.Popen(
        [*COMMAND, "detect", str(tmp_path), "--json", "--quiet", "--model", str(tiny_model)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"schema"')
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


@pytest.fixture
def interruptible():
    """A process started from here hears SIGINT, even if this one was started in the background and does not."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.usefixtures("interruptible")
def test_interrupt(tiny_model, tmp_path):
    for number in range(300):
        green_patch(300, 300).save(tmp_path / f"{number}.png", compress_level=1)
    with subprocess.Popen(
        [*COMMAND, "detect", str(tmp_path), "--json", "--quiet", "--model", str(tiny_model)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip() == b"Stopped."
    assert len(rest.splitlines()) < 299


def test_a_library_s_warnings_are_no_messages_for_users(tmp_path, tiny_model):
    path = tmp_path / "animated.png"
    green_patch().save(path)
    data = path.read_bytes()
    empty = struct.pack(">L4sLL", 8, b"acTL", 0, 0)  # an animation of no frames: Pillow warns
    path.write_bytes(data[:33] + empty + struct.pack(">L", zlib.crc32(empty[4:])) + data[33:])
    with pytest.warns(UserWarning, match="APNG"):
        load(path)
    done = subprocess.run(
        [*COMMAND, "detect", str(path), "--model", str(tiny_model), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "UserWarning" not in done.stderr
