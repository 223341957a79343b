"""A fine-tuning from recipe to adapter, by the Trainer of transformers: in one process, or several."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from omni_iml.annotate.checking import Report
from omni_iml.explain_training.adapting import save_parts, with_adapter
from omni_iml.explain_training.collating import Collator
from omni_iml.explain_training.recipe import ExplainRecipe
from omni_iml.explain_training.samples import Samples, find_sources
from omni_iml.io.whole_file import write_whole
from omni_iml.mllm.local import Loading, load_parts
from omni_iml.mllm.opening import folder_and_revision
from omni_iml.types import OmniError

log = logging.getLogger(__name__)

RECIPE = "recipe.json"
ADAPTER = "adapter"


def tune(recipe: ExplainRecipe, data: Path, out: Path, report: Report, *, workers: int = 0) -> Path:
    """Fine-tune, or go on where a run of the same recipe in the same folder was stopped.

    How many sources could not be read while it learnt is logged as a warning.

    Args:
        recipe: what is done.
        data: folder that the recipe's relative paths lie below.
        out: folder for saved states (``checkpoint-STEP``), the recipe and the adapter.
        report: takes what is left out of the data.
        workers: processes that read pictures.

    Returns:
        The folder of the adapter, ``OUT/adapter``: what `omni_iml.mllm.local.Loading` takes.

    Raises:
        OmniError: ``out`` holds a run of another recipe, the batch cannot be shared out, the model cannot be opened, or
            too many sources in a row cannot be read.
        ValueError: there is nothing to learn from, or the adapter does not fit the model.
        FileNotFoundError: a folder of the data is missing.
    """
    _claim(recipe, out)
    arguments = _arguments(recipe, out, workers)
    sources = find_sources(recipe.sets, recipe.query, data, report)
    folder, revision = folder_and_revision(recipe.model)
    # On the processor first: the Trainer puts it, or a process's shard of it, where it belongs.
    model, processor = load_parts(folder, Loading(dtype=recipe.optim.dtype, device_map="cpu"), revision)
    model.config.use_cache = False
    set_seed(recipe.seed)
    samples = Samples(sources, recipe.query, recipe.seed)
    trainer = Trainer(
        model=with_adapter(model, recipe.lora),
        args=arguments,
        train_dataset=samples,
        data_collator=Collator(processor, recipe.query.max_tokens),
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(out)))
    _say_unreadable(trainer, samples)
    adapter = out / ADAPTER
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        trainer.save_model(str(adapter))  # gathers the shards, in all processes
        if trainer.is_world_process_zero():
            processor.save_pretrained(adapter)
    elif trainer.is_world_process_zero():
        save_parts(trainer.accelerator.unwrap_model(trainer.model), processor, adapter)
    trainer.accelerator.wait_for_everyone()
    return adapter


def _say_unreadable(trainer: Trainer, samples: Samples) -> None:
    """Log how many sources the processes together could not read, each counted once."""
    marked = samples.unreadable.int().to(trainer.accelerator.device)
    count = int(torch.count_nonzero(trainer.accelerator.reduce(marked)))
    if count and trainer.is_world_process_zero():
        log.warning("%d of %d annotations were skipped: picture or mask cannot be read.", count, len(samples))


def share_of_batch(batch: int, accumulate: int, processes: int) -> int:
    """How many samples a process computes at a time.

    Args:
        batch: samples a step, of all processes together.
        accumulate: parts that a process's share is computed in.
        processes: how many there are.

    Returns:
        At least 1.

    Raises:
        OmniError: the batch cannot be divided so.
    """
    share, rest = divmod(batch, accumulate * processes)
    if rest or not share:
        raise OmniError(
            f"optim.batch: {batch} samples cannot be divided among {processes} processes in {accumulate} parts each; "
            "change optim.accumulate or the number of processes."
        )
    return share


def _arguments(recipe: ExplainRecipe, out: Path, workers: int) -> TrainingArguments:
    optim, gpu = recipe.optim, torch.cuda.is_available()
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes == 1 and torch.cuda.device_count() > 1:
        raise OmniError(
            f"one process sees {torch.cuda.device_count()} GPUs; start one for each with torchrun, or set "
            "CUDA_VISIBLE_DEVICES to one of them."
        )
    values: dict[str, Any] = {
        "output_dir": str(out),
        "seed": recipe.seed,
        "max_steps": optim.steps,
        "per_device_train_batch_size": share_of_batch(optim.batch, optim.accumulate, processes),
        "gradient_accumulation_steps": optim.accumulate,
        "optim": "adamw_torch",
        "learning_rate": optim.lr,
        "lr_scheduler_type": "linear",
        "weight_decay": optim.weight_decay,
        "max_grad_norm": optim.clip,
        "bf16": optim.dtype == "bfloat16",
        "use_cpu": not gpu,
        "save_steps": optim.save_every,
        "save_total_limit": 2,
        "logging_steps": min(10, optim.steps),
        "dataloader_num_workers": workers,
        "remove_unused_columns": False,
        "report_to": "none",
    }
    if optim.checkpointing:
        values |= {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrant": False}}
    return TrainingArguments(**values)


def _claim(recipe: ExplainRecipe, out: Path) -> None:
    """Take a folder for a recipe, or find that it is the recipe's already."""
    path = out / RECIPE
    values = recipe.to_dict()
    if path.is_file():
        if json.loads(path.read_text(encoding="utf-8")) != values:
            raise OmniError(f"{out}: holds a run of another recipe ({RECIPE}); name another folder.")
        return
    out.mkdir(parents=True, exist_ok=True)
    if get_last_checkpoint(str(out)) is not None:
        raise OmniError(f"{out}: holds saved states without their {RECIPE}; name another folder.")
    write_whole(path, lambda stream: stream.write((json.dumps(values, indent=2) + "\n").encode()))
