"""`omni-iml detect` and the API on documents, archives and animations, with the tiny model."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import jsonschema
import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.inference.detector import Detector
from omni_iml.report.json import detection_schema
from omni_iml.types import Detection, UnreadableImage

RUNNER = CliRunner()


def jpeg(value: int = 250) -> bytes:
    pixels = np.full((90, 130, 3), 50, np.uint8)
    pixels[16:48, 24:80, 1] = value
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def write_pdf(path: Path, pages: int = 3) -> None:
    """Pillow writes each page as one JPEG."""
    pictures = [Image.open(io.BytesIO(jpeg(200 + 20 * number))) for number in range(pages)]
    pictures[0].save(path, "PDF", save_all=True, append_images=pictures[1:])


def write_zip(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name.replace("__", "/").replace("_", "."), data)


@pytest.fixture
def detect(tiny_model: Path):
    def run(*arguments: object):
        return RUNNER.invoke(app, ["detect", *map(str, arguments), "--model", str(tiny_model)])

    return run


def written(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*.json"))


def test_a_folder_of_documents(tmp_path, detect):
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "sub").mkdir(parents=True)
    write_pdf(folder / "sub" / "doc.pdf")
    write_zip(folder / "report.docx", word__media__image1_jpeg=jpeg(), word__document_xml=b"<x/>")
    (folder / "notes.txt").write_text("nothing")
    result = detect(folder, "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    assert written(out) == [
        "report.docx!word/media/image1.jpeg.json",
        "sub/doc.pdf.p001.json",
        "sub/doc.pdf.p002.json",
        "sub/doc.pdf.p003.json",
    ]
    assert (out / "sub" / "doc.pdf.p003.mask.png").is_file()
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    for line in lines:
        jsonschema.validate(line, detection_schema())
    assert [line["part"] for line in lines] == ["!word/media/image1.jpeg", ".p001", ".p002", ".p003"]
    assert lines[1]["source"] == str(folder / "sub" / "doc.pdf")
    assert lines[1]["facts"]["document"]["pages"] == 3
    assert lines[1]["verdict"] == "tampered"
    assert "4 analysed, 0 unreadable" in result.stderr
    assert "doc.pdf.p003" in result.stderr
    # A second run over results that lie beside their documents does not take them for pictures.
    detect(folder, "--out", folder)
    assert "4 analysed" in detect(folder).stderr


def test_pages_frames_and_errors(tmp_path, detect):
    write_pdf(tmp_path / "doc.pdf")
    assert "2 analysed, 0 unreadable" in detect(tmp_path / "doc.pdf", "--pages", "1,3").stderr
    frames = [Image.new("RGB", (70, 70), (0, 40 * number, 0)) for number in range(4)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    assert "1 analysed" in detect(tmp_path / "a.tif").stderr
    assert "4 analysed" in detect(tmp_path / "a.tif", "--frames", "all").stderr
    third = detect(tmp_path / "a.tif", "--frames", "3", "--json")
    assert json.loads(third.stdout)["part"] == ".p003"
    ninth = detect(tmp_path / "a.tif", "--frames", "9")
    assert ninth.exit_code == 1
    assert "it has 4 frames and number 9 was asked for" in ninth.stderr


@pytest.mark.parametrize(
    "options", [("--frames", "0"), ("--frames", "some"), ("--pages", "3-1"), ("--pages", "x"), ("--dpi", "0")]
)
def test_wrong_choices_are_wrong_usage(tmp_path, detect, options):
    write_pdf(tmp_path / "doc.pdf", 1)
    result = detect(tmp_path / "doc.pdf", *options)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def test_a_file_that_fails_in_part(tmp_path, detect):
    write_zip(tmp_path / "a.zip", good_jpg=jpeg(), bad_jpg=b"text")
    result = detect(tmp_path / "a.zip", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert f"{tmp_path / 'a.zip'}!bad.jpg: its content is text" in result.stderr
    assert "1 analysed, 1 unreadable" in result.stderr
    assert written(tmp_path / "out") == ["a.zip!good.jpg.json"]


def test_a_document_without_pictures_is_one_sentence(tmp_path, detect):
    write_zip(tmp_path / "a.docx", word__document_xml=b"<x/>")
    result = detect(tmp_path / "a.docx", "--quiet")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.endswith("a.docx: there is no picture in it that is read; name another file.")


def test_names_in_an_archive_stay_in_the_output_folder(tmp_path, detect):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in ("../../../up.jpg", "/abs.jpg", "C:\\drive.jpg", "Up.jpg", "x:y.jpg", "x_y.jpg"):
            file.writestr(name, jpeg())
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    result = detect(tmp_path / "a.zip", "--out", tmp_path / "deep" / "out")
    assert result.exit_code == 0, result.stderr
    assert written(tmp_path / "deep" / "out") == [
        "a.zip!Up~2.jpg.json",
        "a.zip!abs.jpg.json",
        "a.zip!drive.jpg.json",
        "a.zip!up.jpg.json",
        "a.zip!x_y.jpg.json",
        "a.zip!x_y~2.jpg.json",
    ]
    after = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert all(tmp_path / "deep" / "out" in path.parents for path in after - before)


def test_a_part_named_like_another_file_is_refused(tmp_path, detect):
    write_pdf(tmp_path / "doc.pdf", 1)
    (tmp_path / "doc.pdf.p001").write_bytes(jpeg())
    result = detect(tmp_path / "doc.pdf", tmp_path / "doc.pdf.p001", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "its results would overwrite those of another picture" in result.stderr
    assert written(tmp_path / "out") == ["doc.pdf.p001.json"]


def test_many_pages_share_one_line_of_warning(tmp_path, detect):
    with pdfium.PdfDocument.new() as document:
        for _ in range(5):
            document.new_page(200, 100)
        document.save(tmp_path / "blank.pdf")
    result = detect(tmp_path / "blank.pdf", "--dpi", "36")
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Warning: ")]
    assert line.startswith("Warning: blank.pdf.p001 and 4 more: this is a drawing of the page")


def test_the_api(tmp_path, tiny_model):
    detector = Detector(tiny_model, threads=1)
    write_pdf(tmp_path / "doc.pdf")
    with pytest.raises(UnreadableImage, match="it is a PDF document; look at the pictures in it with detect_parts"):
        detector.detect(tmp_path / "doc.pdf")
    (error,) = detector.detect_many([tmp_path / "doc.pdf"])
    assert isinstance(error, UnreadableImage)
    results = list(detector.detect_parts(tmp_path / "doc.pdf", pages=[2]))
    (result,) = results
    assert isinstance(result, Detection)
    assert (result.part, result.verdict) == (".p002", "tampered")
    paths = result.save(tmp_path / "out")
    assert paths["mask"].name == "doc.pdf.p002.mask.png"
    plain = list(detector.detect_parts(jpeg()))
    assert plain[0].part == ""
    assert plain[0].score == detector.detect(jpeg()).score
    array = np.full((64, 64, 3), 50, np.uint8)
    assert [result.part for result in detector.detect_parts(array)] == [""]
    with pytest.raises(ValueError, match="frames must be"):
        detector.detect_parts(array, frames=0)
    (missing,) = detector.detect_parts(tmp_path / "absent.pdf")
    assert "there is no such file" in str(missing)
