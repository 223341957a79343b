"""An inspection as a folder: arrays, pictures and one JSON object, written tile by tile."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from PIL import Image

from omni_iml.inference.tiles import Grid
from omni_iml.inspection.drawing import filter_matrix
from omni_iml.inspection.panels import contact_sheet, overview, panels
from omni_iml.inspection.picture import (
    Gathering,
    Inspector,
    PictureInspection,
    TileInspection,
    TileSummary,
)
from omni_iml.report.files import output_stem
from omni_iml.report.wording import LIMITS, printable
from omni_iml.types import EvidenceImage, OmniError

SCHEMA = "omni-iml/inspection/1"
REPORT = "inspect.json"
MOST_UNASKED = 12
"""Tiles written when nobody chose: each takes some ten megabytes with the bundled weights, more with larger ones."""


class ForeignFolder(OmniError):  # noqa: N818 - says what was found
    """The folder to write holds something that is not an earlier inspection."""


@dataclass(frozen=True)
class Saved:
    """What was written.

    Attributes:
        folder: ``<out>/<file name>.inspect``.
        picture: the picture as a whole.
    """

    folder: Path
    picture: PictureInspection


def save_inspection(
    inspector: Inspector,
    image: EvidenceImage,
    out: str | Path,
    *,
    name: str | None = None,
    tiles: Sequence[int] | None = None,
    on_tile: Callable[[TileSummary], None] | None = None,
) -> Saved:
    """Run the network on every tile of a picture, and write what its parts gave into ``<out>/<name>.inspect``.

    Every tile counts in the picture's map and figures; those in ``tiles`` are written with all their arrays and
    pictures. The folder appears when it is whole; an earlier inspection of the same name gives way to it.

    Args:
        inspector: the loaded weights.
        image: from `omni_iml.io.load`.
        out: where the folder goes; made if it does not exist.
        name: the picture's file name with its suffix; ``None`` for that of ``image.source``.
        tiles: numbers of the tiles to write, row by row from 0; ``None`` for all of a picture of at most
            `MOST_UNASKED` tiles.
        on_tile: called with each tile's numbers when it is done.

    Returns:
        The folder and the picture as a whole.

    Raises:
        ValueError: a number is not that of a tile, or there are more tiles than are written unasked.
        ForeignFolder: the folder exists and is not an earlier inspection.
        OmniError: the network could not be run.
        OSError: the folder cannot be written.
    """
    title = image.source.replace("\\", "/").rsplit("/", 1)[-1] + image.part if name is None else name
    grid = inspector.grid(image)
    chosen = check_choice(tiles, grid, title)
    stem = output_stem(title)
    target = Path(out) / stem.with_name(stem.name + ".inspect")
    with _whole_folder(target) as folder:
        gathering = Gathering(image, inspector)
        for tile in inspector.tiles(image):
            summary = gathering.add(tile)
            if tile.index in chosen:
                _write_tile(folder, printable(title), tile, summary)
            if on_tile is not None:
                on_tile(summary)
        picture = gathering.finish()
        _write_picture(folder, picture)
        text = json.dumps(to_json(picture, grid, chosen), indent=2, ensure_ascii=False) + "\n"
        (folder / REPORT).write_bytes(text.encode("utf-8", "replace"))
    return Saved(target, picture)


def check_choice(tiles: Sequence[int] | None, grid: Grid, name: str) -> frozenset[int]:
    """The numbers of the tiles to write.

    Args:
        tiles: as for `save_inspection`.
        grid: the picture's tiles.
        name: of the picture, for messages.

    Returns:
        Numbers of tiles.

    Raises:
        ValueError: as `save_inspection`.
    """
    count = len(grid)
    where = f"{len(grid.rows)} rows of {len(grid.columns)}, numbered from 0 row by row"
    if tiles is None:
        if count > MOST_UNASKED:
            raise ValueError(
                f"{name}: of its {count} tiles ({where}) no more than {MOST_UNASKED} are written unasked; "
                "choose with --tiles 0,5-8, --tiles all, or --tiles none for the picture's own map and figures."
            )
        tiles = range(count)
    if outside := [number for number in tiles if not 0 <= number < count]:
        raise ValueError(f"{name}: there is no tile {outside[0]} among its {count} ({where}); choose 0 to {count - 1}.")
    return frozenset(tiles)


def to_json(picture: PictureInspection, grid: Grid, chosen: frozenset[int]) -> dict[str, Any]:
    """What `REPORT` holds: plain Python values.

    Args:
        picture: the picture as a whole.
        grid: its tiles.
        chosen: numbers of the tiles that were written.

    Returns:
        The object; boxes are ``[x0, y0, x1, y1]``, half-open.
    """
    image, model = picture.image, picture.model
    height, width = picture.probability.shape
    return {
        "schema": SCHEMA,
        "source": image.source,
        "part": image.part,
        "sha256": image.sha256,
        "format": image.format,
        "width": width,
        "height": height,
        "orientation": image.orientation,
        "warnings": list(image.warnings),
        "model": {
            "name": model.name,
            "version": model.version,
            "sha256": model.sha256,
            "licence": model.licence,
            "limits": LIMITS,
        },
        "score": picture.score,
        "verdict": picture.verdict,
        "gate_probability": picture.gate_probability,
        "modality": picture.modality,
        "filters": [{"name": f.name, "module": f.module, "dilation": f.dilation} for f in picture.filters],
        "activations": {name: list(values) for name, values in picture.activations.items()},
        "absent": list(picture.absent),
        "tile_height": grid.tall,
        "tile_width": grid.wide,
        "rows": len(grid.rows),
        "columns": len(grid.columns),
        "tiles": [
            {
                "index": tile.index,
                "box": list(tile.box),
                "stored_box": list(tile.stored_box),
                "gate_logit": tile.gate_logit,
                "gate_probability": tile.gate_probability,
                "modality": tile.modality,
                "image_logit": tile.image_logit,
                "activations": {name: list(values) for name, values in tile.activations.items()},
                "mean_probability": tile.mean_probability,
                "mean_coarse_rgb": tile.mean_coarse_rgb,
                "mean_coarse_fused": tile.mean_coarse_fused,
                "written": tile.index in chosen,
            }
            for tile in picture.tiles
        ],
    }


def _write_tile(folder: Path, title: str, tile: TileInspection, summary: TileSummary) -> None:
    stem = f"tile-{tile.index:03d}"
    np.savez_compressed(folder / f"{stem}.npz", allow_pickle=False, **tile.values.arrays())
    found = panels(tile)
    _png(contact_sheet(title, summary, found), folder / f"{stem}.png")
    (folder / stem).mkdir()
    height, width = tile.values.image.shape[-2:]
    for name, panel in found.items():
        _png(panel.at(height, width), folder / stem / f"{name}.png")


def _write_picture(folder: Path, picture: PictureInspection) -> None:
    columns: dict[str, list[Any]] = {
        "gate_logit": [tile.gate_logit for tile in picture.tiles],
        "image_logit": [tile.image_logit for tile in picture.tiles],
    }
    columns |= {f"activations.{n}": [tile.activations[n] for tile in picture.tiles] for n in picture.activations}
    known = {name: np.array(values, np.float32) for name, values in columns.items() if None not in values}
    boxes = np.array([tile.box for tile in picture.tiles], np.int64)
    np.savez_compressed(
        folder / "picture.npz", allow_pickle=False, probability=picture.probability, boxes=boxes, **known
    )
    _png(overview(picture), folder / "picture.png")
    if picture.activations:
        _png(Image.fromarray(filter_matrix(picture.activations, 448, 300)), folder / "filters.png")


def _png(picture: Image.Image, path: Path) -> None:
    picture.save(path, format="PNG")


@contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    """A folder under a temporary name that takes ``target``'s place when all went well, else is removed."""
    _refuse_foreign(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{uuid4().hex}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        _refuse_foreign(target)
        earlier = target.with_name(f".{uuid4().hex}.tmp")
        if target.exists():
            target.rename(earlier)
        try:
            temporary.rename(target)
        except OSError:
            if earlier.exists():
                earlier.rename(target)
            raise
        shutil.rmtree(earlier, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse_foreign(target: Path) -> None:
    if not target.exists():
        return
    try:
        ours = json.loads((target / REPORT).read_bytes())["schema"] == SCHEMA
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise ForeignFolder(
            f"{target}: it exists and is no earlier inspection, so it is left alone; move it away or write elsewhere."
        )
