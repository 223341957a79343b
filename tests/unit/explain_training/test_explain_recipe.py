from __future__ import annotations

from pathlib import Path

import pytest

from omni_iml.annotate.source_sets import SOURCE_SETS, source_set
from omni_iml.explain_training.recipe import load_explain_recipe

FOLDER = Path(__file__).resolve().parents[3] / "recipes/explain"
RECIPES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "paper.yaml")


def test_there_is_a_recipe_for_each_model_and_fine_tuned_mode():
    names = {path.stem.rpartition("_")[0] for path in RECIPES}
    assert len(names) == 5
    assert {path.stem for path in RECIPES} == {f"{name}_{mode}" for name in names for mode in ("reference", "plain")}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_have_the_papers_numbers(path):
    recipe = load_explain_recipe(path)
    assert (recipe.name, recipe.query.mode) == (path.stem, path.stem.rpartition("_")[2])
    optim = recipe.optim
    assert (recipe.lora.rank, optim.batch, optim.steps, optim.lr) == (64, 16, 60_000, 1e-4)


def test_they_train_on_the_training_part_of_omni_273k():
    recipe = load_explain_recipe(RECIPES[0])
    known = {source_set(Path(one.annotations).stem) for one in recipe.sets.values()}
    assert known == {one for one in SOURCE_SETS if one.split != "test"}
    assert {one.split for one in recipe.sets.values()} == {"train"}


@pytest.mark.parametrize(
    ("text", "overrides", "said"),
    [
        ("name: a\nmodel: m\nsets: {mine: {annotations: a, pictures: p}}", [], "sets.mine.masks: is missing"),
        ("name: a\nmodel: m\nsets: {}", [], "sets: "),
        ("name: a\nmodel: m\nsets: {mine: {annotations: a, pictures: p, masks: m}}", ["lora.rang=3"], "lora.rang: "),
        ("name: a\nmodel: m\nsets: {mine: {annotations: a, pictures: p}}", ["query.mode=zero_shot"], "query.mode: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, overrides, said):
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=said):
        load_explain_recipe(path, overrides)


def test_without_the_reference_prompt_no_masks_are_needed(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: a\nmodel: m\nsets: {mine: {annotations: a, pictures: p}}\nquery: {mode: plain}", "utf-8")
    assert load_explain_recipe(path, ["optim.steps=7"]).optim.steps == 7
