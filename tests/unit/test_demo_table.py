"""The table that `make demo` prints."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from script_modules import load_script

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "demo_table.py"
if not SCRIPT.is_file():
    pytest.skip("the demonstration's script is not part of this source distribution", allow_module_level=True)


@pytest.fixture(scope="module")
def demo_table() -> ModuleType:
    return load_script(SCRIPT)


def write_mask(path: Path, box: tuple[int, int, int, int] | None, size: tuple[int, int] = (40, 30)) -> None:
    mask = np.zeros(size[::-1], np.uint8)
    if box is not None:
        mask[box[1] : box[3], box[0] : box[2]] = 255
    Image.fromarray(mask).save(path)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    found, masks = tmp_path / "found", tmp_path / "masks"
    found.mkdir()
    masks.mkdir()
    entries = [
        {"file": "a.jpg", "domain": "scene_text", "label": "tampered", "mask": "a.jpg.mask.png"},
        {"file": "b.jpg", "domain": "document", "label": "authentic", "mask": None},
    ]
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({"pictures": entries}))
    (found / "a.jpg.json").write_text(json.dumps({"verdict": "tampered", "score": 0.9}))
    (found / "b.jpg.json").write_text(json.dumps({"verdict": "tampered", "score": 0.7}))
    write_mask(found / "a.jpg.mask.png", (0, 0, 20, 10))
    write_mask(found / "b.jpg.mask.png", (0, 0, 12, 10))
    write_mask(masks / "a.jpg.mask.png", (10, 0, 30, 10))
    return found, truth, masks


def test_a_row_holds_the_overlap_with_the_true_mask(demo_table: ModuleType, folders: tuple[Path, Path, Path]) -> None:
    tampered, authentic = demo_table.compare(*folders)
    assert (tampered.verdict, tampered.score, tampered.label) == ("tampered", 0.9, "tampered")
    assert tampered.iou == pytest.approx(100 / 300)
    assert tampered.marked == pytest.approx(200 / 1200)
    assert np.isnan(authentic.iou)
    assert authentic.marked == pytest.approx(0.1)


def test_a_false_alarm_is_shown_and_counted(
    demo_table: ModuleType, folders: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo_table.main([str(folder) for folder in folders]) == 0
    printed = capsys.readouterr().out
    assert "1 of 1 tampered pictures called tampered, 1 of 1 authentic ones called so wrongly" in printed
    assert "mean IoU of the masks 0.33" in printed
    assert "wrong" in next(line for line in printed.splitlines() if "b.jpg" in line)
    assert "right" in next(line for line in printed.splitlines() if "a.jpg" in line)
    assert str(folders[0].resolve()) in printed


def test_a_missing_result_is_named_and_fails(
    demo_table: ModuleType, folders: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (folders[0] / "b.jpg.json").unlink()
    assert demo_table.main([str(folder) for folder in folders]) == 1
    assert "b.jpg.json" in capsys.readouterr().err


def test_masks_of_different_size_are_refused(
    demo_table: ModuleType, folders: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write_mask(folders[2] / "a.jpg.mask.png", None, (41, 30))
    assert demo_table.main([str(folder) for folder in folders]) == 1
    assert "40x30" in capsys.readouterr().err
