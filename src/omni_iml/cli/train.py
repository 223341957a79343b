"""``omni-iml train``: one training leg."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from omni_iml.cli import options
from omni_iml.cli.failures import Debug, WrongUsage, emit, exit_codes, needs
from omni_iml.report.wording import printable


class StrategyName(StrEnum):
    """What several processes do with the network."""

    DDP = "ddp"
    FSDP = "fsdp"


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe, for example recipes/bundled_scratch.yaml.")],
    out: Annotated[Path, typer.Option(help="Folder for weights and logs.")],
    max_minutes: Annotated[float | None, typer.Option(help="Stop, with the schedule ended, after this long.")] = None,
    resume: Annotated[
        str | None,
        typer.Option(help="Weights (.safetensors, hf://owner/name@revision) or whole state (.ckpt) to go on from."),
    ] = None,
    init: Annotated[
        str | None, typer.Option(help='Published weights to start from: a checkpoint file, "timm" or "timm:NAME".')
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override: section.key=value.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make samples.")] = 1,
    threads: options.TorchThreads = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Take the leg of --resume last.ckpt up as if it had never stopped.")
    ] = False,
    devices: Annotated[int, typer.Option(min=1, help="Processes on this machine, a GPU each.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines.")] = 1,
    strategy: Annotated[
        StrategyName,
        typer.Option(help="With several processes: ddp (each has the network) or fsdp (each a share of it)."),
    ] = StrategyName.DDP,
    save_minutes: Annotated[float, typer.Option(min=0, help="How old the saved weights may become.")] = 5,
    data: Annotated[
        Path | None, typer.Option(help="Folder that holds the data sets or sources, in place of OMNI_IML_DATA.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of the tile cache.")] = None,
    debug: Debug = False,
) -> None:
    """Train by a recipe on data sets or pictures under OMNI_IML_DATA (needs the extra named train).

    Prints the path of the weights on standard output, everything else on standard error.
    """
    with exit_codes(debug):
        with needs("train", "train"):
            from omni_iml.training.precision import slow_on_this_machine
            from omni_iml.training.recipe import load_recipe
            from omni_iml.training.train import prepare
        from omni_iml.inference.hub import located

        if init is not None and resume is not None:
            raise WrongUsage("--init and --resume: a leg starts from one of the two; leave one out.")
        if data is not None:
            os.environ["OMNI_IML_DATA"] = str(data)  # workers that start afresh see it too
        try:
            values = load_recipe(recipe, set_ or [])
            if init is not None:
                values = replace(values, init=replace(values.init, weights=init))
            leg = prepare(
                values,
                out,
                resume=None if resume is None else located(resume, ".safetensors"),
                max_minutes=max_minutes,
                workers=workers,
                threads=threads,
                cache=cache,
                exact=exact,
                devices=devices,
                nodes=nodes,
                strategy=strategy.value,
                save_seconds=60 * save_minutes,
            )
        except (ValueError, FileNotFoundError) as error:
            raise WrongUsage(str(error)) from error
        if leg.init is not None:
            for line in leg.init.summary().splitlines():
                print(printable(line), file=sys.stderr)
        if slow := slow_on_this_machine(values.optim.precision):
            print(slow, file=sys.stderr)
        logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # it advertises otherwise
        with redirect_stdout(sys.stderr):  # where the progress bar belongs
            weights = leg.run()
        emit(str(weights))
