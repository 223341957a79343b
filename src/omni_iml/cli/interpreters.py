"""Opening the interpretation module that a command's options name: a multimodal model and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omni_iml.cli.failures import WrongUsage
from omni_iml.cli.mllm import MLLM, DTypeName, Limits, opened

if TYPE_CHECKING:
    from omni_iml.explain import Asking, Interpreter


class QueryName(StrEnum):
    """The choices of ``--query``."""

    REFERENCE = "reference"
    PLAIN = "plain"
    ZERO_SHOT = "zero_shot"


class AxisName(StrEnum):
    """The choices of ``--axis``."""

    LONGEST = "longest"
    HORIZONTAL = "horizontal"


Model = Annotated[
    str | None,
    typer.Option("--mllm", metavar="local:FOLDER|endpoint:URL", help="Ask a multimodal model.", rich_help_panel=MLLM),
]
ModelName = Annotated[
    str | None,
    typer.Option("--mllm-model", help="Its name, where the endpoint offers several.", rich_help_panel=MLLM),
]
Query = Annotated[QueryName, typer.Option(help="Which query of F.2.", rich_help_panel=MLLM)]
Axis = Annotated[AxisName, typer.Option(help="How picture and reference are joined.", rich_help_panel=MLLM)]
MaskColors = Annotated[
    str, typer.Option(metavar="TAMPERED,AUTHENTIC", help="Colours of the mask, as names.", rich_help_panel=MLLM)
]
SpellForm = Annotated[
    bool, typer.Option("--spell-form", help="Ask for JSON explicitly, if not fine-tuned.", rich_help_panel=MLLM)
]
MaxSide = Annotated[int, typer.Option(min=64, help="Longest side of the picture that is shown.", rich_help_panel=MLLM)]
MaxTokens = Annotated[int, typer.Option(min=16, help="Longest answer, in tokens.", rich_help_panel=MLLM)]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds to wait for it.", rich_help_panel=MLLM)]
Attempts = Annotated[int, typer.Option(min=1, help="Attempts where it fails.", rich_help_panel=MLLM)]


@dataclass(frozen=True)
class Options:
    """The values of the options above and of those in `omni_iml.cli.mllm`, with their defaults."""

    mllm_model: str | None = None
    adapter: Path | None = None
    dtype: DTypeName = DTypeName.AUTO
    bits: int | None = None
    device_map: str | None = None
    query: QueryName = QueryName.REFERENCE
    axis: AxisName = AxisName.LONGEST
    mask_colors: str = "white,black"
    spell_form: bool = False
    max_side: int = 1280
    max_tokens: int = 2048
    timeout: float = 120.0
    attempts: int = 3


DEFAULT = Options()


def interpreter_of(mllm: str, options: Options) -> Interpreter:
    """Open a model and settle how it is asked.

    Args:
        mllm: ``local:FOLDER`` or ``endpoint:ADDRESS``.
        options: the others.

    Raises:
        WrongUsage: it cannot be opened, or an option makes no sense.
    """
    from omni_iml.explain import Interpreter

    asking = _asking(options)
    # Twice the side, for picture and reference: nothing is reduced a second time.
    limits = Limits(timeout=options.timeout, max_tokens=options.max_tokens, max_side=2 * options.max_side)
    local = options.adapter, options.dtype, options.bits, options.device_map
    return Interpreter(opened(mllm, options.mllm_model, limits, *local), asking)


def _asking(options: Options) -> Asking:
    from PIL import ImageColor

    from omni_iml.explain import Asking
    from omni_iml.explain.reference import MaskColours
    from omni_iml.mllm.patience import Patience

    colours = options.mask_colors
    try:
        tampered, authentic = (ImageColor.getrgb(each.strip())[:3] for each in colours.split(","))
    except ValueError as error:
        raise WrongUsage(f"--mask-colors {colours}: are no two colours; write white,black or #ffd000,black.") from error
    return Asking(
        mode=options.query.value,
        axis=options.axis.value,
        colours=MaskColours(tampered, authentic),
        max_side=options.max_side,
        spell_form=options.spell_form,
        patience=Patience(options.attempts),
    )
