"""``omni-iml synth``: authentic pictures in, tampered ones with masks and recipes out."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from omni_iml.cli import options
from omni_iml.cli.failures import Debug, WrongUsage, emit, exit_codes, needs
from omni_iml.cli.skipped import Skipped


def synth(
    source_dir: Annotated[
        Path, typer.Argument(help="Authentic pictures: source/<domain>/<set>/, or any folder of pictures and PDFs.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder for images/, masks/ and recipes/.")],
    domain: Annotated[
        list[str] | None,
        typer.Option(help="natural, document, face or scene_text; several times for several. Of a plain folder: one."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Pictures to make.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same pictures.")] = 0,
    size: Annotated[int, typer.Option(help="Largest side in pixels, a multiple of 32.")] = 512,
    split: Annotated[str, typer.Option(help="train, validation, test or all.")] = "all",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Other settings, for example authentic=0.5.")
    ] = None,
    tiles: Annotated[
        Path | None, typer.Option(help="Folder of the tile cache, kept for the next time; else a temporary one.")
    ] = None,
    workers: options.Processes = None,
    quiet: options.Quiet = False,
    debug: Debug = False,
) -> None:
    """Make tampered pictures with exact masks from authentic ones (needs the extra named synth).

    The same command goes on where it was stopped. Prints the folder on standard output, counts on standard error.
    """
    with exit_codes(debug), ExitStack() as stack:
        with needs("synth", "synth"):
            from omni_iml.data.synthesis.folder import summary, write_folder
            from omni_iml.data.synthesis.order import prepare
        skipped = stack.enter_context(Skipped(quiet))
        if tiles is None:
            tiles = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="omni-iml-tiles-")))
        try:
            settings: dict[str, Any] = {"domain": domain, "size": size, "split": split, "overrides": set_ or []}
            order = prepare(source_dir, tiles, seed=seed, count=count, **settings)
            for done in write_folder(order, out, workers or os.cpu_count() or 1):
                if not quiet and (done % 100 == 0 or done == count):
                    print(f"{done} of {count} pictures", file=sys.stderr)
        except (ValueError, FileNotFoundError) as error:
            raise WrongUsage(str(error)) from error
        if not quiet:
            written = summary(out, count)
            print(
                f"{written.tampered} tampered, {count - written.tampered} not: {_list(written.operations)}.",
                file=sys.stderr,
            )
            if written.dropped:
                print(f"Edits given up: {_list(written.dropped)}.", file=sys.stderr)
            if skipped.count:
                print(f"Sources skipped: {skipped.count}.", file=sys.stderr)
            print(f"sha256 of all: {written.digest}", file=sys.stderr)
        emit(str(out))


def _list(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counted.most_common())
