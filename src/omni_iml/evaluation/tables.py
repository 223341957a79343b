"""Tables for people: Markdown and LaTeX, by protocol, and in the papers' own layout beside the published rows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from omni_iml.evaluation.protocol import PROTOCOLS
from omni_iml.evaluation.scores import SetScore, domain_means, mean_of
from omni_iml.metrics.bootstrap import Estimate


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        title: above it.
        header: of the columns.
        rows: cells as text.
        notes: sentences below it.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """The table in Markdown."""
        lines = [f"**{self.title}**", ""]
        lines += [f"| {' | '.join(cells)} |" for cells in (self.header, ("---",) * len(self.header), *self.rows)]
        return "\n".join([*lines, *(f"\n{note}" for note in self.notes)]) + "\n"

    def latex(self) -> str:
        """The table in LaTeX, for the package booktabs."""
        body = [" & ".join(_escaped(cell) for cell in row) + r" \\" for row in self.rows]
        return "\n".join(
            [
                r"\begin{table}",
                rf"\caption{{{_escaped(self.title)}}}",
                rf"\begin{{tabular}}{{l{'r' * (len(self.header) - 1)}}}",
                r"\toprule",
                " & ".join(_escaped(cell) for cell in self.header) + r" \\",
                r"\midrule",
                *body,
                r"\bottomrule",
                r"\end{tabular}",
                *(rf"\par {_escaped(note)}" for note in self.notes),
                r"\end{table}",
                "",
            ]
        )


_LATEX = {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "~": r"\textasciitilde{}", "^": r"\^{}"}


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def protocol_tables(scores: Sequence[SetScore]) -> list[Table]:
    """Pixel and image figures of every protocol, a row a data set and view, then the means over the domains."""
    tables = []
    for asked in dict.fromkeys(score.asked for score in scores):
        chosen = [score for score in scores if score.asked == asked]
        for protocol in dict.fromkeys(score.protocol for score in chosen):
            tables.append(_pixel_table([s for s in chosen if s.protocol == protocol]))
        if with_image := [score for score in chosen if score.image]:
            tables.append(_image_table(with_image))
    return tables


def _pixel_table(scores: Sequence[SetScore]) -> Table:
    protocol = PROTOCOLS[scores[0].protocol]
    figures = tuple(scores[0].pixel)
    rows = [
        (
            s.data,
            s.domain,
            s.view,
            str(s.n),
            str(s.n_authentic),
            str(s.n_empty),
            str(s.n_nan),
            *map(_cell, s.pixel.values()),
        )
        for s in scores
    ]
    for view in dict.fromkeys(score.view for score in scores):
        of_view = [score for score in scores if score.view == view]
        if len(of_view) > 1:
            means = {figure: domain_means(of_view, figure) for figure in figures}
            for domain in next(iter(means.values())):
                label = "mean of the domains" if domain == "average" else f"mean, {domain}"
                rows.append((label, "", view, "", "", "", "", *(_plain(means[f][domain]) for f in figures)))
    notes = [f"Protocol {protocol.name}: {protocol.source}."]
    if protocol.pictures == "tampered":
        notes.append("Pixel figures are of the tampered pictures; authentic ones are counted and left out.")
    for score in scores:
        if not math.isnan(score.with_authentic) and protocol.empty == "formula" and "@" not in score.view:
            notes.append(
                f"{score.data}: {figures[0]} {_plain(score.with_authentic)} if authentic pictures were counted too."
            )
    header = ("data", "domain", "shown", "n", "authentic", "empty masks", "nan", *figures)
    return Table(f"{protocol.name}: pixels", header, tuple(rows), tuple(notes))


def _image_table(scores: Sequence[SetScore]) -> Table:
    figures = tuple(scores[0].image)
    rows = tuple(
        (s.data, s.view, str(s.n_scored), str(s.n_authentic), s.image_score, *map(_cell, s.image.values()))
        for s in scores
    )
    return Table(f"{scores[0].asked}: whole pictures", ("data", "shown", "n", "authentic", "score", *figures), rows)


def _cell(estimate: Estimate) -> str:
    if math.isnan(estimate.low):
        return _plain(estimate.mean)
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _plain(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def published() -> dict[str, Any]:
    """The papers' numbers: "tables" with "id", "title", "source", "columns" and "rows", and "slips" with "text"."""
    text = files("omni_iml.evaluation").joinpath("published.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


ONE_TASK = " (one task)"
"""Ends the name of what stands in a column of models that were trained on one task alone."""


def paper_tables(scores: Sequence[SetScore], label: str, *, task: str | None = None) -> list[Table]:
    """The papers' tables that have a column for one of these data sets, with a row of ours below the published ones.

    Args:
        scores: of any protocols; the one named "paper" counts, else the first that has the figure.
        label: of our row.
        task: the one domain that the model was trained on: in C-T3 and A-T3 its figures stand in the columns of such
            models. None = trained on all.
    """
    value, tables = _values(scores), []
    label = f"{label} ({task} alone)" if task else label
    for table in published()["tables"]:
        if table["id"].split()[0] not in LAYOUTS:
            continue
        two_halves = any(column["data"].endswith(ONE_TASK) for column in table["columns"])
        ours = [
            value(column["data"].removesuffix(ONE_TASK), column["figure"])
            if not two_halves or column["data"].endswith(ONE_TASK) == (task is not None)
            else math.nan
            for column in table["columns"]
        ]
        if all(math.isnan(v) for v in ours):
            continue
        used = {s.data: s.n for s in scores if any(s.data == c["data"].split("@")[0] for c in table["columns"])}
        counts = ", ".join(f"{name} {n}" for name, n in used.items())
        tables.append(beside_published(table["id"], label, ours, [f"Pictures in our row: {counts}."] if used else []))
    return tables


def beside_published(name: str, label: str, ours: Sequence[float], notes: Iterable[str] = ()) -> Table:
    """One of the papers' tables with a row of ours below the published ones.

    Args:
        name: of the table, for example "C-T6".
        label: of our row.
        ours: its figures, one a column; nan where there is none.
        notes: sentences that are added below.
    """
    content = published()
    table = next(one for one in content["tables"] if one["id"] == name)
    rows = [(row["method"], *(_plain(math.nan if v is None else v) for v in row["values"])) for row in table["rows"]]
    header = ("method", *(column["name"] for column in table["columns"]))
    slips = [slip["text"] for slip in content["slips"] if name in slip["tables"]]
    said = (f"{table['source']}. Published rows are quoted, not measured.", *slips, *notes)
    return Table(f"{name}: {table['title']}", header, (*rows, (label, *map(_plain, ours))), said)


LAYOUTS = frozenset(
    {
        *("C-T2", "C-T3", "C-T4", "C-T5", "C-T12", "C-T14", "C-T15", "C-T18"),
        *("A-T1", "A-T2", "A-T3", "A-T4"),
    }
)
"""The tables that results are laid out by; the others are ablations of training, which no evaluation fills."""


def _values(scores: Sequence[SetScore]) -> Callable[[str, str], float]:
    """A function of a column's data and figure: of a set, a set distorted, a domain, or "average"."""
    ranked = sorted(scores, key=lambda score: score.asked != "paper")

    def figure_of(score: SetScore, figure: str) -> float:
        found = {**score.image, **score.pixel}.get(figure)
        return math.nan if found is None else found.mean

    def first(chosen: Iterable[SetScore], figure: str) -> dict[str, tuple[str, float]]:
        values: dict[str, tuple[str, float]] = {}
        for score in chosen:
            if score.data not in values and not math.isnan(number := figure_of(score, figure)):
                values[score.data] = (score.domain, number)
        return values

    def value(data: str, figure: str) -> float:
        name, _, distortion = data.partition("@")
        of_view = [s for s in ranked if s.view.partition("@")[2] == distortion]
        sets = first(of_view, figure)
        if name in sets:
            return sets[name][1]
        wanted, _, without = name.partition(" without ")
        domains: dict[str, list[float]] = {}
        for one, (domain, number) in sets.items():
            # Only the sets that the papers have: a mean over others would stand in a column that is not theirs.
            if one != without and one in _BENCHMARKS:
                domains.setdefault(domain, []).append(number)
        if wanted == "doctamper":
            return mean_of(number for one, (_, number) in sets.items() if one in _BENCHMARKS and one.startswith(wanted))
        if wanted == "average":
            return mean_of(mean_of(v) for v in domains.values()) if len(domains) > 2 else math.nan
        return mean_of(domains.get(wanted, []))

    return value


_BENCHMARKS = frozenset(
    {
        *("casia1", "columbia", "coverage", "nist16", "imd2020", "cocoglide"),
        *("sacp-test", "doctamper-test", "doctamper-fcd", "doctamper-scd"),
        *("openforensics-test", "faceshifter-test", "tampered-ic13-test", "ostf-test"),
    }
)


def as_json(scores: Sequence[SetScore]) -> list[dict[str, Any]]:
    """All scores as JSON values; what is undefined is null."""

    def estimate(e: Estimate) -> dict[str, Any]:
        return {k: _null(v) for k, v in vars(e).items()}

    def one(score: SetScore) -> dict[str, Any]:
        fields: Mapping[str, Any] = vars(score)
        plain = {k: _null(v) for k, v in fields.items() if k not in ("pixel", "image")}
        return {
            **plain,
            "n_nan": score.n_nan,
            "pixel": {name: estimate(e) for name, e in score.pixel.items()},
            "image": {name: estimate(e) for name, e in score.image.items()},
        }

    return [one(score) for score in scores]


def _null(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
