"""``omni-iml visualize``: what a checkpoint does on whole data sets, as figures and tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omni_iml.cli import options
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, emit, exit_codes, needs
from omni_iml.cli.names import PrecisionName

if TYPE_CHECKING:
    from omni_iml.visualization import Done


def visualize(
    data: Annotated[
        list[str],
        typer.Option("--data", metavar="NAME=ROOT", help="Data set, as for `omni-iml evaluate`. Repeat for more."),
    ],
    out: options.OutFolder,
    model: Annotated[
        str, typer.Option(help="Weights (.safetensors), hf://owner/name@revision, or: bundled.")
    ] = "bundled",
    beside: Annotated[
        list[str] | None,
        typer.Option(
            "--beside",
            metavar="NAME=MODEL",
            help="Another model for the grid: its file, baseline:NAME, or a folder of predictions. Repeat for more.",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Tampered, and authentic, pictures of each set.")] = None,
    each: Annotated[int, typer.Option(min=1, max=20, help="Pictures of a kind in the grid, by domain.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn at random.")] = 0,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Also write TensorBoard's events into this folder (a run's own will do).")
    ] = None,
    threads: options.TorchThreads = None,
    device: options.TorchDevice = None,
    precision: options.TorchPrecision = PrecisionName.AUTO,
    quiet: options.Quiet = False,
    debug: Debug = False,
) -> None:
    """Draw what a checkpoint does on data sets: gate rates, filters, enhancement, masks (extras train and eval).

    Writes gate, filters and enhancement as .png and .csv, grid.png and visualize.json, and prints their paths.

    Exit code: 0 all went well, 1 some pictures were left out (each is named), 2 wrong usage, 3 something else failed.
    """
    with exit_codes(debug):
        with needs("train,eval", "visualize"):
            from omni_iml.inspection import Inspector
            from omni_iml.visualization import Request, visualize
        from rich.console import Console

        request = Request(tuple(data), out, limit, each, seed, tuple(beside or ()), tensorboard)
        try:
            inspector = Inspector(model, threads, device, precision.value)
            done = visualize(request, inspector, None if quiet else Console(stderr=True))
        except (ValueError, FileNotFoundError) as error:
            raise WrongUsage(str(error)) from error
        for problem in done.problems:
            typer.echo(problem, err=True)
        if not quiet:
            _print_summary(done)
        for path in done.files:
            emit(str(path))
        if done.problems:
            raise typer.Exit(SOME_UNREADABLE)


def _print_summary(done: Done) -> None:
    """Gate rates and what the enhancement changed, by group."""
    from rich.console import Console
    from rich.table import Table

    from omni_iml.visualization import contrast_rows, gate_rows

    console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 120)
    if rows := gate_rows(done.groups):
        table = Table("by", "name", "label", "pictures", "vision alone", "95% interval", "of the tiles", box=None)
        for row in rows:
            group, interval = row.group, f"{row.low:.2f} to {row.high:.2f}"
            shares = f"{row.share:.2f}", interval, f"{row.share_of_tiles:.2f}"
            table.add_row(group.kind, group.name, group.label, str(row.pictures), *shares)
        console.print(table)
    if changes := [row for row in contrast_rows(done.groups) if row.measure == "separation"]:
        table = Table("by", "name", "map", "pictures", "separation before", "after", "grew in", box=None)
        for change in changes:
            figures = f"{change.before:.2f}", f"{change.after:.2f}", f"{change.grew:.0%}"
            table.add_row(change.group.kind, change.group.name, change.map, str(change.change.n), *figures)
        console.print(table)
    for line in done.absent:
        console.print(line, markup=False)
