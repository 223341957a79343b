"""``omni-iml explain-train``: fine-tune a multimodal model on structured explanations."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from omni_iml.cli.annotate import Problems
from omni_iml.cli.failures import Debug, WrongUsage, emit, exit_codes, needs
from omni_iml.types import OmniError


def explain_train(
    recipe: Annotated[Path, typer.Argument(help="Recipe, for example recipes/explain/qwen2.5_vl_3b_reference.yaml.")],
    out: Annotated[Path, typer.Option(help="Folder for saved states and the adapter; a stopped run goes on there.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that the recipe's paths lie below, in place of OMNI_IML_DATA or this folder."),
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override: section.key=value.")] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Write the model with the adapter worked in as well, to OUT/merged.")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read pictures.")] = 0,
    debug: Debug = False,
) -> None:
    """Fine-tune a multimodal model with LoRA on annotated forgeries (needs the extras named mllm and annotate).

    For N GPUs, start it with torchrun --nproc-per-node N -m omni_iml.cli explain-train. Prints the folder of the
    adapter, or of the merged model, on standard output, everything else on standard error.
    """
    with exit_codes(debug):
        with needs("mllm,annotate", "explain-train"):
            from omni_iml.explain_training.adapting import merge as merge_into
            from omni_iml.explain_training.recipe import load_explain_recipe
            from omni_iml.explain_training.tuning import tune

        merged = out / "merged"
        if merge and merged.exists():
            raise WrongUsage(f"{merged}: is there already; remove it, or leave --merge out.")
        folder = data or Path(os.environ.get("OMNI_IML_DATA", "."))
        problems = Problems()
        main_process = os.environ.get("RANK", "0") == "0"
        with redirect_stdout(sys.stderr):  # where the progress belongs
            try:
                values = load_explain_recipe(recipe, set_ or [])
                adapter = tune(values, folder, out, problems, workers=workers)
            except (ValueError, FileNotFoundError, OmniError) as error:
                raise WrongUsage(str(error)) from error
            if merge and main_process:
                merge_into(values.model, adapter, merged)
        if problems.count:
            print(f"{problems.count} annotations were left out.", file=sys.stderr)
        if main_process:
            emit(str(merged if merge else adapter))
