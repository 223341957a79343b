"""``omni-iml data``: data sets looked at, sources made ready."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from omni_iml.cli import data_sets, options
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, emit, exit_codes, needs
from omni_iml.cli.skipped import Skipped

data = typer.Typer(
    name="data",
    help="Look at data sets (extra named data), make authentic sources ready (extra named synth).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

data.command("list")(data_sets.list_sets)
data.command()(data_sets.check)
data.command()(data_sets.prepare)
data.command()(data_sets.stats)
data.command()(data_sets.show)


class TileForm(StrEnum):
    """The choices of ``--form``."""

    PIXELS = "pixels"
    JPEG = "jpeg"


@data.command()
def tiles(
    source_dir: Annotated[
        Path, typer.Argument(help="Authentic pictures: source/<domain>/<set>/, or any folder of pictures and PDFs.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder for the tiles.")],
    form: Annotated[
        TileForm,
        typer.Option(help="pixels: one file for --tiles and --cache; jpeg: JPEG files with the source's coefficients."),
    ] = TileForm.PIXELS,
    side: Annotated[int, typer.Option(min=64, help="Largest side of a tile in pixels.")] = 640,
    per_source: Annotated[int, typer.Option(min=1, help="Tiles of a source that is larger than a tile.")] = 3,
    domain: Annotated[str | None, typer.Option(help="Of a plain folder: the domain of its pictures.")] = None,
    quiet: options.Quiet = False,
    debug: Debug = False,
) -> None:
    """Cut large sources into tiles once, so that no sample decodes a whole photograph again.

    Exit code: 0 if every source was cut, 1 if some were skipped (each is named), 2 for wrong usage.
    """
    with exit_codes(debug), Skipped(quiet) as skipped:
        with needs("synth", "data tiles"):
            from omni_iml.data.jpeg_tiles import write_jpeg_tiles
            from omni_iml.data.sources import find
            from omni_iml.data.synthesis.order import plain_domain
            from omni_iml.data.tile_cache import build_cache
        try:
            kind = plain_domain(source_dir, [domain] if domain else [])
            if form is TileForm.PIXELS:
                count = len(build_cache(source_dir, out, side=side, per_source=per_source, domain=kind).entries)
            else:
                sources = find(source_dir, kind)
                count = sum(1 for _ in write_jpeg_tiles(sources, out, side=side, per_source=per_source))
                if not count:
                    raise FileNotFoundError(f"{source_dir}: no picture there can be cut; name another folder.")
        except (ValueError, FileNotFoundError) as error:
            raise WrongUsage(str(error)) from error
        if not quiet:
            print(f"{count} tiles, {skipped.count} sources skipped.", file=sys.stderr)
        emit(str(out))
        if skipped.count:
            raise typer.Exit(SOME_UNREADABLE)


@data.command()
def manifest(
    source_dir: Annotated[Path, typer.Argument(help="Authentic pictures: a folder with source/<domain>/<set>/.")],
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the manifest that ships with the package instead.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Print the manifest of sources as CSV: names, hashes, identities, splits, licences.

    With --check, exit code 2 if a listed file is missing or has other bytes.
    """
    with exit_codes(debug):
        with needs("synth", "data manifest"):
            from omni_iml.data.manifest import committed, listed, select, to_csv
            from omni_iml.data.sources import find
        try:
            if check:
                emit(f"{len(select(find(source_dir), committed()))} sources are as the manifest says.")
                return
            if not (sources := find(source_dir)):
                raise FileNotFoundError(f"{source_dir}: holds no source/<domain>/<set>/; name another folder.")
        except (ValueError, FileNotFoundError) as error:
            raise WrongUsage(str(error)) from error
        emit(to_csv(listed(sources)).rstrip("\n"))


@data.command("testset")
def regenerate(
    source_dir: Annotated[Path, typer.Argument(help="The manifest's sources: a folder with source/<domain>/<set>/.")],
    out: Annotated[Path, typer.Argument(help="Folder for images/, masks/ and recipes/.")],
    domain: Annotated[str, typer.Option(help="natural, document, face or scene_text.")],
    workers: options.Processes = None,
    debug: Debug = False,
) -> None:
    """Make the synthetic test set of a domain again, bit for bit.

    Exit code: 0 if the bytes are those that the package's digest stands for, 1 if not, 2 for wrong usage.
    """
    with exit_codes(debug):
        with needs("synth", "data testset"):
            from omni_iml.data.sources import DOMAINS
            from omni_iml.data.testsets import committed_digest, made_by, make_testset
        chosen = next((known for known in DOMAINS if known == domain), None)
        if chosen is None:
            raise WrongUsage(f"--domain {domain}: is unknown; the domains are {', '.join(DOMAINS)}.")
        try:
            found = make_testset(source_dir, out, chosen, workers or os.cpu_count() or 1)
        except (ValueError, FileNotFoundError) as error:
            raise WrongUsage(str(error)) from error
        emit(str(out))
        wanted = committed_digest(chosen)
        if found != wanted:
            print(f"The bytes differ from the committed ones (sha256 {found}, wanted {wanted}).", file=sys.stderr)
            print(f"Here: {made_by()}; theirs: constraints.txt, x86_64.", file=sys.stderr)
            raise typer.Exit(SOME_UNREADABLE)
        print(f"As committed: sha256 {found}.", file=sys.stderr)
