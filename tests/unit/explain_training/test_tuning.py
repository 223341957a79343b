from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.annotate.schema import Annotation, to_json
from omni_iml.cli import app
from omni_iml.explain.answer import parse_answer
from omni_iml.explain.interpreting import Asking, query_of
from omni_iml.explain_training.tuning import share_of_batch
from omni_iml.mllm.opening import Opening, open_model
from omni_iml.types import OmniError
from tiny_mllms import FAMILIES, build

ITEMS = (
    {
        "Tampered Region": "A dog",
        "Absolute Position": "Center of the image",
        "Relative Position": "On the lawn",
        "Artifacts": {"Edge": "A halo runs around it"},
    },
    {
        "Tampered Region": "17:40",
        "Absolute Position": "Top left of the image",
        "Relative Position": "In the line: 17:40 Rome",
        "Artifacts": {"Font": "Other strokes"},
    },
)
DOMAINS = ("natural", "document")
RECIPE = """
name: tiny
model: {model}
sets: {{mine: {{annotations: rows.jsonl, pictures: pictures, masks: masks}}}}
query: {{max_side: 56}}
lora: {{alpha: 128}}
optim: {{batch: 2, steps: {steps}, lr: 0.003, dtype: float32, checkpointing: false, save_every: {every}}}
"""


def pictures() -> list[np.ndarray]:
    """One dark, one bright: what a tiny model can tell apart."""
    return [np.full((56, 56, 3), value, np.uint8) for value in (20, 230)]


def mask() -> np.ndarray:
    marked = np.zeros((56, 56), bool)
    marked[8:24, 8:24] = True
    return marked


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name in ("pictures", "masks"):
        (folder / name).mkdir(parents=True)
    rows = []
    for number, (pixels, item, domain) in enumerate(zip(pictures(), ITEMS, DOMAINS, strict=True)):
        Image.fromarray(pixels).save(folder / f"pictures/{number}.png")
        Image.fromarray(mask()).save(folder / f"masks/{number}.png.mask.png")
        rows.append(Annotation(image=f"{number}.png", source="mine", domain=domain, instances=(item,)))
    (folder / "rows.jsonl").write_text("".join(to_json(row) + "\n" for row in rows), "utf-8")
    return folder


def run(folder: Path, data: Path, out: Path, steps: int, *more: str, every: int = 1000) -> str:
    recipe = data / f"recipe{steps}.yaml"
    recipe.write_text(RECIPE.format(model=json.dumps(str(folder)), steps=steps, every=every), "utf-8")
    arguments = ["explain-train", str(recipe), "--out", str(out), "--data", str(data), "--debug", *more]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def answers(name: str, adapter: str | None = None) -> list[str]:
    model = open_model(f"local:{name}", Opening(max_tokens=200, adapter=adapter))
    asking = Asking(max_side=56)
    return [
        model.reply(query_of(pixels, mask(), domain, asking)).text
        for pixels, domain in zip(pictures(), DOMAINS, strict=True)
    ]


def losses(out: Path) -> list[float]:
    last = max(out.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    history = json.loads((last / "trainer_state.json").read_text("utf-8"))["log_history"]
    return [entry["loss"] for entry in history if "loss" in entry]


def build_decided(family: str, folder: Path, texts: list[str]) -> Path:
    """A tiny model whose frozen head can tell tokens apart: a random one is so flat that no adapter could."""
    import torch
    from transformers import AutoModelForImageTextToText

    build(family, folder, texts)
    model = AutoModelForImageTextToText.from_pretrained(folder)
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(10)
    model.save_pretrained(folder)
    return folder


def tune_and_ask(family: str, tmp_path: Path, data: Path, steps: int) -> None:
    texts = [json.dumps(item) for item in ITEMS] * 4 + [query_of(pictures()[0], mask(), "natural", Asking()).text]
    base = build_decided(family, tmp_path / "base", texts)
    out = tmp_path / "out"
    merged = run(base, data, out, steps, "--merge")
    assert merged == str(out / "merged")
    fallen = losses(out)
    assert fallen[-1] < fallen[0] / 10
    said = answers(merged)
    for text, item in zip(said, ITEMS, strict=True):
        answer = parse_answer(text)
        assert answer.valid
        assert [one.published() for one in answer.regions] == [item]
    assert answers(merged) == said  # opened again
    assert answers(str(base), str(out / "adapter")) == said
    assert answers(str(base)) != said


def test_what_was_learnt_is_said_by_the_merged_model_and_by_the_adapter(tmp_path, data):
    tune_and_ask("qwen2_5_vl", tmp_path, data, 60)


@pytest.mark.slow
@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "qwen2_5_vl"])
def test_the_other_families_learn_too(family, tmp_path, data):
    tune_and_ask(family, tmp_path, data, 200)


def test_a_stopped_run_goes_on_as_if_it_had_never_stopped(tmp_path, data):
    base = build("qwen2_5_vl", tmp_path / "base", ["What?"])
    out = tmp_path / "out"
    run(base, data, out, 4, every=2)
    weights = out / "adapter/adapter_model.safetensors"
    whole = weights.read_bytes()
    for gone in ("adapter", "checkpoint-4"):
        shutil.rmtree(out / gone)
    kept = out / "checkpoint-2/trainer_state.json"
    before = kept.stat().st_mtime_ns
    run(base, data, out, 4, every=2)
    assert weights.read_bytes() == whole
    assert kept.stat().st_mtime_ns == before  # it did not begin anew


def test_an_unreadable_picture_ends_no_run_and_the_next_leg_skips_it_too(tmp_path, data, caplog):
    base = build("qwen2_5_vl", tmp_path / "base", ["What?"])
    (data / "pictures/1.png").write_bytes(b"broken")
    out = tmp_path / "out"
    run(base, data, out, 4, every=2)
    assert [message for message in caplog.messages if message.endswith("it is skipped.")] != []
    assert "1 of 2 annotations were skipped: picture or mask cannot be read." in caplog.messages
    weights = out / "adapter/adapter_model.safetensors"
    whole = weights.read_bytes()
    for gone in ("adapter", "checkpoint-4"):
        shutil.rmtree(out / gone)
    run(base, data, out, 4, every=2)
    assert weights.read_bytes() == whole


@pytest.mark.slow
def test_the_seed_decides(tmp_path, data):
    base = build("qwen2_5_vl", tmp_path / "base", ["What?"])
    made = []
    for name, seed in (("first", 1), ("same", 1), ("other", 2)):
        run(base, data, tmp_path / name, 2, "--set", f"seed={seed}")
        made.append((tmp_path / name / "adapter/adapter_model.safetensors").read_bytes())
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_the_folder_of_another_recipe_is_left_alone(tmp_path, data):
    out = tmp_path / "out"
    out.mkdir()
    (out / "recipe.json").write_text("{}", "utf-8")
    (data / "recipe.yaml").write_text(RECIPE.format(model="nowhere", steps=1, every=1), "utf-8")
    arguments = ["explain-train", str(data / "recipe.yaml"), "--out", str(out), "--data", str(data)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "holds a run of another recipe" in result.output
    assert [path.name for path in out.iterdir()] == ["recipe.json"]


def test_the_batch_is_shared_out():
    assert share_of_batch(16, 1, 1) == 16
    assert share_of_batch(16, 2, 4) == 2
    for accumulate, processes in ((3, 1), (1, 32)):
        with pytest.raises(OmniError, match="cannot be divided"):
            share_of_batch(16, accumulate, processes)
