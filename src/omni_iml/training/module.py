"""Lightning module: one training step, one validation step, optimiser and schedule."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, cast

import lightning
import torch
from timm.optim import param_groups_weight_decay
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from omni_iml.data.dataset import Batch
from omni_iml.data.sources import DOMAINS
from omni_iml.models import Network, OmniIML, OmniOutput, Peer
from omni_iml.models.context_encoder import ContextEncoder
from omni_iml.training.boxes import mask_boxes
from omni_iml.training.losses import iou, losses
from omni_iml.training.recipe import OptimConfig, Recipe
from omni_iml.training.sharding import shard
from omni_iml.training.state import LegState


def learning_rate(progress: float, step: int, config: OptimConfig) -> float:
    """Learning rate at a step.

    Args:
        progress: done share of the run, 0..1.
        step: steps done.
        config: peak, end, warm-up and shape.
    """
    progress = min(max(progress, 0.0), 1.0)
    share = 1 - progress if config.decay == "linear" else 0.5 * (1 + math.cos(math.pi * progress))
    return (config.final_lr + (config.lr - config.final_lr) * share) * min(1.0, (step + 1) / max(1, config.warmup))


def averaged(network: Network, decay: float) -> AveragedModel:
    """A copy of the network that follows it as an exponential moving average, batch-norm statistics included.

    Args:
        network: whose weights are averaged.
        decay: what is left of the former average at each step, once there were enough steps.
    """

    def follow(average: Tensor, new: Tensor, count: Tensor | int) -> Tensor:
        if not average.is_floating_point():  # counts of batches
            return new
        return average.lerp(new, 1 - min(decay, (1 + int(count)) / (10 + int(count))))

    return AveragedModel(network, avg_fn=follow, use_buffers=True)


class Localisation(lightning.LightningModule):
    """Trains the network by a recipe.

    Args:
        network: to be trained; any module with our inputs and `OmniOutput` will do.
        recipe: losses, optimiser, schedule.
        max_minutes: length of the leg, which shortens the schedule; None for none.
        clock: seconds, monotonic.
        sharded: share the weights out among the processes (FSDP).
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        max_minutes: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sharded: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.recipe, self.max_minutes, self.clock = network, recipe, max_minutes, clock
        self.sharded = sharded
        self.averaged = averaged(network, recipe.optim.ema) if recipe.optim.ema else None
        self.optimiser_state: dict[str, Any] | None = None
        self.started: float | None = None
        self.forward_pass: list[Callable[..., Any]] = [torch.compile(network) if recipe.optim.compiled else network]
        if recipe.optim.checkpointing:
            if not isinstance(network, OmniIML):
                raise ValueError("optim.checkpointing: is for our own network; leave it out with a peer.")
            for stage in (*network.vision_head.stages, *network.backbone.stages):
                stage.grad_checkpointing = True
        self.steps_before = 0
        self.rng: Tensor | None = None
        self.samples_seen = 0
        self.skipped = 0
        self.scores: dict[str, float] = {}
        self._seen: list[tuple[Tensor, ...]] = []

    @property
    def learned(self) -> Network:
        """The network that is validated and saved: the averaged one where the recipe averages."""
        return self.network if self.averaged is None else cast(Network, self.averaged.module)

    def go_on_from(self, state: LegState) -> None:
        """Take average and moments from a former leg; the network has its weights already.

        Where either of both legs has no average, this one's begins with the network's weights.
        """
        self.optimiser_state = state.optimiser
        if self.averaged is not None and state.averaged is not None:
            self.averaged.load_state_dict(state.averaged)

    def go_on_exactly(self, state: LegState) -> None:
        """Take up a leg where it was when its state was kept: schedule and generator too.

        Raises:
            ValueError: the state has no generator's; an older version kept it.
        """
        if state.rng is None:
            raise ValueError("--exact: this state is of an older version, without a generator's; resume without it.")
        self.steps_before, self.rng = state.steps, state.rng

    def state(self, samples: int) -> LegState:
        """Where the leg stands, ``samples`` samples after the first leg began."""
        average = None if self.averaged is None else self.averaged.state_dict()
        optimiser = self.trainer.optimizers[0].state_dict()
        rng = torch.get_rng_state() if self.rng is None else self.rng
        steps = self.steps_before + self.global_step
        return LegState(self.network.state_dict(), average, optimiser, samples, steps, rng)

    def seconds(self) -> float:
        """Time since the first call."""
        now = self.clock()
        if self.started is None:
            self.started = now
        return now - self.started

    def progress(self) -> float:
        """Done share of the leg, by steps or by time, whichever is further."""
        share = (self.steps_before + self.global_step) / self.recipe.optim.steps
        if self.max_minutes:
            share = max(share, self.seconds() / (60 * self.max_minutes))
        return share

    def configure_model(self) -> None:
        """Share the weights out, where the leg is to; Lightning asks once there are processes, and then again."""
        if self.sharded and self.device_mesh is not None:
            shard(self.network, self.device_mesh["data_parallel"])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW, with the moments of a former leg if there are any; `on_train_batch_start` sets the learning rate."""
        config = self.recipe.optim
        groups = _groups(self.network, config)
        optimiser = torch.optim.AdamW(groups, lr=config.lr, betas=config.betas)
        if self.optimiser_state is not None:
            moments = {"state": self.optimiser_state["state"], "param_groups": optimiser.state_dict()["param_groups"]}
            optimiser.load_state_dict(moments)  # the groups' settings are this recipe's
        return optimiser

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the learning rate by progress."""
        if self.rng is not None:
            torch.set_rng_state(self.rng)
            self.rng = None
        rate = learning_rate(self.progress(), self.steps_before + self.global_step, self.recipe.optim)
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            group["lr"] = rate * group.get("share", 1.0)
        self.log("lr", rate)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Weighted sum of the losses."""
        output = self._output(batch)
        terms = losses(output, batch.mask, batch.label, self.recipe.loss)
        self.samples_seen += len(batch.label) * self.processes
        self.skipped += int(batch.skipped.sum())
        with torch.no_grad():
            tampered = (batch.mask == 1).flatten(1).any(1)
            terms["iou"] = iou(output.mask, batch.mask)[tampered].mean() if tampered.any() else torch.tensor(1.0)
        self.log_dict({f"train/{name}": value.detach() for name, value in terms.items() if name != "total"})
        self.log("skipped", float(self.skipped))
        self.log("loss", terms["total"].detach(), prog_bar=True)
        self.log("samples_per_second", self.samples_seen / max(1e-3, self.seconds()), prog_bar=True)
        return terms["total"]

    def _output(self, batch: Batch) -> OmniOutput:
        """What the network makes of a batch to learn from."""
        inputs = batch.image, batch.coefficients, batch.table
        if isinstance(self.network, Peer):
            return cast(OmniOutput, self.forward_pass[0](*inputs, truth=batch.mask))
        boxes = mask_boxes(batch.mask) if self.recipe.loss.detection else None
        return cast(OmniOutput, self.forward_pass[0](*inputs, boxes))

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:
        """Take the step's weights into the average."""
        if self.averaged is not None and (batch_idx + 1) % self.recipe.optim.accumulate == 0:
            self.averaged.update_parameters(self.network)

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Collect what the scores need; the logits of the masks ``(B, 1, S, S)``."""
        output = self.learned(batch.image, batch.coefficients, batch.table)
        tampered = (batch.mask == 1).flatten(1).any(1)
        coarse = (output.coarse_rgb, output.coarse_fused, output.coarse)
        columns = (
            batch.domain,
            tampered,
            batch.label,
            *(_iou(logits, batch.mask) for logits in (output.mask, *coarse)),
            (output.gate >= 0).float(),
            output.image.float(),
        )
        self._seen.append(tuple(column.cpu() for column in columns))
        logits: Tensor = output.mask
        return logits

    def on_validation_epoch_end(self) -> None:
        """Mean IoU of tampered samples by domain, and what gate and classifier did; undefined means are left out."""
        columns = tuple(torch.cat(column) for column in zip(*self._seen, strict=True))
        if self.processes > 1:
            columns = tuple(self._gathered(column) for column in columns)
        domain, tampered, label, final, rgb, fused, coarse, gate, image = columns
        self._seen.clear()
        called = image > 0
        scores = {
            "iou": final[tampered].mean(),
            "iou_rgb": rgb[tampered].mean(),
            "iou_fused": fused[tampered].mean(),
            "iou_coarse": coarse[tampered].mean(),
            "gate_vision": gate.mean(),
            "image_accuracy": (called[label == 1].float().mean() + (~called)[label == 0].float().mean()) / 2,
            **{f"iou_{name}": final[tampered & (domain == index)].mean() for index, name in enumerate(DOMAINS)},
        }
        # The mean of no samples is not a number.
        self.scores = {name: round(float(value), 4) for name, value in scores.items() if not value.isnan()}
        self.log_dict({f"validation/{name}": value for name, value in self.scores.items()})

    @property
    def processes(self) -> int:
        """How many train together; 1 outside a trainer."""
        return 1 if self._trainer is None else self.trainer.world_size

    def _gathered(self, column: Tensor) -> Tensor:
        """A column of all processes, in the samples' order, without those that were repeated to make shares equal."""
        shares = cast(Tensor, self.all_gather(column.to(self.device))).cpu()  # (W, n): sample i went to process i mod W
        return shares.T.reshape(-1)[: self.recipe.validation.samples]

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Batches are our own dataclass."""
        return batch.to(device)


def _groups(network: nn.Module, config: OptimConfig) -> list[dict[str, Any]]:
    """Parameters with and without weight decay; those of a context encoder's blocks learn more slowly."""
    slow = {id(p) for part in network.modules() if isinstance(part, ContextEncoder) for p in part.blocks.parameters()}
    made: list[dict[str, Any]] = []
    for group in param_groups_weight_decay(network, config.weight_decay):
        for share, chosen in ((1.0, False), (config.context_rate, True)):
            if params := [p for p in group["params"] if (id(p) in slow) == chosen]:
                made.append({**group, "params": params, "share": share})
    return made


def _iou(logits: Tensor | None, mask: Tensor) -> Tensor:
    """Of each sample, ``(B,)``; not a number where the variant has no such output."""
    return mask.new_full((len(mask),), torch.nan, dtype=torch.float32) if logits is None else iou(logits, mask)
