"""``omni-iml data list | check | prepare | stats | show``: the papers' data sets, and your own, as they lie on disk."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, emit, exit_codes, needs
from omni_iml.cli.skipped import Skipped

_Name = Annotated[str, typer.Argument(help="Name of the data set, from `omni-iml data list`.")]
_Root = Annotated[Path, typer.Argument(help="Folder that holds it.")]
_Labels = Annotated[str, typer.Option(help="all, tampered or authentic.")]
_Limit = Annotated[int | None, typer.Option(min=1, help="So many pictures, drawn at random; all by default.")]
_Workers = Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")]


def list_sets(
    name: Annotated[str | None, typer.Argument(help="One data set, to see its layout.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array instead.")] = False,
    debug: Debug = False,
) -> None:
    """List the data sets that can be read: counts, domain, licence; with a name, its layout on disk."""
    with exit_codes(debug):
        from omni_iml.data.readers import READERS

        if name is not None and name not in READERS:
            raise WrongUsage(f"data set {name!r} is unknown; the data sets are {', '.join(READERS)}.")
        chosen = [READERS[name]] if name else list(READERS.values())
        if as_json:
            keys = ("name", "title", "own_domain", "part", "tampered", "authentic", "total", "licence", "homepage")
            emit(json.dumps([{**{key: getattr(one, key) for key in keys}, "layout": one.layout()} for one in chosen]))
        elif name:
            emit(f"{chosen[0].title}\nlicence: {chosen[0].licence}\n{chosen[0].homepage}\n\n{chosen[0].layout()}")
        else:
            table = Table("name", "data set", "domain", "for", "tampered", "authentic", "both", "licence", box=None)
            for one in chosen:
                known = (one.tampered, one.authentic, one.total)
                counts = ("?" if count is None else f"{count:,}" for count in known)
                table.add_row(one.name, one.title, one.own_domain, one.part, *counts, one.licence)
            Console(width=None if sys.stdout.isatty() else 160).print(table)


def check(
    name: _Name,
    root: _Root,
    labels: _Labels = "all",
    limit: _Limit = None,
    quick: Annotated[bool, typer.Option("--quick", help="See only whether the files are there.")] = False,
    workers: _Workers = None,
    debug: Debug = False,
) -> None:
    """Say what of a data set is missing or malformed, file by file.

    Training skips the same files. Exit code: 0 if the set is complete and whole, 1 if not, 2 for wrong usage.
    """
    with exit_codes(debug):
        reader = _opened(name, root, labels)
        from omni_iml.data.readers.sheet import drawn
        from omni_iml.data.readers.survey import absent, shortfalls, survey

        entries = reader if limit is None else drawn(reader, limit)
        found = map(absent, entries) if quick else survey(entries, workers or os.cpu_count() or 1)
        faults: Counter[str] = Counter()
        for finding in found:
            if finding.fault:
                faults[finding.fault] += 1
                emit(f"{finding.fault}: {finding.message}")
        short = shortfalls(reader)
        for line in short:
            emit(f"incomplete: {line}")
        counted = ", ".join(f"{fault} {count}" for fault, count in faults.most_common()) or "no fault"
        print(f"{len(entries)} of {len(reader)} pictures looked at: {counted}.", file=sys.stderr)
        if faults or short:
            raise typer.Exit(SOME_UNREADABLE)


def stats(
    name: _Name,
    root: _Root,
    labels: _Labels = "all",
    limit: _Limit = None,
    workers: _Workers = None,
    debug: Debug = False,
) -> None:
    """Say what a data set is like: counts, formats, sizes, JPEG qualities, tampered shares."""
    with exit_codes(debug):
        reader = _opened(name, root, labels)
        from omni_iml.data.readers.sheet import drawn
        from omni_iml.data.readers.survey import description, survey

        entries = reader if limit is None else drawn(reader, limit)
        for what, value in description(survey(entries, workers or os.cpu_count() or 1)):
            emit(f"{what:<22} {value}")


def show(
    name: _Name,
    root: _Root,
    out: Annotated[Path, typer.Argument(help="Picture file of the contact sheet, .png or .jpg.")],
    labels: _Labels = "all",
    count: Annotated[int, typer.Option(min=1, max=300, help="Pictures on it, drawn at random.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same pictures.")] = 0,
    debug: Debug = False,
) -> None:
    """Draw a contact sheet: pictures with the outlines of their masks, and the masks. Prints the file's path."""
    with exit_codes(debug):
        if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
            raise WrongUsage(f"{out}: is no name of a .png or .jpg file; give one.")
        reader = _opened(name, root, labels)
        from PIL import Image

        from omni_iml.data.readers.sheet import contact_sheet, drawn
        from omni_iml.io.whole_file import write_whole

        sheet = Image.fromarray(contact_sheet(drawn(reader, count, seed)))
        kind = "PNG" if out.suffix.lower() == ".png" else "JPEG"
        write_whole(out, lambda file: sheet.save(file, kind))
        emit(str(out))


def prepare(
    name: _Name,
    root: _Root,
    out: Annotated[Path, typer.Argument(help="Folder for the shards; it is made.")],
    labels: _Labels = "all",
    debug: Debug = False,
) -> None:
    """Copy a data set into shards, for training where many small files are slow to open.

    The files' own bytes are kept. What cannot be read is named and left out. Exit code: 0, or 1 if something was left
    out. A recipe reads the copy with `reader: shards`.
    """
    with exit_codes(debug), Skipped(quiet=False) as skipped:
        reader = _opened(name, root, labels)
        from omni_iml.data.readers.shards import write_shards

        try:
            for done in write_shards(reader, out):
                if done % 1000 == 0:
                    print(f"{done} of {len(reader)} pictures", file=sys.stderr)
        except ValueError as error:
            raise WrongUsage(str(error)) from error
        print(f"{len(reader) - skipped.count} pictures, {skipped.count} left out.", file=sys.stderr)
        emit(str(out))
        if skipped.count:
            raise typer.Exit(SOME_UNREADABLE)


def _opened(name: str, root: Path, labels: str) -> Any:
    """A reader with at least one entry."""
    if labels not in ("all", "tampered", "authentic"):
        raise WrongUsage(f"--labels {labels}: is unknown; say all, tampered or authentic.")
    with needs("data", "data"):
        from omni_iml.data.readers import open_set

        try:
            reader = open_set(name, root, labels)  # type: ignore[arg-type]  # checked above
            if not len(reader):
                raise FileNotFoundError(f"{root}: no picture of {reader.title} lies there; name another folder.")
        except (ValueError, FileNotFoundError) as error:
            raise WrongUsage(str(error)) from error
    return reader
