"""Scores of explanations as files: figures for programs, tables for people, each picture for who looks for errors."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omni_iml.annotate.field_scores import FIELDS
from omni_iml.evaluation.explanations.scoring import WHOLE, PictureScores, Scores, counted
from omni_iml.evaluation.tables import Table, beside_published, published
from omni_iml.io.paths import openable
from omni_iml.io.whole_file import write_whole
from omni_iml.metrics.bootstrap import Estimate
from omni_iml.metrics.texts import bleu_signature

SCHEMA = "omni-iml/explanation-scores/1"

UNDISTORTED = "none"
"""Name of the view that is the picture's own file."""


def as_json(scores: Scores) -> dict[str, Any]:
    """Scores as plain values; what is undefined is null.

    Args:
        scores: any.

    Returns:
        The object.
    """
    return {
        "counts": counted(scores.pictures),
        "fields": {
            domain: {name: _estimate(cell) for name, cell in cells.items()} for domain, cells in scores.fields.items()
        },
        "average_of_fields": _null(scores.average),
        "whole_string": {name: _estimate(scores.whole[name]) for name in WHOLE},
        "corpus_bleu": scores.corpus_bleu,
        "cosine_vectors": scores.cosine,
        "bleu": bleu_signature(),
    }


def tables(by_view: Mapping[str, Scores], label: str) -> list[Table]:
    """The figures with their intervals, then C-T6, C-T11 and, of several views, C-T13 with a row of ours.

    Args:
        by_view: scores by name of the distortion, `UNDISTORTED` among them.
        label: of our row.

    Returns:
        The tables.
    """
    plain = by_view[UNDISTORTED]
    found = [_fields_table(plain), _whole_table(plain)]
    found.append(beside_published("C-T6", label, _ours("C-T6", by_view), _counts_notes(plain.pictures)))
    found.append(beside_published("C-T11", label, _ours("C-T11", by_view), [_vectors_note(plain)]))
    if len(by_view) > 1:
        found.append(beside_published("C-T13", label, _ours("C-T13", by_view), [_vectors_note(plain)]))
    return found


def save(by_view: Mapping[str, Scores], folder: Path, label: str) -> None:
    """Write ``scores.json``, ``tables.md`` and ``pictures.jsonl``.

    Args:
        by_view: as for `tables`.
        folder: where; made if it does not exist.
        label: of our row.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    openable(folder).mkdir(parents=True, exist_ok=True)
    figures = {"schema": SCHEMA, "label": label, "views": {name: as_json(one) for name, one in by_view.items()}}
    text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    write_whole(folder / "scores.json", lambda out: out.write(text.encode()))
    shown = "\n".join(table.markdown() for table in tables(by_view, label))
    write_whole(folder / "tables.md", lambda out: out.write(shown.encode()))
    lines = [json.dumps(_picture(name, one)) + "\n" for name, scores in by_view.items() for one in scores.pictures]
    write_whole(folder / "pictures.jsonl", lambda out: out.writelines(line.encode() for line in lines))


def _picture(view: str, one: PictureScores) -> dict[str, Any]:
    fields = [{name: _null(getattr(scores, name)) for name in FIELDS} for scores in one.fields]
    whole = {name: _null(value) for name, value in one.whole.items()}
    about = {"view": view, "image": one.image, "source": one.source, "domain": one.domain}
    return {**about, "given_instances": one.given, "instances": fields, "whole_string": whole}


def _ours(table: str, by_view: Mapping[str, Scores]) -> list[float]:
    columns = next(one["columns"] for one in published()["tables"] if one["id"] == table)
    return [_figure(column["data"], column["figure"], by_view) for column in columns]


def _figure(data: str, figure: str, by_view: Mapping[str, Scores]) -> float:
    """The figure that a published column has: of all pictures of a view, of one domain, or of the cells' average."""
    name, _, view = data.partition("@")
    scores = by_view.get(view or UNDISTORTED)
    if scores is None:
        return math.nan
    if name == "all":
        return scores.whole[figure].mean
    if name == "average":  # of the paper's four domains: over fewer it would stand in a column that is not theirs
        return scores.average if len(scores.fields) == 4 else math.nan
    return next((cells[figure].mean for domain, cells in scores.fields.items() if domain == name), math.nan)


def _fields_table(scores: Scores) -> Table:
    rows = [
        (domain, *(_cell(cells[name]) for name in FIELDS), str(cells["content"].n))
        for domain, cells in scores.fields.items()
    ]
    header = ("domain", *(name.replace("_", " ") for name in FIELDS), "instances")
    note = (
        "Mean over true instances, 95% interval from drawing pictures. Content and relative position: OCR accuracy for "
        "document and scene_text, MRB otherwise; descriptions: MRB; absolute position and titles: accuracy."
    )
    return Table("Fields", header, tuple(rows), (note, *_counts_notes(scores.pictures)))


def _whole_table(scores: Scores) -> Table:
    row = ("all", *(_cell(scores.whole[name]) for name in WHOLE), f"{scores.corpus_bleu:.3f}")
    header = ("pictures", *(name.replace("_", "-") for name in WHOLE), "corpus BLEU")
    notes = (
        "Mean over pictures, 95% interval. ROUGE: F-measure. BLEU: of each picture's string as a sentence, 0 to 1 "
        f"({bleu_signature()}); corpus BLEU counts all strings in one.",
        _vectors_note(scores),
    )
    return Table("Whole strings", header, (row,), notes)


def _vectors_note(scores: Scores) -> str:
    if scores.cosine is None:
        return "No cosine, and so no average: no vectors were named."
    return f"Cosine of the mean vectors of both strings; vectors: {scores.cosine}."


def _counts_notes(pictures: Sequence[PictureScores]) -> list[str]:
    count = counted(pictures)
    return [
        f"{count['pictures']} pictures, of {count['nothing_said']} of which nothing was said and of "
        f"{count['no_region_read']} no region could be read; {count['true_instances']} true instances, "
        f"{count['missed_instances']} of them missed; {count['invented_instances']} invented ones count nowhere."
    ]


def _cell(value: Estimate) -> str:
    if math.isnan(value.mean):
        return "-"
    interval = "" if math.isnan(value.low) else f" ({value.low:.3f}-{value.high:.3f})"
    return f"{value.mean:.3f}{interval}"


def _estimate(value: Estimate) -> dict[str, Any]:
    return {name: _null(number) for name, number in vars(value).items()}


def _null(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
