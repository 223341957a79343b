"""``omni-iml export``: weights of a training run -> a model file for `omni-iml detect --model`."""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omni_iml.cli.failures import Debug, WrongUsage, emit, exit_codes, needs
from omni_iml.types import UnreadableImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
    int8: Annotated[
        bool, typer.Option("--int8", help="Quantize to int8: smaller, faster, a little less exact.")
    ] = False,
    calibration: Annotated[
        Path | None, typer.Option(help="With --int8: folder of pictures to measure ranges on.")
    ] = None,
    calibration_count: Annotated[int, typer.Option(min=8, help="With --int8: pictures of the folder to use.")] = 32,
    debug: Debug = False,
) -> None:
    """Export weights to an ONNX model file that runs without torch (needs the extra named train)."""
    with exit_codes(debug):
        if int8 != (calibration is not None):
            raise WrongUsage("--int8 and --calibration FOLDER belong together; name both, or neither.")
        if out.suffix.lower() != ".onnx":  # one slip and it would be the weights that are overwritten
            raise WrongUsage(f"{out}: a model file's name ends in .onnx; give it such a name.")
        with needs("train", "export"):
            import onnxruntime

            from omni_iml.models.checkpoint import load_network
            from omni_iml.models.export import UNCALIBRATED, export_onnx
            from omni_iml.models.quantize import quantize_model
        from omni_iml.inference.model_file import parse_metadata

        network, extra = load_network(weights)
        facts = {
            **UNCALIBRATED,
            "name": extra.get("recipe", {}).get("name", weights.stem),
            **extra.get("model_file", {}),
        }
        chosen = {"name": name, "version": version, "tile": tile, "free_size": free_size, "licence": licence}
        if int8:  # unless --free-size asks for it, which is refused in a sentence
            facts["free_size"] = False
        facts.update({key: value for key, value in chosen.items() if value is not None})
        if card is not None:
            try:
                facts["card"] = card.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise WrongUsage(f"{card}: the card cannot be read ({error}); give a text file in UTF-8.") from error
        parse_metadata(json.dumps(facts), out, "")  # what no reader would take shows here, before the work
        try:
            if calibration is None:
                export_onnx(network, out, facts)
            else:
                tiles = calibration_tiles(calibration, calibration_count, int(facts["tile"]))
                with tempfile.TemporaryDirectory() as folder:
                    whole = Path(folder) / "float.onnx"
                    onnxruntime.set_default_logger_severity(3)  # it warns of what it cannot fold
                    export_onnx(network, whole, facts)
                    quantize_model(whole, out, tiles)
        except ValueError as error:
            raise WrongUsage(str(error)) from error
        emit(str(out))


def calibration_tiles(folder: Path, count: int, side: int) -> list[dict[str, NDArray[np.uint8]]]:
    """The middle tile of each of ``count`` pictures, spread evenly over the folder's files.

    Args:
        folder: pictures, searched recursively; one that cannot be read is named in the log and left out.
        count: of pictures; all of them where there are fewer.
        side: of a tile in pixels.

    Returns:
        ``image``, ``coefficients`` and ``table`` of each, as the model file takes them, with a batch axis of one.

    Raises:
        WrongUsage: the folder is not there, or holds too few pictures that can be read.
    """
    from omni_iml.inference.tiles import cut, overlap_for, tile_starts
    from omni_iml.io import load
    from omni_iml.io.find import find_source
    from omni_iml.models.quantize import SMALLEST_CALIBRATION

    if not folder.is_dir():
        raise WrongUsage(f"{folder}: there is no such folder; name one that holds pictures to calibrate with.")
    try:
        found = find_source(str(folder))
    except UnreadableImage:  # it holds none
        found = []
    count = min(count, len(found))
    tiles = []
    for index in range(count):
        path = found[index * len(found) // count].path
        try:
            image = load(path)
        except UnreadableImage as error:
            logging.getLogger(__name__).warning("%s", error)
            continue
        rows, columns = (tile_starts(length, side, overlap_for(side)) for length in image.pixels.shape[:2])
        tiles.append(vars(cut(image, rows[len(rows) // 2], columns[len(columns) // 2], side)))
    if len(tiles) < SMALLEST_CALIBRATION:
        raise WrongUsage(
            f"{folder}: {len(tiles)} pictures to calibrate with are too few; "
            f"name a folder with at least {SMALLEST_CALIBRATION} that can be read, better 32 or more."
        )
    return tiles
