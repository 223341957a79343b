"""A LoRA adapter: put on a model, and worked into its weights."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

from peft import LoraConfig, get_peft_model

from omni_iml.explain_training.recipe import LoraSettings
from omni_iml.io.paths import openable
from omni_iml.mllm.local import Loading, load_parts
from omni_iml.mllm.opening import folder_and_revision
from omni_iml.text import plain


def with_adapter(model: Any, settings: LoraSettings) -> Any:
    """Put a new adapter on a model; only its weights learn.

    Args:
        model: of transformers.
        settings: the recipe's.

    Returns:
        The model with the adapter, which says nothing yet: one of its two matrices is zero.

    Raises:
        ValueError: no layer of the model has such a name.
    """
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=settings.targets,
        task_type="CAUSAL_LM",
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        raise ValueError(f"lora.targets: {settings.targets!r} does not fit the model ({plain(str(error))}).") from error


def merge(base: str, adapter: Path, out: Path) -> None:
    """Write a model with its adapter worked into the weights, which opens and serves like any other.

    Args:
        base: the model that was fine-tuned: a folder, or ``hf://owner/name@revision``.
        adapter: folder of the adapter.
        out: folder to write; it must not exist.

    Raises:
        FileExistsError: it does.
        UnreadableMllm: base or adapter cannot be opened.
    """
    if openable(out).exists():
        raise FileExistsError(f"{out}: is there already; remove it or name another folder.")
    folder, revision = folder_and_revision(base)
    model, processor = load_parts(folder, Loading(device_map="cpu", adapter=str(adapter)), revision)
    save_parts(model.merge_and_unload(), processor, out)


def save_parts(model: Any, processor: Any, out: Path) -> None:
    """Write a model, or an adapter, and its processor: whole or not at all.

    Args:
        model: anything with ``save_pretrained``.
        processor: of the model.
        out: folder to write; what was there is replaced.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{uuid4().hex}.tmp")
    try:
        model.save_pretrained(temporary)
        processor.save_pretrained(temporary)
        if out.exists():
            shutil.rmtree(out)
        temporary.replace(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
