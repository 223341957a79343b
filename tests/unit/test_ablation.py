"""The small ablation: names of kept results, its tables, and that the page has what the results give."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from script_modules import load_script

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "ablation.py"
if not SCRIPT.is_file():
    pytest.skip("the script is not part of this source distribution", allow_module_level=True)
pytest.importorskip("torch")


@pytest.fixture(scope="module")
def ablation() -> ModuleType:
    return load_script(SCRIPT)


def score(natural: float, **changes: float) -> dict[str, float]:
    return {"iou_natural": natural, "iou_document": 0.2, "iou_face": 0.4, "iou_scene_text": 0.3, **changes}


def keep(folder: Path, name: str, scores: dict[str, float]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(scores))


def rows(text: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return {line[0]: line[1:] for line in lines}


def test_the_page_has_what_the_kept_results_give(ablation: ModuleType) -> None:
    """If this fails: python scripts/ablation.py --print --page docs/reproduction.md."""
    from omni_iml.evaluation.pages import part

    page = ROOT / "docs" / "reproduction.md"
    assert part(page.read_text(encoding="utf-8"), "ablation", page.name) == ablation.all_tables()


def test_means_spread_and_the_papers_numbers(ablation: ModuleType, tmp_path: Path) -> None:
    keep(tmp_path / "800", "omni-iml-1", score(0.5))
    keep(tmp_path / "800", "omni-iml-2", score(0.7))
    keep(tmp_path / "800", "wo-mg-1", score(0.3))
    keep(tmp_path / "800", "wo-mg-vision-1", score(0.9))
    keep(tmp_path / "800", "natural-alone-1", {"iou_natural": 0.65})
    keep(tmp_path / "800", "no-gate-loss-1", score(0.4, image_accuracy=0.75))
    text = ablation.all_tables(tmp_path)
    found = rows(text.split("**The recipe's choices")[1]) | rows(text.split("**The recipe's choices")[0])
    paper = ["0.612", "0.766", "0.610", "0.923", "0.728"]
    assert found["Omni-IML"] == [
        "2", "0.600 ± 0.100", "0.200 ± 0.000", "0.300 ± 0.000", "0.400 ± 0.000", "0.375 ± 0.025", "", *paper
    ]  # fmt: skip
    # w.o. MG is not mixed up with w.o. MG*, and its average lies 0.075 below.
    assert found["w.o. MG"][:7] == ["1", "0.300", "0.200", "0.300", "0.400", "0.300", "-0.075"]
    assert found["w.o. MG"][-1] == "-0.099"
    assert found["w.o. MG*"][1] == "0.900"
    assert found["Baseline"][:7] == ["0", *["not run"] * 5, ""]
    assert found["natural"] == ["0.650", "0.600 ± 0.100", "-0.050", "0.628", "0.612", "-0.016"]
    assert found["document"] == ["not run", "0.200 ± 0.000", "", "0.774", "0.766", "-0.008"]
    assert found["no gate loss"] == [
        "`loss.gate=0`", "1", "0.400", "0.200", "0.300", "0.400", "0.325", "-0.050", "0.750"
    ]  # fmt: skip
    assert found["no dice loss"] == ["`loss.dice=0`", "0", *["not run"] * 5, "", "not run"]
    assert "By the average" not in text  # rows are missing


def test_the_order_where_every_row_was_run(ablation: ModuleType, tmp_path: Path) -> None:
    for place, name in enumerate(ablation.T5):
        keep(tmp_path / "8000", f"{ablation.file_name(name)}-1", score(0.5 + place / 100))
    text = ablation.all_tables(tmp_path)
    assert "here: w.o. AE > w.o. DW > w.o. DWD > w.o. MG* > w.o. MG > Baseline > Omni-IML;" in text
    assert "in the paper: Omni-IML > w.o. DW > w.o. AE > w.o. MG* > w.o. MG > w.o. DWD > Baseline." in text


def test_budgets_are_apart_and_none_is_said(ablation: ModuleType, tmp_path: Path) -> None:
    assert ablation.all_tables(tmp_path) == "No run is kept yet."
    keep(tmp_path / "8000", "omni-iml-1", score(0.5))
    keep(tmp_path / "800", "omni-iml-1", score(0.5))
    text = ablation.all_tables(tmp_path)
    assert text.index("C-T5 in small: 800 samples") < text.index("C-T5 in small: 8,000 samples")


def test_every_run_has_a_file_of_its_own_and_the_same_budget(ablation: ModuleType) -> None:
    recipes = ablation.runs(8000)
    names = [ablation.file_name(name) for name in recipes]
    assert names[:4] == ["omni-iml", "baseline", "wo-mg", "wo-mg-vision"]
    assert names[10:12] == ["scene_text-alone", "no-dice-loss"]
    assert len(set(names)) == len(names) == 16
    assert {recipe.optim.steps * recipe.optim.batch for recipe in recipes.values()} == {8000}
    assert {recipe.loss.detection for recipe in recipes.values()} == {1}
    assert [name for name, recipe in recipes.items() if recipe.loss.gate == 0] == ["no gate loss"]
    assert [name for name, recipe in recipes.items() if recipe.optim.ema > 0] == ["average of the weights"]
