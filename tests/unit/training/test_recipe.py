import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from omni_iml.models import PRESETS, VARIANTS, OmniIML, preset
from omni_iml.training.losses import LossConfig
from omni_iml.training.recipe import Recipe, load_recipe

FOLDER = Path(__file__).resolve().parents[3] / "recipes"
RECIPES = sorted(FOLDER.rglob("*.yaml"))


@pytest.fixture
def write(tmp_path):
    def to_file(text: str) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def test_there_are_recipes():
    assert "bundled.yaml" in [path.name for path in RECIPES]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_read_and_builds(path):
    recipe = load_recipe(path)
    with torch.device("meta"):
        OmniIML(recipe.model)


def test_the_papers_recipe():
    recipe = load_recipe(FOLDER / "iclr2026_base.yaml")
    optim = recipe.optim
    assert (optim.batch, optim.steps, optim.lr, optim.final_lr, optim.decay) == (16, 400_000, 1e-4, 1e-6, "linear")
    assert recipe.synthesis.size == 512
    assert recipe.synthesis.domains == {"natural": 10, "document": 5, "face": 2, "scene_text": 20}
    assert recipe.loss == LossConfig()
    assert recipe.model == preset("base")


@pytest.mark.parametrize("size", ["small", "large"])
def test_another_size_changes_the_backbone_alone(size):
    base, other = (load_recipe(FOLDER / f"iclr2026_{name}.yaml") for name in ("base", size))
    assert other == replace(base, name=f"iclr2026-{size}", model=replace(base.model, backbone=f"convnext_{size}"))


def test_the_first_versions_recipe():
    base, first = (load_recipe(FOLDER / f"{name}.yaml") for name in ("iclr2026_base", "arxiv_v1"))
    assert first.model == preset("base", "arxiv-v1")
    assert first.optim == replace(base.optim, steps=370_000)
    assert "scene_text" not in first.synthesis.domains


@pytest.mark.parametrize("path", sorted((FOLDER / "ablations").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_ablation_changes_the_variant_alone(path):
    base, recipe = load_recipe(FOLDER / "iclr2026_base.yaml"), load_recipe(path)
    assert recipe.model in [preset("base", variant) for variant in set(VARIANTS) - {"iclr2026", "arxiv-v1"}]
    assert recipe == replace(base, name=path.stem.replace("_", "-"), model=recipe.model)


def test_every_ablation_has_a_recipe():
    named = {
        yaml.safe_load(path.read_text(encoding="utf-8"))["model"]["variant"]
        for path in RECIPES
        if "ablations" in path.parts
    }
    assert named == set(VARIANTS) - {"iclr2026", "arxiv-v1"}


def test_what_a_recipe_leaves_out_has_the_papers_values(write):
    recipe = load_recipe(write("name: plain"))
    assert recipe == Recipe("plain")
    assert recipe.model == PRESETS["base"]()
    assert (recipe.optim.lr, recipe.optim.final_lr, recipe.optim.decay) == (1e-4, 1e-6, "linear")


def test_a_preset_may_be_changed_in_part(write):
    bundled = PRESETS["bundled"]()
    text = "name: x\nmodel:\n  preset: bundled\n  gate_width: 24\n  frequency:\n    residual: false\n"
    model = load_recipe(write(text)).model
    assert model.gate_width == 24
    assert model.frequency.residual is False
    assert model.frequency.out == bundled.frequency.out  # its neighbours stay the preset's
    assert model.decoder_width == bundled.decoder_width


def test_a_variant_may_have_any_size_and_be_changed_in_part(write):
    model = load_recipe(write("name: x\nmodel: {preset: bundled, variant: arxiv-v1, filters: 2}\n")).model
    assert model == replace(preset("bundled", "arxiv-v1"), filters=2)
    model = load_recipe(write("name: x\nmodel: small\n"), ["model.variant=soft-gate"]).model
    assert model == preset("small", "soft-gate")


def test_overrides(write):
    path = write("name: x\nmodel: bundled\noptim:\n  batch: 4\n")
    recipe = load_recipe(
        path,
        [
            "optim.batch=8",
            "optim.lr=1e-3",
            "optim.betas=[0.5, 0.6]",
            "model.frequency.out=32",
            "synthesis.size=256",
            "seed=9",
            "synthesis.domains={natural: 1.0}",
        ],
    )
    assert (recipe.optim.batch, recipe.optim.lr, recipe.optim.betas) == (8, 0.001, (0.5, 0.6))
    assert recipe.model.frequency.out == 32
    assert recipe.model.frequency.embed == PRESETS["bundled"]().frequency.embed
    assert (recipe.synthesis.size, recipe.seed, recipe.synthesis.domains) == (256, 9, {"natural": 1.0})
    assert load_recipe(path).optim.batch == 4


def test_a_recipe_can_be_written_and_read_again(write):
    recipe = load_recipe(FOLDER / "arxiv_v1.yaml")
    # Sequences are lists in YAML and tuples here; reading makes them equal again.
    assert load_recipe(write(yaml.safe_dump(json.loads(json.dumps(recipe.to_dict()))))) == recipe


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no recipe"),
        ("- a\n- b", "holds no recipe"),
        ("name: [", "cannot be read as a recipe"),
        ("seed: 1", "name: "),
        ("name: x\nbogus: 1", "bogus: "),
        ("name: x\noptim:\n  bogus: 1", "optim.bogus: "),
        ("name: x\nsynthesis:\n  bogus: 1", "synthesis.bogus: "),
        ("name: x\nmodel:\n  bogus: 1", "model.bogus: "),
        ("name: x\nmodel:\n  frequency: 3", "model.frequency: "),
        ("name: x\noptim:\n  batch: many", "optim.batch: "),
        ("name: x\noptim:\n  batch: 0", "optim.batch: "),
        ("name: x\noptim:\n  steps: -5", "optim.steps: "),
        ("name: x\noptim:\n  decay: sudden", "optim.decay: "),
        ("name: x\noptim: 5", "optim: "),
        ("name: x\nsynthesis:\n  size: 100", "synthesis.size: 100 is not a multiple of 32"),
        ("name: x\nvalidation:\n  size: 250", "validation.size: 250 is not a multiple of 32"),
        (
            "name: x\nmodel: enormous",
            "preset 'enormous' is unknown; the presets are base, small, large, bundled",
        ),
        ("name: x\nmodel:\n  preset: [base]", "model: preset ['base'] is unknown"),
        ("name: x\nmodel:\n  variant: v3", "model: variant 'v3' is unknown; the variants are iclr2026, arxiv-v1"),
        ("name: x\nmodel: 5", "model: is neither"),
        ("name: x\nmodel: [base]", "model: is neither"),
    ],
)
def test_a_bad_recipe_is_told_in_one_sentence(write, text, words):
    path = write(text)
    with pytest.raises(ValueError, match=r"\.$") as caught:
        load_recipe(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("optim.batch", "section.key=value"),
        ("=5", "section.key=value"),
        ("optim.=5", "section.key=value"),
        ("name.first=5", "'name' is not a section"),
        ("optim.batch.x=5", "'batch' is not a section"),
        ("optim.betas=[0.5", "the value is not YAML"),
    ],
)
def test_a_bad_override_is_told_in_one_sentence(write, override, words):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        load_recipe(write("name: x\noptim:\n  batch: 4"), [override])
    message = str(caught.value)
    assert message.startswith(f"--set {override}: ")
    assert words in message
    assert "\n" not in message


def test_an_override_of_an_unknown_key_names_file_and_key(write):
    path = write("name: x")
    with pytest.raises(ValueError, match=r"optim\.bogus: ") as caught:
        load_recipe(path, ["optim.bogus=1"])
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_bytes(b"\xff\xfe\x00x")]
)
def test_a_file_that_is_no_text_is_told(tmp_path, make):
    path = tmp_path / "gone.yaml"
    make(path)
    with pytest.raises(ValueError, match=r"gone\.yaml: cannot be read as a recipe \(.*\); give a YAML file"):
        load_recipe(path)
