"""``omni-iml export``: weights of a training run -> a model file for `omni-iml detect --model`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omni_iml.cli.failures import WrongUsage, emit, exit_codes, needs_train


def export(
    weights: Annotated[Path, typer.Argument(help="Weights (.safetensors) that training wrote.")],
    out: Annotated[Path, typer.Argument(help="Model file (.onnx) to write.")],
    name: Annotated[str | None, typer.Option(help="Name of the model; its recipe's by default.")] = None,
    version: Annotated[str | None, typer.Option(help="Version of the weights.")] = None,
    tile: Annotated[int | None, typer.Option(help="Side of the input in pixels, a multiple of 32.")] = None,
    free_size: Annotated[
        bool | None,
        typer.Option("--free-size/--fixed-size", help="Take any size up to the tile, in steps of 32 pixels."),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Terms of the weights.")] = None,
    card: Annotated[Path | None, typer.Option(help="Markdown file with the model card.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Export weights to an ONNX model file that runs without torch (needs the extra named train)."""
    with exit_codes(debug):
        with needs_train("export"):
            from omni_iml.models.checkpoint import load_network
            from omni_iml.models.export import UNCALIBRATED, export_onnx
        network, extra = load_network(weights)
        facts = {
            **UNCALIBRATED,
            "name": extra.get("recipe", {}).get("name", weights.stem),
            **extra.get("model_file", {}),
        }
        chosen = {"name": name, "version": version, "tile": tile, "free_size": free_size, "licence": licence}
        facts.update({key: value for key, value in chosen.items() if value is not None})
        if card is not None:
            facts["card"] = card.read_text(encoding="utf-8")
        try:
            export_onnx(network, out, facts)
        except ValueError as error:
            raise WrongUsage(str(error)) from error
        emit(str(out))
