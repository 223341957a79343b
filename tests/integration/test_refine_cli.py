from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.explain.refine.refining import refinement_schema
from omni_iml.io.parts import load_parts

EXAMPLES = Path(__file__).parents[2] / "examples"
TRUTH = EXAMPLES.parent / "examples-truth"


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.slow
def test_a_rough_mask_snaps_to_the_text_that_the_explanation_names(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    code, _, error = run("explain", EXAMPLES / "receipt.jpg", "--masks", TRUTH, "--ocr", "--out", tmp_path / "r", "-q")
    assert code == 0, error
    with Image.open(TRUTH / "receipt.jpg.mask.png") as picture:
        truth = np.asarray(picture.convert("L")) > 127
    rough = np.zeros_like(truth)
    rows, columns = np.nonzero(truth[:400])  # the date, the upper one of two regions
    rough[rows.min() - 8 : rows.max() + 9, columns.min() - 25 : columns.max() + 26] = True
    Image.fromarray(rough).save(tmp_path / "r" / "receipt.jpg.mask.png")
    code, out, error = run(
        "refine", EXAMPLES / "receipt.jpg", "--results", tmp_path / "r", "--truth", TRUTH, "--domain", "document",
        "--out", tmp_path / "o", "--json",
    )  # fmt: skip
    assert code == 0, error
    told = json.loads(out)
    jsonschema.validate(told, refinement_schema())
    assert told["changes"][0]["kind"] == "snapped"
    assert told["iou_after"] > told["iou_before"] + 0.1
    assert "before" in error
    assert json.loads((tmp_path / "o" / "receipt.jpg.refinement.json").read_text("utf-8")) == told
    with Image.open(tmp_path / "o" / "receipt.jpg.mask.png") as picture:
        assert np.count_nonzero(np.asarray(picture)) == told["pixels_after"]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    (tmp_path / "r").mkdir()
    common = ("refine", EXAMPLES / "receipt.jpg", "--domain", "document")
    code, _, error = run(*common, "--results", tmp_path / "r", "--out", tmp_path / "o")
    assert code == 1
    assert "receipt.jpg.explanation.json: the explanation cannot be read" in error
    assert run(*common, "--results", tmp_path / "r", "--out", tmp_path / "r")[0] == 2
    assert run(*common, "--results", tmp_path / "nowhere", "--out", tmp_path / "o")[0] == 2


def test_a_mask_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    (tmp_path / "r").mkdir()
    (tmp_path / "o").mkdir()
    mine = tmp_path / "o" / "receipt.jpg.mask.png"
    mine.write_bytes(b"drawn by hand")
    common = ("refine", EXAMPLES / "receipt.jpg", "--domain", "document")
    code, _, error = run(*common, "--results", tmp_path / "r", "--out", tmp_path / "o")
    assert code == 1
    assert f"receipt.jpg: its results would replace {mine}, which is no result of ours; name another --out" in error
    assert mine.read_bytes() == b"drawn by hand"


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that reads nothing, so that these tests need none."""

    class Reader:
        def read(self, pixels: object) -> list[object]:
            return []

    monkeypatch.setattr("omni_iml.cli.explain.text_reader", lambda asked: Reader() if asked else None)


def pages_with_masks(folder: Path, ending: str) -> Path:
    """Three pages in one file, and masks of all of them in `folder`/r."""
    sizes = (40, 30), (50, 30), (60, 30)
    pages = [Image.new("RGB", size, (200, 190, 180)) for size in sizes]
    path = folder / f"three{ending}"
    # Pages of so few pixels are drawn rather than taken out, in these sizes at 36 dots an inch only.
    pages[0].save(path, save_all=True, append_images=pages[1:], **({"resolution": 36} if ending == ".pdf" else {}))
    (folder / "r").mkdir()
    for number, size in enumerate(sizes, 1):
        marked = np.zeros(size[::-1], bool)
        marked[5:15, 5:25] = True
        Image.fromarray(marked).save(folder / "r" / f"three{ending}.p{number:03d}.mask.png")
    return path


def stems(folder: Path, ending: str) -> list[str]:
    return sorted(path.name.removesuffix(ending) for path in folder.glob(f"*{ending}"))


@pytest.mark.parametrize(
    ("ending", "chosen", "parts"),
    [
        (".tif", ["--frames", "all"], ["p001", "p002", "p003"]),
        (".tif", ["--frames", "2"], ["p002"]),
        (".pdf", ["--dpi", "36"], ["p001", "p002", "p003"]),
        (".pdf", ["--dpi", "36", "--pages", "2-3"], ["p002", "p003"]),
    ],
)
def test_what_was_explained_of_a_file_of_pages_is_refined(
    blind: None, tmp_path: Path, ending: str, chosen: list[str], parts: list[str]
) -> None:
    path, results = pages_with_masks(tmp_path, ending), tmp_path / "r"
    code, _, error = run("explain", path, "--masks", results, "--no-ocr", "--out", results, *chosen)
    assert code == 0, error
    common = ("--results", results, "--domain", "document")
    code, out, error = run("refine", path, *common, "--out", tmp_path / "o", "--json", *chosen)
    assert code == 0, error
    names = [f"{path.name}.{part}" for part in parts]
    assert [json.loads(line)["source"] for line in out.splitlines()] == names
    assert stems(results, ".explanation.json") == names
    assert stems(tmp_path / "o", ".refinement.json") == stems(tmp_path / "o", ".mask.png") == names


def test_masks_of_0_and_1_are_warned_of(blind: None, tmp_path: Path) -> None:
    path, results = pages_with_masks(tmp_path, ".tif"), tmp_path / "r"
    run("explain", path, "--masks", results, "--no-ocr", "--out", results, "--frames", "all")
    first = results / "three.tif.p001.mask.png"
    with Image.open(first) as mask:
        mask.convert("L").point(lambda level: level // 255).save(first)
    common = ("--results", results, "--domain", "document", "--frames", "all")
    code, _, error = run("refine", path, *common, "--out", tmp_path / "o", "-q")
    assert code == 0, error
    assert f"Warning: {first}: the mask's largest value is 1" in error


def test_a_page_without_an_explanation_is_named_and_the_others_are_done(blind: None, tmp_path: Path) -> None:
    path, results = pages_with_masks(tmp_path, ".tif"), tmp_path / "r"
    assert run("explain", path, "--masks", results, "--no-ocr", "--out", results, "--frames", "all")[0] == 0
    (results / "three.tif.p002.explanation.json").unlink()
    common = ("--results", results, "--domain", "document", "--out", tmp_path / "o")
    code, _, error = run("refine", path, *common, "--frames", "all", "-q")
    assert code == 1
    assert error.count("the explanation cannot be read") == 1
    assert "three.tif.p002.explanation.json" in error
    assert stems(tmp_path / "o", ".mask.png") == ["three.tif.p001", "three.tif.p003"]
    assert run("refine", path, *common, "--frames", "0")[0] == 2


def test_the_password_is_handed_on(blind: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(
        "omni_iml.io.parts.load_parts", lambda path, *, password, **_: told.append(password) or load_parts(path)
    )
    path = pages_with_masks(tmp_path, ".pdf")
    common = ("--results", tmp_path / "r", "--domain", "document", "--out", tmp_path / "o", "-q")
    assert run("refine", path, *common, "--password", "open sesame")[0] == 1  # nothing was explained
    assert told == ["open sesame"]
