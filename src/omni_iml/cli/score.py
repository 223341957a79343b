"""`omni-iml score`: a folder of predictions against a folder of truth masks."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from omni_iml.cli import options
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, emit, exit_codes
from omni_iml.metrics import Estimate, FolderScore, score_folders
from omni_iml.types import MAX_PIXELS, OmniError

SCHEMA = "omni-iml/score/1"

_ROWS = (("IoU", "iou"), ("Precision", "precision"), ("Recall", "recall"), ("F1", "f1"), ("Pixel AUC", "auc"))


def _threshold(value: float) -> float:
    if not 0 <= value < 1:  # also refuses nan
        raise typer.BadParameter(f"{value} must be at least 0 and below 1.")
    return value


def score(
    predictions: Annotated[
        Path,
        typer.Argument(
            metavar="PRED_DIR",
            exists=True,
            file_okay=False,
            help="Folder of predictions: photo.jpg.mask.png, photo.jpg.heatmap.png, or photo.png.",
        ),
    ],
    truths: Annotated[
        Path,
        typer.Argument(
            metavar="TRUTH_DIR",
            exists=True,
            file_okay=False,
            help="Folder of truth masks, white = tampered: photo.png or photo.jpg.png.",
        ),
    ],
    threshold: Annotated[
        float,
        typer.Option(callback=_threshold, help="Heat map values strictly above it are tampered, 0 to below 1."),
    ] = 0.5,
    max_pixels: options.MaxPixels = MAX_PIXELS,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
    debug: Debug = False,
) -> None:
    """Score predicted masks and heat maps against truth masks.

    Prints mean pixel IoU, precision, recall, F1 and AUC over the tampered pictures, each with its 95% bootstrap
    interval. Authentic pictures (empty truth) are counted and give the false alarm area.

    Files match by name inside the same subfolder: photo.jpg.mask.png and photo.jpg.heatmap.png with photo.png or
    photo.jpg.png. Of a picture that has both, the mask gives the counts and the heat map the AUC.

    Exit status: 0 all is scored, 1 some input was bad (each is named; the others are scored), 2 wrong usage (a folder
    without pictures or scored against itself included), 3 something else failed.
    """
    with exit_codes(debug):
        try:
            result = score_folders(predictions, truths, threshold, max_pixels)
        except OmniError as error:  # what is wrong with one picture is a problem in the result
            raise WrongUsage(str(error)) from error
        for problem in result.problems:
            typer.echo(problem.message, err=True)
        if as_json:
            emit(json.dumps(to_json(result), allow_nan=False))
        else:
            _print_table(result)
        if result.problems:
            raise typer.Exit(SOME_UNREADABLE)


def to_json(result: FolderScore) -> dict[str, Any]:
    """The score as a JSON object; what is undefined is null.

    Args:
        result: of `omni_iml.metrics.score_folders`.

    Returns:
        Keys ``schema``, ``threshold``, the counts ``n_tampered``, ``n_authentic_skipped``, ``n_missing`` and
        ``n_problems``, the means by metric, ``problems``, ``extra`` and ``pictures``.
    """
    return {
        "schema": SCHEMA,
        "threshold": result.threshold,
        "n_tampered": len(result.tampered),
        "n_authentic_skipped": len(result.authentic),
        "n_missing": len(result.missing),
        "n_problems": len(result.problems),
        **{name: _estimate(getattr(result, name)) for _, name in _ROWS},
        "false_alarm_area": _estimate(result.false_alarm_area),
        "problems": [
            {"kind": problem.kind, "path": str(problem.path), "message": problem.message} for problem in result.problems
        ],
        "extra": list(result.extra),
        "pictures": [
            {
                "name": picture.name,
                "authentic": picture.authentic,
                **dict(zip(("tp", "fp", "fn", "tn"), picture.counts.table[0].tolist(), strict=True)),
                "auc": _number(picture.auc),
            }
            for picture in result.pictures
        ],
    }


def _estimate(estimate: Estimate) -> dict[str, float | int | None]:
    return {
        "mean": _number(estimate.mean),
        "low": _number(estimate.low),
        "high": _number(estimate.high),
        "n": estimate.n,
        "skipped": estimate.skipped,
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _print_table(result: FolderScore) -> None:
    table = Table(title=f"Pixel scores at threshold {result.threshold:g}")
    for heading in ("Metric", "n", "Mean", "95% interval"):
        table.add_column(heading, justify="left" if heading == "Metric" else "right", no_wrap=True)
    for heading, name in _ROWS:
        table.add_row(heading, *_cells(getattr(result, name)))
    table.add_section()
    table.add_row("False alarm area, authentic", *_cells(result.false_alarm_area))
    console = Console()
    console.print(table)
    for line in _summary(result):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _cells(estimate: Estimate) -> tuple[str, str, str]:
    mean = "n/a" if math.isnan(estimate.mean) else f"{estimate.mean:.4f}"
    interval = "n/a" if math.isnan(estimate.low) else f"{estimate.low:.4f} to {estimate.high:.4f}"
    return str(estimate.n), mean, interval


def _summary(result: FolderScore) -> list[str]:
    lines = [
        f"Scored: {len(result.tampered)} tampered. Skipped: {len(result.authentic)} authentic (empty truth). "
        f"Missing predictions: {len(result.missing)}. "
        f"Problems: {len(result.problems)}{', named on standard error' if result.problems else ''}."
    ]
    if result.auc.skipped:
        lines.append(f"Without pixel AUC: {result.auc.skipped} tampered (no heat map, or tampered all over).")
    if result.extra:
        names = ", ".join(result.extra[:3]) + (", ..." if len(result.extra) > 3 else "")
        lines.append(f"Not scored, no truth mask: {len(result.extra)} ({names}).")
    return lines
