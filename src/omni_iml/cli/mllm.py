"""Opening the multimodal model that a command's options name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omni_iml.cli.failures import WrongUsage, needs

if TYPE_CHECKING:
    from omni_iml.mllm import Mllm


MLLM = "Multimodal model"
"""Panel of the help that its options stand in."""


class DTypeName(StrEnum):
    """The choices of ``--dtype``."""

    AUTO = "auto"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"


Adapter = Annotated[Path | None, typer.Option(help="Folder of a LoRA adapter for a local model.", rich_help_panel=MLLM)]
DType = Annotated[DTypeName, typer.Option(help="Precision of a local model; auto: as stored.", rich_help_panel=MLLM)]
Bits = Annotated[
    int | None, typer.Option(help="Quantize a local model to 4 or 8 bits (bitsandbytes).", rich_help_panel=MLLM)
]
DeviceMap = Annotated[
    str | None, typer.Option(help="Where a local model goes: auto, cuda:0, cpu.", rich_help_panel=MLLM)
]


def check_mllm_is_named(ctx: typer.Context, mllm: str | None) -> None:
    """Refuse the options of a multimodal model where none is named, rather than to ignore them.

    Args:
        ctx: of the command.
        mllm: value of ``--mllm``.

    Raises:
        WrongUsage: one is given.
    """
    given = [
        option.opts[0]
        for option in ctx.command.params
        if getattr(option, "rich_help_panel", None) == MLLM
        and getattr(ctx.get_parameter_source(option.name or ""), "name", "") == "COMMANDLINE"
    ]
    if mllm is None and given:
        raise WrongUsage(f"{', '.join(given)}: no multimodal model is asked; name one with --mllm, or leave it out.")


def without_bars() -> None:
    """Keep loading bars and remarks of transformers off standard error; it is imported after this."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


@dataclass(frozen=True)
class Limits:
    """What an answer and a picture may take: seconds, tokens, pixels along the longest side."""

    timeout: float
    max_tokens: int
    max_side: int


def asks_for_local(adapter: Path | None, dtype: DTypeName, bits: int | None, device_map: str | None) -> bool:
    """Whether one of the options is given that only a local model has.

    Args:
        adapter: folder of a LoRA adapter.
        dtype: precision.
        bits: 4 or 8 to quantize it.
        device_map: where it goes.
    """
    return adapter is not None or bits is not None or device_map is not None or dtype is not DTypeName.AUTO


def opened(
    name: str,
    model: str | None,
    limits: Limits,
    adapter: Path | None = None,
    dtype: DTypeName = DTypeName.AUTO,
    bits: int | None = None,
    device_map: str | None = None,
) -> Mllm:
    """Open a model.

    Args:
        name: ``local:FOLDER`` or ``endpoint:ADDRESS``, as `omni_iml.mllm.opening.open_model` takes it.
        model: of an endpoint that has several; None otherwise.
        limits: of answers and pictures.
        adapter: folder of a LoRA adapter, for a local model.
        dtype: precision of a local model.
        bits: 4 or 8 to quantize a local model.
        device_map: where a local model goes.

    Returns:
        The model.

    Raises:
        WrongUsage: it cannot be opened, or the options make no sense together.
    """
    local = name.startswith("local:")
    if not local and asks_for_local(adapter, dtype, bits, device_map):
        raise WrongUsage(f"{name}: --adapter, --bits, --device-map and --dtype are for local models; leave them out.")
    if bits not in (None, 4, 8):
        raise WrongUsage(f"--bits {bits}: models are quantized to 4 or 8 bits; give one of the two.")
    with needs("mllm" if local else "explain", "with a multimodal model"):
        from omni_iml.mllm.opening import Opening, open_model
        from omni_iml.types import OmniError

        how = Opening(
            model,
            timeout=limits.timeout,
            max_tokens=limits.max_tokens,
            max_side=limits.max_side,
            dtype=dtype.value,
            bits=4 if bits == 4 else 8 if bits == 8 else None,
            device_map=device_map,
            adapter=None if adapter is None else str(adapter),
        )
        try:
            return open_model(name, how)
        except OmniError as error:  # a wrong name, no key, a folder that holds no model
            raise WrongUsage(f"--mllm {error}") from error
