"""One time-boxed training leg: build, resume, fit, save. Many short legs add up."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from lightning.pytorch.callbacks import Callback, Timer, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.strategies import ModelParallelStrategy
from torch.utils.data import DataLoader

from omni_iml.data.collection import Collection, Mixture, open_sets
from omni_iml.data.dataset import Dealt, Samples, collate, single_thread
from omni_iml.data.sources import data_folder, data_root
from omni_iml.data.synthesis import Engine, Sample, SynthesisConfig
from omni_iml.data.tile_cache import build_cache
from omni_iml.models import Network, Peer, build
from omni_iml.models.checkpoint import fill, load_into, names_in, read_metadata
from omni_iml.models.noiseprint import Noiseprint
from omni_iml.models.pretrained import InitReport, initialise, read_tensors
from omni_iml.models.training_form import arrange_for_training
from omni_iml.training.context import CONTEXT, fill_context
from omni_iml.training.module import Localisation
from omni_iml.training.precision import gpu_here
from omni_iml.training.recipe import InitConfig, Recipe
from omni_iml.training.saving import SaveWeights
from omni_iml.training.sharding import check_sharding, with_common_statistics
from omni_iml.training.state import load_state
from omni_iml.training.watching import WritePredictions

log = logging.getLogger(__name__)

VALIDATION_SEED = 20_260
SAVE_SECONDS = 300

Strategy = Literal["ddp", "fsdp"]
"""Whether each of several processes has the whole network, or its share."""


@dataclass(frozen=True)
class Leg:
    """A training leg, ready to run; made by `prepare`.

    Attributes:
        init: what came from published weights; None where it started from random weights or from a leg before.
    """

    trainer: lightning.Trainer
    module: Localisation
    training: DataLoader[Sample]
    validation: DataLoader[Sample] | None
    saver: SaveWeights
    init: InitReport | None = None

    def run(self) -> Path:
        """Train, score on the validation split and save.

        Returns:
            The weights file.

        Raises:
            KeyboardInterrupt: stopped by hand; the weights so far are saved.
        """
        handler = signal.getsignal(signal.SIGINT)
        try:
            self.trainer.fit(self.module, self.training, self.validation)
            if self.validation is not None and self.saver.validated_at != self.module.global_step:
                self.trainer.validate(self.module, self.validation, verbose=False)
        except SystemExit as stopped:
            if not isinstance(stopped.__context__, KeyboardInterrupt):
                raise
            # Lightning turns Ctrl-C into an exit and ignores any further one for the rest of the process.
            signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from stopped
        self.saver.save()
        return self.saver.weights


def prepare(
    recipe: Recipe,
    out: Path,
    *,
    resume: Path | None = None,
    max_minutes: float | None = None,
    workers: int = 1,
    threads: int | None = None,
    cache: Path | None = None,
    exact: bool = False,
    devices: int = 1,
    nodes: int = 1,
    strategy: Strategy = "ddp",
    save_seconds: float | None = None,
) -> Leg:
    """Build network, samples and trainer; what is wrong with the input shows here, before any training.

    Args:
        recipe: what to train, on what, how.
        out: folder for weights and logs.
        resume: weights of an earlier leg, in place of the recipe's published ones, with which the optimiser starts
            anew; or its ``last.ckpt``, with which it does not. The schedule is this leg's own.
        max_minutes: stop, with the schedule ended, after this long.
        workers: processes that make samples.
        threads: of torch on the CPU, for the whole process.
        cache: folder of the tile cache; ``<out>/../tiles`` without it.
        exact: take the leg of ``resume``, a ``last.ckpt``, up where it was, as if it had never stopped: schedule, order
            of the samples and generators too. The recipe must be the same.
        devices: processes on each machine, each with a device of its own.
        nodes: machines.
        strategy: of several processes: "ddp" has the whole network in each, "fsdp" shares it out among them.
        save_seconds: how old the saved weights may become; `SAVE_SECONDS` if None.

    Raises:
        FileNotFoundError: no source pictures, or not the recipe's data sets, under ``OMNI_IML_DATA``.
        ValueError: ``max_minutes`` is not positive, the backbone is unknown, a peer cannot be built or does not take
            what the recipe says, a split has no picture of a domain, a data set is empty or has no ratio, or
            ``init.noiseprint`` or ``init.context`` is given without need or needed and not given.
        UnreadableModel: ``resume``, or the published weights that the recipe starts from, do not fit.
    """
    if max_minutes is not None and max_minutes <= 0:
        raise ValueError(f"a leg of {max_minutes} minutes trains nothing; give a positive time, or none for no limit.")
    processes = devices * nodes
    if recipe.optim.batch % (processes * recipe.optim.accumulate):
        raise ValueError(
            f"optim.batch {recipe.optim.batch}: {processes} processes times optim.accumulate "
            f"{recipe.optim.accumulate} do not divide it; choose a multiple."
        )
    if max_minutes is not None and processes > 1:
        raise ValueError("--max-minutes: clocks of several processes differ; say --set optim.steps=N instead.")
    if strategy == "fsdp":
        check_sharding(recipe, resume, processes)
    if exact and (resume is None or resume.suffix != ".ckpt"):
        raise ValueError("--exact: goes on from a last.ckpt only; name it with --resume.")
    draw, watched = _sources(recipe, cache or out.parent / "tiles")
    # Networks from scratch wade through denormal numbers on the CPU otherwise (twice as slow).
    torch.set_flush_denormal(True)
    if threads:
        torch.set_num_threads(threads)
    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    network = build(recipe.model, start=resume is None)
    samples_before, init, state = 0, None, None
    if resume is None:
        init = _start(network, recipe.init)
    elif resume.suffix == ".ckpt":
        state = load_state(resume)
        fill(network, state.network, resume)
        samples_before = state.samples
    else:
        has_context = any(name.startswith(CONTEXT) for name in names_in(resume))
        filled = not has_context and fill_context(network, recipe.init.context, needed=True)
        load_into(network, resume, without=CONTEXT if filled else "")
        samples_before = int(read_metadata(resume)["extra"].get("samples", 0))
    if processes > 1 and torch.cuda.is_available():
        network = with_common_statistics(network)
    if not gpu_here() and strategy != "fsdp":  # which shares out contiguous weights only
        arrange_for_training(network)
    out.mkdir(parents=True, exist_ok=True)
    if init is not None:
        (out / "init.json").write_text(json.dumps(asdict(init), indent=1), encoding="utf-8")
    steps = recipe.optim.steps - (state.steps if exact and state is not None else 0)
    training, validation = _loaders(recipe, draw, watched, samples_before, workers, steps, processes)
    (out / "recipe.json").write_text(json.dumps(recipe.to_dict(), indent=1), encoding="utf-8")
    module = Localisation(network, recipe, max_minutes, sharded=strategy == "fsdp")
    if state is not None:
        module.go_on_from(state)
        if exact:
            module.go_on_exactly(state)
    saver = SaveWeights(module, out, samples_before, SAVE_SECONDS if save_seconds is None else save_seconds)
    trainer = _trainer(recipe, saver, max_minutes, steps, devices, nodes)
    return Leg(trainer, module, training, validation, saver, init)


def train(recipe: Recipe, out: Path, **options: Any) -> Path:
    """Prepare and run a leg; arguments and errors of `prepare`.

    Returns:
        The weights file.
    """
    return prepare(recipe, out, **options).run()


def _start(network: Network, config: InitConfig) -> InitReport | None:
    """Fill the network from published files, as far as the recipe names them."""
    extractors = [part for part in network.modules() if isinstance(part, Noiseprint)]
    if extractors and config.noiseprint is None:
        raise ValueError(
            "model.modality noiseprint: its extractor's weights are missing; name their file in init.noiseprint."
        )
    if config.noiseprint is not None and not extractors:
        raise ValueError(
            "init.noiseprint: this network reads no Noiseprint++; set model.modality to noiseprint, or leave it out."
        )
    fill_context(network, config.context, needed=True)
    for extractor in extractors:
        extractor.load_published(read_tensors(Path(str(config.noiseprint)).expanduser()), str(config.noiseprint))
    if config.weights is None:
        return None
    if isinstance(network, Peer):
        raise ValueError("init.weights: fills our own network; a peer takes its files by model.arguments.")
    report = initialise(network, config.weights, decoder=config.decoder)
    log.info("%s", report.summary())
    return report


Draw = Callable[[int], Sample]


def _sources(recipe: Recipe, cache: Path) -> tuple[Draw, Draw | None]:
    """What training draws from, and validation if there is any."""
    watch, config, size = recipe.validation, recipe.data, recipe.synthesis.size
    draws: list[Draw] = []
    watched: Draw | None = None
    if config.sets:
        readers = open_sets(config, data_folder())
        draws.append(Collection(readers, config, size, recipe.seed, watch.held_out))
        if watch.held_out:
            watched = Collection(readers, config, watch.size, VALIDATION_SEED, watch.held_out, "validation")
    if recipe.synthesises:
        pool = build_cache(data_root(), cache)
        draws.append(Engine(pool, "train", recipe.synthesis, recipe.seed))
        if watched is None:
            # Only the domains follow the recipe: legs that change how training samples are made stay comparable.
            fixed = SynthesisConfig(size=watch.size, domains=recipe.synthesis.domains)
            watched = Engine(pool, "validation", fixed, VALIDATION_SEED)
    draw = draws[0] if len(draws) == 1 else Mixture(draws[0], draws[1], config.synthetic, recipe.seed)
    return draw, watched


def _loaders(
    recipe: Recipe, draw: Draw, watched: Draw | None, start: int, workers: int, steps: int, processes: int
) -> tuple[DataLoader[Sample], DataLoader[Sample] | None]:
    optim = recipe.optim
    # Sample indices go on where the earlier legs stopped, so that no leg repeats another's samples.
    training = Samples(draw, steps * optim.batch, start=start)
    # Generators of their own: how often a loader begins must not change what the network's layers draw.
    own = [torch.Generator().manual_seed(recipe.seed) for _ in range(2)]
    validation = None if watched is None else Samples(watched, recipe.validation.samples)
    return (
        DataLoader(
            training,
            batch_size=optim.batch // (processes * optim.accumulate),
            sampler=Dealt(len(training)),
            generator=own[0],
            num_workers=workers,
            collate_fn=collate,
            worker_init_fn=single_thread,
            prefetch_factor=4 if workers else None,
        ),
        None
        if validation is None
        else DataLoader(validation, batch_size=8, sampler=Dealt(len(validation)), collate_fn=collate, generator=own[1]),
    )


def _trainer(
    recipe: Recipe, saver: SaveWeights, max_minutes: float | None, steps: int, devices: int, nodes: int
) -> lightning.Trainer:
    optim, several = recipe.optim, devices * nodes > 1
    if saver.module.sharded:
        strategy: Any = ModelParallelStrategy(data_parallel_size=devices * nodes, tensor_parallel_size=1)
    else:
        # Not every variant uses every weight in every step: the detector has none without its loss.
        strategy = "ddp_find_unused_parameters_true" if several else "auto"
    callbacks: list[Callback] = [saver, WritePredictions(saver.out), TQDMProgressBar(refresh_rate=20)]
    if max_minutes is not None:
        callbacks.append(Timer({"minutes": max_minutes}))  # type: ignore[dict-item]  # it takes fractions
    return lightning.Trainer(
        accelerator="auto",
        devices=devices,
        num_nodes=nodes,
        strategy=strategy,
        use_distributed_sampler=False,
        accumulate_grad_batches=optim.accumulate,
        precision=optim.precision,
        max_steps=steps,
        gradient_clip_val=optim.clip or None,
        callbacks=callbacks,
        logger=[
            CSVLogger(saver.out, name="", version="metrics"),
            TensorBoardLogger(saver.out, name="", version="tensorboard"),
        ],
        log_every_n_steps=20,
        val_check_interval=min(recipe.validation.every, steps) * optim.accumulate,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
