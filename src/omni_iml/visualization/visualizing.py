"""A checkpoint and data sets in, a folder of figures out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from omni_iml.data.readers import Entry
from omni_iml.data.readers.sheet import drawn
from omni_iml.data.sources import DOMAINS
from omni_iml.evaluation.data_sets import DataSet, data_sets, doubles
from omni_iml.evaluation.predictors import FolderPredictor, Predictor, Refused, predictor_of
from omni_iml.inspection import Inspector
from omni_iml.inspection.drawing import Map, sheet
from omni_iml.types import UnreadableImage
from omni_iml.version import __version__
from omni_iml.visualization.charts import filter_chart, gate_chart, published_gate
from omni_iml.visualization.files import csv_bytes, finite, png_bytes, written
from omni_iml.visualization.looking import Look, Maps, look_at, maps_of
from omni_iml.visualization.sheets import SIDE, Chosen, Row, choose, draw_random, enhancement_row, grid_row
from omni_iml.visualization.summary import (
    Group,
    contrast_rows,
    explained,
    filter_rows,
    gate_rows,
    groups,
    shown,
)

SCHEMA = "omni-iml/visualization/1"


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        data: ``NAME=ROOT`` each, as `omni_iml.evaluation.data_sets` reads them.
        out: folder of the figures.
        limit: pictures of each label of each set, drawn at random; None = all.
        each: pictures of a kind that the grid and the enhancement show, by domain.
        seed: of what is drawn at random.
        beside: ``NAME=MODEL`` each: models, ``baseline:NAME`` or folders of predictions that join the grid.
        tensorboard: folder for TensorBoard's events, or None.
    """

    data: tuple[str, ...]
    out: Path
    limit: int | None = None
    each: int = 2
    seed: int = 0
    beside: tuple[str, ...] = ()
    tensorboard: Path | None = None


@dataclass(frozen=True)
class Done:
    """What came of it.

    Attributes:
        files: that were written, in the request's folder.
        groups: the pictures by domain and data set.
        problems: a line for each picture that could not be shown.
        absent: what the network has no part for, a line each.
    """

    files: tuple[Path, ...]
    groups: tuple[Group, ...]
    problems: tuple[str, ...]
    absent: tuple[str, ...]


def visualize(request: Request, inspector: Inspector, console: Console | None = None) -> Done:
    """Run the network over the data sets and draw what its parts did.

    Args:
        request: what is asked for.
        inspector: the loaded weights.
        console: for the bar; None for silence.

    Raises:
        ValueError: a data set or a model beside that cannot be named so, or no picture could be read.
        FileNotFoundError: a data set is not there.
        OmniError: a network could not be run.
    """
    sets = [one for text in request.data for one in data_sets(text)]
    if doubled := _doubled([one.name for one in sets]):
        raise ValueError(f"--data: two data sets are called {doubled}; give them different names.")
    beside = [_named(text) for text in request.beside]
    if doubled := _doubled([name for name, _ in beside]):
        raise ValueError(f"--beside: two models are called {doubled}; give them different names.")
    others = {name: _other(model) for name, model in beside}
    request.out.mkdir(parents=True, exist_ok=True)
    entries = {one.name: _entries(one, request) for one in sets}
    problems: list[str] = []
    looks: list[Look] = []
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console,
        disable=console is None,
    )  # fmt: skip
    with bar:
        task = bar.add_task("looking", total=sum(map(len, entries.values())))
        for data in sets:
            for entry in entries[data.name].values():
                try:
                    looks.append(look_at(inspector, data, entry))
                except UnreadableImage as error:
                    problems.append(f"{data.name}/{entry.key}: {error}")
                bar.update(task, advance=1, description=f"{data.name}/{entry.key}")
    if not looks:
        raise ValueError(f"{request.data[0]}: no picture could be read; the first problem: {problems[0]}")
    found, drawing = groups(looks), _Drawing(inspector, entries, others, problems)
    pictures, absent = _pictures(request, inspector, found, drawing)
    tables = _tables(found, request.seed)
    files = [written(request.out / f"{name}.csv", csv_bytes(rows)) for name, rows in tables.items() if rows]
    files += [written(request.out / f"{name}.png", png_bytes(picture)) for name, picture in pictures.items()]
    content = _content(request, inspector, looks, tables, problems)
    text = json.dumps(finite(content), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    files.append(written(request.out / "visualize.json", text.encode("utf-8", "replace")))
    if request.tensorboard is not None:
        _log(request.tensorboard, pictures, tables, inspector.samples)
    return Done(tuple(files), tuple(found), tuple(problems), tuple(absent))


def _entries(data: DataSet, request: Request) -> dict[str, Entry]:
    """What is looked at, by key."""
    if twice := doubles(data.reader):
        raise ValueError(f"{data.name}: two pictures are called {min(twice)}; rename one.")
    chosen = list(data.reader)
    if request.limit is not None:
        labels = [[entry for entry in chosen if entry.label == label] for label in (1, 0)]
        chosen = [entry for found in labels for entry in drawn(found, request.limit, request.seed)]
    return {entry.key: entry for entry in chosen}


def _doubled(names: Sequence[str]) -> str | None:
    """A name that stands there twice."""
    return min((name for name in names if names.count(name) > 1), default=None)


def _named(text: str) -> tuple[str, str]:
    name, separator, model = text.partition("=")
    if not name or not separator or not model:
        raise ValueError(f"--beside {text}: is not of the form NAME=MODEL, as baseline=runs/baseline/last.safetensors.")
    return name, model


def _other(model: str) -> Predictor:
    if Path(model).is_dir():
        return FolderPredictor(Path(model))
    # Only torch runs weights, and "auto" knows which file a name on the hub stands for.
    ours = model.endswith(".safetensors") or model.startswith("hf://")
    return predictor_of(model, "auto" if ours else "onnx")[0]


@dataclass(frozen=True)
class _Drawing:
    """Looks at chosen pictures once more, one at a time, so that no maps of a whole data set are kept."""

    inspector: Inspector
    entries: Mapping[str, Mapping[str, Entry]]
    others: Mapping[str, Predictor]
    problems: list[str]

    def maps(self, place: tuple[str, str]) -> Maps:
        """Of one picture."""
        data, key = place
        return maps_of(self.inspector, self.entries[data][key])[0]

    def beside(self, place: tuple[str, str], maps: Maps) -> dict[str, Map]:
        """The other models' maps; what one of them cannot give is a problem and left out."""
        found = {}
        for name, predictor in self.others.items():
            try:
                found[name] = predictor(*place, maps.image).probability
            except (Refused, UnreadableImage) as error:
                self.problems.append(f"{name}: {error}")
        return found


def _pictures(
    request: Request, inspector: Inspector, found: Sequence[Group], drawing: _Drawing
) -> tuple[dict[str, Image.Image], list[str]]:
    """The figures by name, and what the network has no part for."""
    model = f"{inspector.info.name} {inspector.info.version}".strip()
    pictures, absent = {}, []
    if rows := gate_rows(shown(found)):
        pictures["gate"] = gate_chart(rows, f"{model}, {rows[0].group.label} pictures")
    else:
        absent.append("this network has no gate that chooses: no gate.png.")
    if found[0].looks[0].activations:
        pictures["filters"] = filter_chart(shown(found), model)
    else:
        absent.append("this network has no dynamic weight filters: no filters.png.")
    by_domain = [
        [look for group in found if group.kind == "domain" and group.name == domain for look in group.looks]
        for domain in DOMAINS
    ]
    in_grid = [one for looks in by_domain for one in choose(looks, request.each, request.seed)]
    enhanced = [one for looks in by_domain for one in draw_random(looks, request.each, request.seed)]
    if enhanced and not enhanced[0].look.contrast:
        absent.append("this network has no anomaly enhancement: no enhancement.png.")
        enhanced = []
    in_both = {_place(one): one for one in enhanced}
    grid: list[Row] = []
    enhancement: dict[tuple[str, str], Row] = {}
    for one in in_grid:
        maps = drawing.maps(_place(one))
        grid.append(grid_row(one, maps, drawing.beside(_place(one), maps)))
        if again := in_both.pop(_place(one), None):
            enhancement[_place(one)] = enhancement_row(again, maps)
    enhancement |= {place: enhancement_row(one, drawing.maps(place)) for place, one in in_both.items()}
    if enhanced:
        title = f"{model}: feature energy before and after anomaly enhancement, truth outlined"
        pictures["enhancement"] = sheet(title, [enhancement[_place(one)] for one in enhanced], SIDE)
    pictures["grid"] = sheet(model, grid, SIDE)
    return pictures, absent


def _place(chosen: Chosen) -> tuple[str, str]:
    """Data set and key of a picture."""
    return chosen.look.data, chosen.look.key


def _tables(found: Sequence[Group], seed: int) -> dict[str, list[dict[str, Any]]]:
    """Rows of plain values, by the file's name."""
    paper = published_gate()

    def of(group: Group) -> dict[str, Any]:
        return {"by": group.kind, "name": group.name, "label": group.label}

    gates = [
        of(row.group)
        | {
            "pictures": row.pictures, "vision": row.vision, "share": row.share, "low": row.low, "high": row.high,
            "tiles": row.tiles, "vision_tiles": row.vision_tiles, "mean_probability": row.mean_probability,
            "published": paper.get(row.group.name, math.nan) if row.group.kind == "domain" else math.nan,
        }
        for row in gate_rows(found)
    ]  # fmt: skip
    filters = [
        of(row.group)
        | {
            "filter": row.filter, "weight": row.weight, "pictures": row.pictures, "mean": row.mean,
            "spread": row.spread,
        }
        for row in filter_rows(found)
    ]  # fmt: skip
    contrasts = [
        of(row.group)
        | {
            "map": row.map, "measure": row.measure, "pictures": row.change.n, "before": row.before, "after": row.after,
            "change": row.change.mean, "low": row.change.low, "high": row.change.high, "grew": row.grew,
        }
        for row in contrast_rows(found, seed)
    ]  # fmt: skip
    return {"gate": gates, "filters": filters, "enhancement": contrasts}


def _content(
    request: Request,
    inspector: Inspector,
    looks: Sequence[Look],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    problems: Sequence[str],
) -> dict[str, Any]:
    info, tampered = inspector.info, [look for look in looks if look.label] or list(looks)

    def share(of: Callable[[Look], str]) -> float:
        return explained(tampered, of) if tampered[0].activations else math.nan

    return {
        "schema": SCHEMA,
        "omni-iml": __version__,
        "model": {"name": info.name, "version": info.version, "sha256": info.sha256, "samples": inspector.samples},
        "data": list(request.data),
        "limit": request.limit,
        "seed": request.seed,
        **tables,
        "activations_explained": {"by domain": share(lambda k: k.domain), "by data set": share(lambda k: k.data)},
        "pictures": [asdict(look) for look in looks],
        "problems": list(problems),
    }


def _log(
    folder: Path,
    pictures: Mapping[str, Image.Image],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    samples: int | None,
) -> None:
    """The figures, and the domains' numbers as curves over the samples that the weights have seen."""
    from torch.utils.tensorboard import SummaryWriter

    step = samples or 0
    with SummaryWriter(folder) as writer:
        for name, picture in pictures.items():
            writer.add_image(f"visualize/{name}", np.asarray(picture), step, dataformats="HWC")
        for row in (row for row in tables["gate"] if row["by"] == "domain"):
            writer.add_scalar(f"visualize/gate/{row['name']}/{row['label']}", row["share"], step)
        for row in (row for row in tables["filters"] if row["by"] == "domain" and row["label"] == "tampered"):
            name = f"visualize/filters/{row['name']}/{row['filter']}.W{row['weight']}"
            writer.add_scalar(name.replace("#", "."), row["mean"], step)
        for row in (row for row in tables["enhancement"] if row["by"] == "domain" and not math.isnan(row["change"])):
            name = f"visualize/enhancement/{row['name']}/{row['map']}.{row['measure']}"
            writer.add_scalar(name, row["change"], step)
