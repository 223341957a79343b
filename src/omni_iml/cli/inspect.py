"""``omni-iml inspect``: what the network's parts gave for one picture, as arrays and pictures."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omni_iml.cli import options
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, describe, emit, exit_codes, needs
from omni_iml.cli.names import PrecisionName
from omni_iml.types import MAX_PIXELS, UnreadableImage

if TYPE_CHECKING:
    from omni_iml.inspection import PictureInspection


def inspect(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Weights (.safetensors), hf://owner/name@revision, or: bundled.")
    ],
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="The picture to look at.")],
    out: Annotated[Path, typer.Option(help="Folder to write <file name>.inspect into.")] = Path(),
    tiles: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Tiles to write: 0,5-8 (numbered row by row), all, or none. All by default, if there are at most 12.",
        ),
    ] = None,
    threads: options.TorchThreads = None,
    device: options.TorchDevice = None,
    precision: options.TorchPrecision = PrecisionName.AUTO,
    max_pixels: options.MaxPixels = MAX_PIXELS,
    quiet: options.Quiet = False,
    debug: Debug = False,
) -> None:
    """Show what the network saw and decided: gate, filters, feature maps, coarse masks (needs the extra named train).

    Prints the path of the folder that was written. Exit code: 0 if all went well, 1 if the picture could not be read,
    2 for wrong usage, 3 if something else failed.
    """
    with exit_codes(debug):
        with needs("train", "inspect"):
            from omni_iml.inspection import ForeignFolder, Inspector, save_inspection
            from omni_iml.io import load
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WrongUsage(f"{out}: the output folder cannot be made ({error.strerror}); name another.") from error
        try:
            inspector = Inspector(model, threads, device, precision.value)
            image = load(picture, max_pixels=max_pixels)
            chosen = None if tiles is None else parse_tiles(tiles, len(inspector.grid(image)))
            saved = save_inspection(inspector, image, out, tiles=chosen)
        except (ValueError, ForeignFolder) as error:
            raise WrongUsage(str(error)) from error
        except UnreadableImage as error:
            print(describe(error, debug), file=sys.stderr)
            raise typer.Exit(SOME_UNREADABLE) from error
        if not quiet:
            _print_summary(saved.picture)
        emit(str(saved.folder))


def parse_tiles(text: str, count: int) -> Sequence[int]:
    """Numbers of tiles as typed.

    Args:
        text: "all", "none", or numbers and ranges such as "0,5-8".
        count: how many tiles there are.

    Returns:
        The numbers, ascending, each once; whether there are such tiles is not asked.

    Raises:
        ValueError: the text is none of these.
    """
    if text in ("all", "none"):
        return range(count) if text == "all" else ()
    numbers: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,6})(?:-(\d{1,6}))?\s*", part)
        if match is None:
            raise ValueError(f"--tiles {text}: {part!r} is no number or range; write for example 0,5-8, all or none.")
        first, last = int(match[1]), int(match[2] or match[1])
        numbers.update(range(first, last + 1))
    return sorted(numbers)


def _print_summary(picture: PictureInspection) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from omni_iml.report.wording import MODALITIES, VERDICTS, printable

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        console = Console(stderr=True, highlight=False, width=120)
    table = Table("Tile", "Box", "P(vision)", "Gate chose", "Image logit", "P_rgb", "P_fused", "Mask", box=None)
    for tile in picture.tiles:
        chose = "-" if tile.modality is None else tile.modality
        table.add_row(
            str(tile.index),
            " ".join(map(str, tile.box)),
            *(_figure(tile.gate_probability), chose, _figure(tile.image_logit, "+.2f")),
            *(_figure(tile.mean_coarse_rgb), _figure(tile.mean_coarse_fused), _figure(tile.mean_probability)),
        )
    console.print(table)
    if picture.activations:
        columns = max(len(values) for values in picture.activations.values())
        mixing = Table("Filter", *(f"A_{i + 1}" for i in range(columns)), box=None)
        for name, values in picture.activations.items():
            mixing.add_row(name, *(f"{value:.3f}" for value in values))
        console.print(mixing)
    lines = [f"Warning: {printable(warning)}" for warning in picture.image.warnings]
    if picture.absent:
        lines.append(f"This network has no part for: {', '.join(picture.absent)}.")
    if picture.modality is not None:
        lines.append(f"The gate went by {MODALITIES[picture.modality]} (P(vision) {picture.gate_probability:.3f}).")
    if picture.verdict is not None:
        lines.append(f"Score {picture.score:.2f}, {VERDICTS[picture.verdict]}.")
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _figure(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else format(value, form)
