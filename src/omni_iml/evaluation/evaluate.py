"""A whole evaluation: data sets in, a folder of results out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from omni_iml.data.sources import DOMAINS
from omni_iml.evaluation.comparison import Paired, paired
from omni_iml.evaluation.counting import Row
from omni_iml.evaluation.data_sets import DataSet, data_sets
from omni_iml.evaluation.distortions import SUITES
from omni_iml.evaluation.pictures import contact_sheet, curves
from omni_iml.evaluation.predictors import Predictor
from omni_iml.evaluation.protocol import PROTOCOLS, Protocol
from omni_iml.evaluation.run import Settings, run, total
from omni_iml.evaluation.scores import SetScore, score_set
from omni_iml.evaluation.table import Journal, read_parquet, write_parquet
from omni_iml.evaluation.tables import as_json, paper_tables, protocol_tables
from omni_iml.evaluation.views import views_of
from omni_iml.io.whole_file import write_whole
from omni_iml.version import __version__

SCHEMA = "omni-iml/evaluation/1"


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        data: ``NAME=ROOT`` each.
        out: folder of the results.
        protocols: names.
        suite: name of a robustness suite, or None.
        limit: pictures of each set, or None.
        resume: go on with what is in the folder.
        compare: folder of another run, or None.
        seed: of noise and bootstrap.
        least_quality: DocTamper's "minq".
        task: the one domain that the model was trained on, for the papers' tables; None = all.
    """

    data: tuple[str, ...]
    out: Path
    protocols: tuple[str, ...] = ("paper", "clean")
    suite: str | None = None
    limit: int | None = None
    resume: bool = False
    compare: Path | None = None
    seed: int = 0
    least_quality: int = 75
    task: str | None = None


def evaluate_all(
    request: Request, predictor: Predictor, about: Mapping[str, str], console: Console | None = None
) -> list[str]:
    """Score, write everything, print the tables.

    Args:
        request: what is asked for.
        predictor: gives the maps.
        about: what the results say of it; a run goes on only where it is the same.
        console: for the bar and the tables; None for silence.

    Returns:
        One line for everything that was not scored, or scored with doubts.

    Raises:
        ValueError: a data set that cannot be named so, a task that is no domain, or nothing was scored.
        FileNotFoundError: a data set is not there.
        OmniError: the folder holds another run, or the model failed.
    """
    if request.task is not None and request.task not in DOMAINS:
        raise ValueError(f"--task {request.task}: is none of {', '.join(DOMAINS)}.")
    sets = [one for text in request.data for one in data_sets(text)]
    names = [one.name for one in sets]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"--data: two data sets are called {min(doubled)}; give them different names.")
    protocols = [PROTOCOLS[name] for name in request.protocols]
    views = views_of(protocols, names, SUITES[request.suite] if request.suite else ())
    request.out.mkdir(parents=True, exist_ok=True)
    thumbnails = request.out / "maps"
    settings = Settings(views, request.limit, request.seed, request.least_quality, thumbnails)
    # The views may differ from one run to the next that goes on with it: rows name theirs.
    identity = {**about, "seed": request.seed, "minq": request.least_quality}
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console,
        disable=console is None,
    )  # fmt: skip
    with Journal(request.out / "journal.jsonl", identity, resume=request.resume) as journal, bar:
        task = bar.add_task("scoring", total=total(sets, settings))
        run(sets, predictor, settings, journal, lambda name: bar.update(task, advance=1, description=name))
        wanted = _in_order(sets, journal.rows, settings)
        problems = [p for p in journal.problems if p["data"] in names]
    if not wanted:
        raise ValueError(f"{request.out}: no picture could be scored; the first problem: {problems[0]['message']}")
    _write(request, protocols, wanted, problems, about, console)
    return [*dict.fromkeys(problem["message"] for problem in problems)]


def _in_order(sets: Sequence[DataSet], rows: Sequence[Row], settings: Settings) -> list[Row]:
    """Rows of these sets and views in the order of the data sets, whatever order they were scored in."""
    place = {(one.name, entry.key): index for one in sets for index, entry in enumerate(one.reader)}
    views = {view.name: index for index, view in enumerate(settings.views)}
    names = {one.name: index for index, one in enumerate(sets)}
    kept = [row for row in rows if (row.data, row.key) in place and row.view in views]
    return sorted(kept, key=lambda row: (views[row.view], names[row.data], place[row.data, row.key]))


def _write(
    request: Request,
    protocols: Sequence[Protocol],
    rows: Sequence[Row],
    problems: Sequence[Mapping[str, str]],
    about: Mapping[str, str],
    console: Console | None,
) -> None:
    scores = score_all(rows, protocols, seed=request.seed)
    out = request.out
    facts = {"omni-iml": __version__, **about, "data": list(request.data), "limit": request.limit}
    write_parquet(out / "counts.parquet", rows, facts)
    compared = _compared(request, rows, protocols)
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "about": facts,
        "protocols": {p.name: _plain(p) for p in protocols},
        "scores": as_json(scores),
        "problems": list(problems),
        "compared": {name: asdict(result) for name, result in compared.items()},
    }
    write_whole(out / "scores.json", lambda file: file.write(json.dumps(content, indent=1, allow_nan=False).encode()))
    label = " ".join(str(value) for key, value in about.items() if key != "sha256")
    tables = [*protocol_tables(scores), *paper_tables(scores, label, task=request.task)]
    lines = [_compared_line(name, result, request.compare) for name, result in compared.items()]
    markdown = "\n".join([*(table.markdown() for table in tables), *lines])
    write_whole(out / "tables.md", lambda file: file.write(markdown.encode()))
    write_whole(out / "tables.tex", lambda file: file.write("\n".join(t.latex() for t in tables).encode()))
    first = [row for row in rows if row.view == rows[0].view]
    contact_sheet(out / "contact.png", out / "maps", first, protocols[0].of(first[0].data))
    if request.suite:
        curves(out / "robust.png", [score for score in scores if score.asked == protocols[0].name])
    if console is not None:
        console.print(markdown, markup=False, highlight=False, soft_wrap=True)
        console.print(f"Written to {out}.", markup=False, highlight=False, soft_wrap=True)


def score_all(rows: Sequence[Row], protocols: Sequence[Protocol], *, seed: int = 0) -> list[SetScore]:
    """Every set in every view that a protocol looks at, for each protocol.

    Args:
        rows: in the order of their data sets.
        protocols: as asked for.
        seed: of the bootstrap.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.view, row.data), []).append(row)
    return [
        score_set(group, protocol, seed=seed)
        for protocol in protocols
        for (view, data), group in groups.items()
        if view.partition("@")[0] == protocol.of(data).view
    ]


def _compared(request: Request, rows: Sequence[Row], protocols: Sequence[Protocol]) -> dict[str, Paired]:
    if request.compare is None:
        return {}
    other = read_parquet(request.compare / "counts.parquet")
    results = {}
    for protocol in protocols:
        mine = [row for row in rows if row.view == protocol.view]
        if any(p.view == protocol.view for p in other):
            results[protocol.name] = paired(mine, other, protocol, seed=request.seed)
    return results


def _compared_line(name: str, result: Paired, other: Path | None) -> str:
    difference = result.difference
    return (
        f"Paired, {name}: {result.figure} differs from {other} by {difference.mean:+.4f} "
        f"[{difference.low:+.4f}, {difference.high:+.4f}] over {difference.n} pictures, p = {result.p:.4f} "
        f"(sign flips; {result.skipped} skipped).\n"
    )


def _plain(protocol: Protocol) -> dict[str, Any]:
    return {**asdict(protocol), "counting": protocol.counting.name, "geometry": protocol.geometry.name}
