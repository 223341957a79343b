import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from omni_iml.data.readers import READERS
from omni_iml.data.sources import DOMAINS
from omni_iml.models import PRESETS, VARIANTS, OmniConfig, OmniIML, PeerConfig, preset
from omni_iml.training.losses import LossConfig
from omni_iml.training.recipe import OptimConfig, Recipe, load_recipe

FOLDER = Path(__file__).resolve().parents[3] / "recipes"
RECIPES = sorted(path for path in FOLDER.rglob("*.yaml") if path.parent.name != "explain")


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
    if isinstance(
        recipe.model, OmniConfig
    ):  # a peer is built, and trained, by tests/integration/test_training_of_peers.py
        with torch.device("meta"):
            OmniIML(recipe.model)


def test_the_papers_recipe():
    recipe = load_recipe(FOLDER / "iclr2026_base.yaml")
    optim = recipe.optim
    assert (optim.batch, optim.steps, optim.lr, optim.final_lr, optim.decay) == (16, 400_000, 1e-4, 1e-6, "linear")
    assert recipe.synthesis.size == 512
    assert recipe.data.domains == {"natural": 10, "document": 5, "face": 2, "scene_text": 20}
    ratios = {name: one.ratio for name, one in recipe.data.sets.items()}
    assert [ratios[name] for name in ("tampcoco", "casia2", "miml", "coco")] == [2, 2, 2, 1]
    assert [ratios[name] for name in ("sacp", "doctamper")] == [1, 2]
    assert (recipe.data.domains_as, recipe.data.sets_as, recipe.data.synthetic) == ("repeat", "share", 0)
    counts = [READERS[name].total or READERS[name].tampered or READERS[name].authentic for name in recipe.data.sets]
    assert sum(counts) == 1_012_515
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
    assert set(first.data.sets) - set(base.data.sets) == {"faceshifter", "celeba-hq"}
    assert set(base.data.sets) - set(first.data.sets) == {"openforensics", "tampered-ic13"}
    assert "scene_text" not in first.data.domains


VARIED = [
    path for path in sorted((FOLDER / "ablations").glob("*.yaml")) if "variant:" in path.read_text(encoding="utf-8")
]
"""The ablations of the network."""


@pytest.mark.parametrize("path", VARIED, ids=lambda path: path.stem)
def test_an_ablation_changes_the_variant_alone(path):
    base, recipe = load_recipe(FOLDER / "iclr2026_base.yaml"), load_recipe(path)
    assert recipe.model in [preset("base", variant) for variant in set(VARIANTS) - {"iclr2026", "arxiv-v1"}]
    assert recipe == replace(base, name=path.stem.replace("_", "-"), model=recipe.model)


@pytest.mark.parametrize("ratios", [(10, 5, 10, 20), (10, 5, 2, 50), (10, 5, 2, 5)])
def test_the_sampling_ratios_ablated(ratios):
    base = load_recipe(FOLDER / "iclr2026_base.yaml")
    name = "t19_" + "_".join(str(ratio) for ratio in ratios)
    recipe = load_recipe(FOLDER / "ablations" / f"{name}.yaml")
    domains = dict(zip(DOMAINS, ratios, strict=True))
    assert recipe == replace(base, name=name.replace("_", "-"), data=replace(base.data, domains=domains))


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_single_task_has_its_domains_sets_alone(domain):
    base = load_recipe(FOLDER / "iclr2026_base.yaml")
    recipe = load_recipe(FOLDER / "single_task" / f"{domain}.yaml")
    own = {name: one for name, one in base.data.sets.items() if READERS[name].own_domain == domain}
    assert own
    wanted = replace(base, name=f"single-{domain.replace('_', '-')}", data=replace(base.data, sets=own))
    assert recipe == wanted


@pytest.mark.parametrize("size", ["small", "large"])
def test_sizes_of_the_first_version(size):
    first, other = load_recipe(FOLDER / "arxiv_v1.yaml"), load_recipe(FOLDER / "ablations" / f"a_t6_{size}.yaml")
    assert other == replace(first, name=f"a-t6-{size}", model=preset(size, "arxiv-v1"))


PEERS = {
    "mesorch": PeerConfig("Mesorch"),
    "sparsevit": PeerConfig("SparseViT", {"img_size": 512}),
    "iml_vit": PeerConfig("IML_ViT", {"input_size": 512}),
    "pscc_net": PeerConfig("PSCC_Net", {"input_size": 512, "pretrain_path": ""}),
}


def test_there_is_a_recipe_for_every_peer():
    assert {path.stem for path in (FOLDER / "peers").glob("*.yaml")} == {*PEERS, "convnext_uper"}


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_takes_the_networks_place_and_changes_nothing_else(name):
    base, recipe = load_recipe(FOLDER / "iclr2026_base.yaml"), load_recipe(FOLDER / "peers" / f"{name}.yaml")
    assert recipe == replace(base, name=name.replace("_", "-"), model=PEERS[name])
    assert recipe.synthesis.size == recipe.validation.size == recipe.model.side


def test_the_plain_baseline_is_a_convnext_with_upernets_head():
    base, recipe = load_recipe(FOLDER / "iclr2026_base.yaml"), load_recipe(FOLDER / "peers" / "convnext_uper.yaml")
    model = replace(base.model, gate="vision", anomaly_enhancement=False, decoder="fixed")
    assert recipe == replace(base, name="convnext-uper", model=model, loss=replace(base.loss, image=0))
    with torch.device("meta"):
        parts = {name for name, _ in OmniIML(model).named_children()}
    assert parts == {"vision_head", "backbone", "gate", "anomaly_enhancement", "decoder", "classifier"}
    assert model.pool_scales == (1, 2, 3, 6)


def test_a_peer_in_a_recipe_of_ones_own(write):
    path = write("name: x\nmodel: {peer: SparseViT, arguments: {img_size: 256}}")
    assert load_recipe(path).model == PeerConfig("SparseViT", {"img_size": 256})
    assert load_recipe(path, ["model.arguments.img_size=512"]).model.side == 512
    over = load_recipe(write("name: x\nmodel: base"), ["model.preset=null", "model.peer=Mesorch"])
    assert over.model == PeerConfig("Mesorch")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("{peer: Mesorch, preset: base}", r"model\.preset: Unexpected keyword argument"),
        ("{peer: Nobody}", r"model: peer 'Nobody' is not offered; choose one of Mesorch"),
        ("{peer: Mesorch, arguments: 3}", r"model\.arguments: Input should be a valid dictionary"),
        ("{preset: base, gate_width: wide}", r"model\.gate_width: Input should be a valid integer"),
    ],
)
def test_what_is_wrong_with_a_network_is_named(write, model, message):
    with pytest.raises(ValueError, match=message):
        load_recipe(write(f"name: x\nmodel: {model}"))


def test_a_recipe_on_another(write, tmp_path):
    write("name: mine\nmodel: bundled\noptim: {batch: 3, lr: 0.5}\nvalidation: {size: 64}")
    child = tmp_path / "child.yaml"
    child.write_text("base: mine.yaml\nname: child\nmodel: {gate_width: 8}\noptim: {batch: null, steps: 7}")
    recipe, start = load_recipe(child), load_recipe(tmp_path / "mine.yaml")
    assert recipe.model == replace(start.model, gate_width=8)
    assert (recipe.optim.batch, recipe.optim.lr, recipe.optim.steps) == (OptimConfig().batch, 0.5, 7)
    assert recipe.validation == start.validation
    write("base: child.yaml")
    with pytest.raises(ValueError, match="leads back to the recipe itself"):
        load_recipe(child)
    child.write_text("base: nowhere.yaml")
    with pytest.raises(ValueError, match=r"nowhere\.yaml: cannot be read as a recipe"):
        load_recipe(child)


def test_every_ablation_has_a_recipe():
    named = {yaml.safe_load(path.read_text(encoding="utf-8"))["model"]["variant"] for path in VARIED}
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
