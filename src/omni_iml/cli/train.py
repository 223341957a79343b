"""`omni-iml train`: one training leg."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe, for example recipes/bundled.yaml.")],
    out: Annotated[Path, typer.Option(help="Folder for weights and logs.")],
    max_minutes: Annotated[float | None, typer.Option(help="Stop, with the schedule ended, after this long.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Weights (.safetensors) to go on from.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override: section.key=value.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that make samples.")] = 1,
    threads: Annotated[int | None, typer.Option(help="Threads of torch on the CPU.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of the tile cache.")] = None,
) -> None:
    """Train by a recipe on pictures under OMNI_IML_DATA (needs the [train] extra)."""
    from omni_iml.cli.errors import needs_extra, usage_error
    from omni_iml.types import UnreadableModel

    with needs_extra("train"):
        from omni_iml.training.recipe import load_recipe
        from omni_iml.training.train import train as run
    try:
        weights = run(
            load_recipe(recipe, set_ or []),
            out,
            resume=resume,
            max_minutes=max_minutes,
            workers=workers,
            threads=threads,
            cache=cache,
        )
    except (ValueError, FileNotFoundError, UnreadableModel) as error:
        usage_error(str(error))
    typer.echo(weights)
