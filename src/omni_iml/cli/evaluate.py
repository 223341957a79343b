"""`omni-iml evaluate`: a model, a method or a folder of predictions, scored under named protocols."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from omni_iml.cli import options
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, exit_codes
from omni_iml.types import OmniError

if TYPE_CHECKING:
    from omni_iml.evaluation.predictors import Predictor


class Suite(StrEnum):
    """Names of the robustness suites."""

    CLASSIC = "classic"
    BENCO = "benco"
    OSN = "osn"


def evaluate(
    data: Annotated[
        list[str],
        typer.Option(
            "--data",
            metavar="NAME=ROOT",
            help="Data set: a folder with images, masks and perhaps authentic, a folder of such folders, or one of the "
            "sets of `omni-iml data list`. Before NAME, a domain may stand: document/mine=ROOT. Repeat for more.",
        ),
    ],
    out: options.OutFolder,
    predictions: Annotated[
        Path | None, typer.Option(help="Folder of masks or maps that anybody made, or with a folder for each data set.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model file, or baseline:NAME for a method without training; the bundled model by default."),
    ] = None,
    protocol: Annotated[
        list[str] | None, typer.Option("--protocol", help="Repeat for more; `paper` and `clean` by default.")
    ] = None,
    robust: Annotated[Suite | None, typer.Option(help="Also under the distortions of this suite.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Tampered, and authentic, pictures of each set.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in the folder.")] = False,
    compare: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of another run, for a paired test.")
    ] = None,
    runtime: Annotated[str, typer.Option(help="onnx, openvino, torch or auto.")] = "onnx",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads that the model may use.")] = None,
    minq: Annotated[int, typer.Option(help="DocTamper's list of qualities: 75, 80, 85 or 90.")] = 75,
    task: Annotated[
        str | None, typer.Option(help="The one domain that the model was trained on: its place in C-T3 and A-T3.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of noise and of the bootstrap.")] = 0,
    debug: Debug = False,
) -> None:
    """Score a model, or predictions that anybody made, under named protocols, from one pass over the pictures.

    Writes into the folder: counts.parquet (a row a picture), scores.json, tables.md, tables.tex, contact.png (ten worst
    and best) and, with --robust, robust.png. A run that was killed goes on with --resume; no picture is scored twice.

    Exit status: 0 all is scored, 1 some pictures were not (each is named once), 2 wrong usage, 3 something else failed.
    """
    with exit_codes(debug):
        from omni_iml.evaluation.evaluate import Request, evaluate_all
        from omni_iml.evaluation.protocol import PROTOCOLS

        names = protocol or ["paper", "clean"]
        if unknown := [name for name in names if name not in PROTOCOLS]:
            raise WrongUsage(f"--protocol {unknown[0]}: is none of {', '.join(PROTOCOLS)}.")
        if predictions is not None and model is not None:
            raise WrongUsage("--predictions and --model: give one of them.")
        if predictions is not None and not predictions.is_dir():
            raise WrongUsage(f"{predictions}: is no folder; name the folder of the predictions.")
        if predictions is not None and robust is not None:
            raise WrongUsage("--robust: finished predictions cannot be distorted; give a --model.")
        request = Request(
            data=tuple(data),
            out=out,
            protocols=tuple(dict.fromkeys(names)),
            suite=robust.value if robust else None,
            limit=limit,
            resume=resume,
            compare=compare,
            seed=seed,
            least_quality=minq,
            task=task,
        )
        try:
            predictor, about = _predictor(predictions, model, runtime, threads)
            problems = evaluate_all(request, predictor, about, Console())
        except (FileNotFoundError, ValueError) as error:
            raise WrongUsage(str(error)) from error
        for problem in problems:
            typer.echo(problem, err=True)
        if problems:
            raise typer.Exit(SOME_UNREADABLE)


def _predictor(
    predictions: Path | None, model: str | None, runtime: str, threads: int | None
) -> tuple[Predictor, dict[str, str]]:
    """What gives the maps, and what the results say of it."""
    from omni_iml.evaluation.predictors import FolderPredictor, predictor_of

    if predictions is not None:
        return FolderPredictor(predictions), {"predictions": str(predictions)}
    try:
        return predictor_of(model, runtime, threads)
    except OmniError as error:
        raise WrongUsage(str(error)) from error
