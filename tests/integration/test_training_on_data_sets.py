"""The recipes take real steps on miniature copies of the data sets that they name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from omni_iml import cli
from omni_iml.data.collection import Collection, Mixture
from omni_iml.models.checkpoint import load_network
from omni_iml.models.noiseprint import Noiseprint
from omni_iml.training.recipe import load_recipe
from omni_iml.training.train import prepare, train
from reader_layouts import build

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
ELSEWHERE = ("explain", "peers")  # tests/unit/explain_training, test_training_of_peers.py
OURS = sorted(
    path
    for path in RECIPES.rglob("*.yaml")
    if not path.stem.startswith("bundled") and path.parent.name not in ELSEWHERE
)
ROOTS = {
    "tampcoco": "tampCOCO",
    "casia2": "CASIA2",
    "miml": "MIML",
    "coco": "COCO2017",
    "sacp": "SACP",
    "doctamper": "DocTamper",
    "openforensics": "OpenForensics",
    "tampered-ic13": "Tampered-IC13",
    "faceshifter": "FaceShifter",
    "celeba-hq": "CelebAMask-HQ",
    "folder": "my_folder",
}
SMALL = [
    "synthesis.size=64",
    "optim.batch=2",
    "optim.steps=2",
    "validation.size=64",
    "validation.samples=4",
    "validation.every=2",
]

pytestmark = [
    pytest.mark.usefixtures("leg_machine"),
    pytest.mark.filterwarnings(
        "ignore:The '.*_dataloader' does not have many workers",
        "ignore:Experiment logs directory",
        "ignore:.*GPU available but not used",
        "ignore:The number of training batches",
        "ignore:.*LeafSpec",
        "ignore:Found .* in eval mode at the start of training",
    ),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every training set in miniature, in the folders that the recipes name."""
    root = tmp_path_factory.mktemp("data")
    for seed, (name, folder) in enumerate(ROOTS.items()):
        build(name, root / folder, seed)
    return root


def steps_of(path: Path, out: Path, *more: str) -> dict:
    """Two steps of a recipe; what its weights' file says of itself."""
    weights = train(load_recipe(path, [*SMALL, *more]), out, workers=0)
    network, extra = load_network(weights)
    assert all(value.isfinite().all() for value in network.state_dict().values() if value.is_floating_point())
    return extra


@pytest.mark.parametrize("preset", ["bundled", pytest.param("base", marks=pytest.mark.slow)])
def test_the_papers_recipe_takes_real_steps_from_the_command_line(data, tmp_path, monkeypatch, preset):
    monkeypatch.delenv("OMNI_IML_DATA")
    monkeypatch.setenv("OMNI_IML_DATA", "")  # set back afterwards, whatever --data does
    command = ["train", str(RECIPES / "iclr2026_base.yaml"), "--data", str(data), "--out", str(tmp_path / "run")]
    # 152 million weights take their time on a CPU, and three gigabytes of disk.
    overrides = [*SMALL, "optim.steps=1", "validation.samples=2", f"model.preset={preset}"]
    command += ["--workers", "0", *(part for value in overrides for part in ("--set", value))]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, result.stderr
    weights = Path(result.stdout.strip())
    network, extra = load_network(weights)
    recipe = load_recipe(RECIPES / "iclr2026_base.yaml")
    assert network.config == load_recipe(RECIPES / "iclr2026_base.yaml", [f"model.preset={preset}"]).model
    assert (network.config == recipe.model) == (preset == "base")
    assert extra["samples"] == 2
    assert extra["skipped"] == 0
    line = json.loads((tmp_path / "run" / "validation.jsonl").read_text().splitlines()[-1])
    assert line["step"] == 1
    assert {"iou", "iou_rgb", "iou_fused"} <= set(line)


@pytest.mark.parametrize("name", ["arxiv_v1", "finetune"])
def test_recipes_take_real_steps(name, tmp_path):
    extra = steps_of(RECIPES / f"{name}.yaml", tmp_path / "run", "model.preset=bundled")
    assert extra["samples"] == 4
    assert "iou" in extra["validation"]


@pytest.mark.slow
@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_every_recipe_takes_real_steps(path, tmp_path):
    """Its own variant, data sets and settings; in the bundled size, for the papers' take minutes a step on a CPU."""
    more = []
    if "noiseprint" in path.stem:
        extractor = tmp_path / "noiseprint.pth"  # of the published layout; the values are random
        torch.save({"network": Noiseprint().layers.state_dict()}, extractor)
        more = [f"init.noiseprint={extractor}"]
    assert steps_of(path, tmp_path / "run", "model.preset=bundled", *more)["samples"] == 4


def test_all_sets_of_the_paper_are_drawn(data, tmp_path):
    leg = prepare(load_recipe(RECIPES / "iclr2026_base.yaml", [*SMALL, "model=bundled"]), tmp_path, workers=0)
    draw = leg.training.dataset.engine
    assert isinstance(draw, Collection)
    assert {draw.drawn(index)[0] for index in range(2000)} == set(list(ROOTS)[:8])


def test_what_is_broken_is_counted(data, tmp_path):
    build("folder", tmp_path / "mine")
    for name in ("images/a.jpg", "authentic/e.jpg"):
        (tmp_path / "mine" / name).write_bytes(b"broken")
    extra = steps_of(
        RECIPES / "finetune.yaml",
        tmp_path / "run",
        "model.preset=bundled",
        f"data.sets.mine.root={tmp_path / 'mine'}",
        "optim.batch=8",
        "validation.held_out=0",
    )
    assert extra["skipped"] > 0
    assert extra["validation"] == {}
    assert not (tmp_path / "run" / "validation.jsonl").exists()


def test_synthetic_samples_are_mixed_in(data, tmp_path, monkeypatch):
    for number in range(40):  # enough for every split, by their names' hashes
        build("coco", tmp_path / "made", number)
        folder = data / "source" / "natural" / "made"
        folder.mkdir(parents=True, exist_ok=True)
        for path in (tmp_path / "made" / "train2017").iterdir():
            path.rename(folder / f"{number}-{path.name}")
    overrides = [*SMALL, "model=bundled", "data.synthetic=0.5", "synthesis.domains={natural: 1}"]
    recipe = load_recipe(RECIPES / "single_task" / "document.yaml", overrides)
    leg = prepare(recipe, tmp_path / "run", workers=0, cache=tmp_path / "tiles")
    assert isinstance(leg.training.dataset.engine, Mixture)
    domains = [leg.training.dataset.engine(index).domain for index in range(20)]
    assert set(domains) == {0, 1}  # natural ones are synthetic, documents are DocTamper's and SACP's
    assert leg.run().is_file()


def test_what_is_missing_ends_before_training(data, tmp_path, monkeypatch):
    recipe = load_recipe(RECIPES / "iclr2026_base.yaml", SMALL)
    monkeypatch.setenv("OMNI_IML_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"tampCOCO: is not there"):
        prepare(recipe, tmp_path / "run")
    monkeypatch.delenv("OMNI_IML_DATA")
    with pytest.raises(FileNotFoundError, match="OMNI_IML_DATA=None"):
        prepare(recipe, tmp_path / "run")
    monkeypatch.setenv("OMNI_IML_DATA", str(data))
    domains = {name: ratio for name, ratio in recipe.data.domains.items() if name != "face"}
    without = replace(recipe, data=replace(recipe.data, domains=domains))
    with pytest.raises(ValueError, match="face has data sets and no ratio"):
        prepare(without, tmp_path / "run")


@pytest.mark.parametrize("value", ["optim.checkpointing=true", "optim.accumulate=2"])
def test_memory_saving_changes_nothing(value, tmp_path):
    """The same weights come out: with dropped paths off, checkpointing only computes again, parts only add up."""
    common = [*SMALL, "model=bundled", "optim.batch=4", "loss.detection=0", "validation.held_out=0"]
    runs = []
    for number, more in enumerate(([], [value])):
        recipe = load_recipe(RECIPES / "single_task" / "document.yaml", [*common, *more])
        leg = prepare(recipe, tmp_path / str(number), workers=0)
        for part in leg.module.network.modules():  # batch norm sees the parts of a batch apart
            if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
                part.eval().train = lambda mode=True, part=part: part
        gradients: dict[str, torch.Tensor] = {}

        def keep(_, leg=leg, gradients=gradients):
            named = leg.module.network.named_parameters()
            gradients or gradients.update({name: p.grad.clone() for name, p in named if p.grad is not None})

        leg.module.on_before_optimizer_step = keep
        leg.run()
        assert leg.saver.samples == 8
        runs.append(gradients)
    assert runs[0].keys() == runs[1].keys()
    for name, gradient in runs[0].items():
        torch.testing.assert_close(runs[1][name], gradient, rtol=2e-3, atol=2e-6, msg=name)
