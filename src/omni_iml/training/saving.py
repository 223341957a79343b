"""What a leg leaves behind while it runs: its weights, where it stands, and how it scores."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from omni_iml.data.dataset import Batch
from omni_iml.models.checkpoint import save_weights
from omni_iml.training.module import Localisation
from omni_iml.training.sharding import gathered
from omni_iml.training.state import save_state

log = logging.getLogger(__name__)


class SaveWeights(Callback):
    """Keeps ``last.safetensors`` and ``last.ckpt`` at most so old and writes the leg's log line by line.

    Args:
        module: whose weights; where they are shared out among processes there is no ``last.ckpt``.
        out: the run's folder.
        samples_before: of the legs before this one.
        seconds: how old the files may become.
    """

    def __init__(self, module: Localisation, out: Path, samples_before: int, seconds: float) -> None:
        self.module, self.out, self.samples_before, self.seconds = module, out, samples_before, seconds
        self.saved = time.monotonic()
        self.validated_at = -1

    def on_train_batch_start(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Save, if it is time."""
        # At the start of a step, not at its end: callbacks come before the module, whose average would lag behind.
        whole = batch_idx % self.module.recipe.optim.accumulate == 0
        due = time.monotonic() - self.saved > self.seconds
        if self.module.sharded:
            due = trainer.strategy.broadcast(due)  # all processes take part, and each has a clock of its own
        if whole and self.module.global_step and due:
            self.save()

    def on_validation_end(self, *_: Any) -> None:
        """Write a line of ``validation.jsonl``."""
        self.validated_at = self.module.global_step
        if not self.module.trainer.is_global_zero:
            return
        line = {
            "step": self.module.steps_before + self.module.global_step,
            "samples": self.samples,
            **self.module.scores,
        }
        log.info("%s", line)
        with (self.out / "validation.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def on_exception(self, trainer: lightning.Trainer, module: lightning.LightningModule, error: BaseException) -> None:
        """Save a leg that was stopped by hand."""
        # Whoever stops a leg by hand wants what it has learnt. Where it is shared out, the others may be gone already.
        if isinstance(error, KeyboardInterrupt) and not self.module.sharded:
            self.save()

    @property
    def weights(self) -> Path:
        """The weights file."""
        return self.out / "last.safetensors"

    @property
    def samples(self) -> int:
        """Seen in this leg and all before it."""
        return self.samples_before + self.module.samples_seen

    def save(self) -> None:
        """Save now; every process must, where the weights are shared out."""
        tensors = gathered(self.module.learned)
        self.saved = time.monotonic()
        if not self.module.trainer.is_global_zero:
            return
        facts = {
            "recipe": self.module.recipe.to_dict(),
            "samples_before": self.samples_before,
            "samples": self.samples,
            "skipped": self.module.skipped,
            "validation": self.module.scores,
        }
        save_weights(self.module.learned, self.weights, facts, tensors=tensors)
        if not self.module.sharded:
            save_state(self.weights.with_suffix(".ckpt"), self.module.state(self.samples))
