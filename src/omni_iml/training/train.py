"""One time-boxed training leg: build, resume, fit, save. Many short legs add up."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback, Timer, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from omni_iml.data.dataset import SyntheticTampering, collate, single_thread
from omni_iml.data.sources import build_cache, data_root
from omni_iml.data.synthesis import Engine
from omni_iml.models import OmniIML
from omni_iml.models.checkpoint import load_into, read_metadata, save_weights
from omni_iml.training.module import Localisation
from omni_iml.training.recipe import Recipe

log = logging.getLogger(__name__)

VALIDATION_SEED = 20_260
SAVE_SECONDS = 300


class _SaveWeights(Callback):
    """Keeps ``last.safetensors`` at most five minutes old and writes the leg's log line by line."""

    def __init__(self, out: Path, extra: dict[str, object]) -> None:
        self.out, self.extra, self.saved = out, extra, time.monotonic()

    def on_train_batch_end(self, trainer, module, *_: object) -> None:
        if time.monotonic() - self.saved > SAVE_SECONDS:
            self.save(module)

    def on_validation_end(self, trainer, module) -> None:
        line = {"step": module.global_step, "samples": self.samples(module), **module.scores}
        log.info("%s", line)
        with (self.out / "validation.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    def samples(self, module: Localisation) -> int:
        return int(self.extra["samples_before"]) + module.samples_seen

    def save(self, module: Localisation) -> None:
        facts = {**self.extra, "samples": self.samples(module), "validation": module.scores}
        save_weights(module.network, self.out / "last.safetensors", facts)
        self.saved = time.monotonic()


def train(
    recipe: Recipe,
    out: Path,
    *,
    resume: Path | None = None,
    max_minutes: float | None = None,
    workers: int = 1,
    threads: int | None = None,
    cache: Path | None = None,
) -> Path:
    """Run a leg.

    Args:
        recipe: what to train, on what, how.
        out: folder for weights and logs.
        resume: weights to start from; the optimiser starts anew.
        max_minutes: stop, with the schedule ended, after this long.
        workers: processes that make samples.
        threads: of torch on the CPU.
        cache: folder of the tile cache; ``<out>/../tiles`` without it.

    Returns:
        The weights file.

    Raises:
        FileNotFoundError: no source pictures under ``OMNI_IML_DATA``.
        UnreadableModel: ``resume`` does not fit.
    """
    # Networks from scratch wade through denormal numbers on the CPU otherwise (twice as slow).
    torch.set_flush_denormal(True)
    if threads:
        torch.set_num_threads(threads)
    lightning.seed_everything(recipe.seed, workers=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.json").write_text(json.dumps(recipe.to_dict(), indent=1))
    pool = build_cache(data_root(), cache or out.parent / "tiles")
    network = OmniIML(recipe.model)
    before = 0
    if resume is not None:
        load_into(network, resume)
        before = int(read_metadata(resume)["extra"].get("samples", 0))
    optim, watch = recipe.optim, recipe.validation
    training = Engine(pool, "train", recipe.synthesis, recipe.seed)
    checking = Engine(
        pool, "validation", type(recipe.synthesis)(**{**vars(recipe.synthesis), "size": watch.size}), VALIDATION_SEED
    )
    module = Localisation(network, recipe, max_minutes)
    saver = _SaveWeights(out, {"recipe": recipe.to_dict(), "samples_before": before})
    callbacks: list[Callback] = [saver, TQDMProgressBar(refresh_rate=20)]
    if max_minutes:
        callbacks.append(Timer({"minutes": max_minutes}))
    trainer = lightning.Trainer(
        accelerator="auto",
        devices=1,
        precision=optim.precision,
        max_steps=optim.steps,
        gradient_clip_val=optim.clip or None,
        callbacks=callbacks,
        logger=CSVLogger(out, name="", version="metrics"),
        log_every_n_steps=20,
        val_check_interval=min(watch.every, optim.steps),
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    trainer.fit(
        module,
        # Sample indices go on where the earlier legs stopped, so that no leg repeats another's samples.
        DataLoader(
            SyntheticTampering(training, optim.steps * optim.batch, start=before),
            batch_size=optim.batch,
            num_workers=workers,
            collate_fn=collate,
            worker_init_fn=single_thread,
            prefetch_factor=4 if workers else None,
        ),
        DataLoader(
            SyntheticTampering(checking, watch.samples),
            batch_size=8,
            collate_fn=collate,
        ),
    )
    trainer.validate(module, trainer.val_dataloaders, verbose=False)
    saver.save(module)
    return out / "last.safetensors"
