"""The scores of docs/benchmarks.md, from kept results: what `omni_iml.evaluation.benchmarks` writes between markers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from omni_iml.evaluation.pages import marks, replaced
from omni_iml.evaluation.tables import Table

BEGIN, END = marks("scores")
_FIGURES = ("IoU", "F1", "AUC")

Results = Sequence[tuple[str, dict[str, Any]]]
"""Method and content of its ``scores.json``, a row each."""


def tables(results: Results) -> list[Table]:
    """Two tables over all sets, then one for each set with intervals and counts.

    Args:
        results: scored on the same pictures.
    """
    sets = list(dict.fromkeys(score["data"] for _, content in results for score in content["scores"]))
    return [_over_sets(f"Pixel {figure}", sets, figure, results) for figure in ("IoU", "AUC")] + [
        _of_set(data, results) for data in sets
    ]


def _over_sets(title: str, sets: Sequence[str], figure: str, results: Results) -> Table:
    rows = []
    for method, content in results:
        found = {score["data"]: score["pixel"][figure]["mean"] for score in content["scores"] if _wanted(score)}
        rows.append((_name(method, content), *(_plain(found.get(data)) for data in sets)))
    return Table(title, ("method", *sets), tuple(rows))


def _of_set(data: str, results: Results) -> Table:
    rows, notes = [], set()
    for method, content in results:
        for score in content["scores"]:
            if score["data"] == data and _wanted(score):
                cells = [_cell(score["pixel"].get(figure)) for figure in _FIGURES]
                image = _cell(score["image"].get("image AUC")) + f" ({score['image_score']})" if score["image"] else "-"
                counts = f"{score['n'] - score['n_authentic']} / {score['n_authentic']}"
                rows.append((_name(method, content), counts, *cells, image))
                notes.add(f"Left out of a figure as undefined: {score['n_nan']} at most.")
    header = ("method", "tampered / authentic", *(f"pixel {f}" for f in _FIGURES), "image AUC (score)")
    return Table(data, header, tuple(rows), tuple(sorted(notes)))


def _wanted(score: dict[str, Any]) -> bool:
    return bool(score["asked"] == "clean" and score["view"] == "original")


def _name(method: str, content: dict[str, Any]) -> str:
    return f"{method} {content.get('about', {}).get('version', '')}".strip()


def _cell(estimate: dict[str, Any] | None) -> str:
    if estimate is None or estimate["mean"] is None:
        return "-"
    low, high = estimate["low"], estimate["high"]
    interval = "" if low is None or math.isnan(low) else f" [{low:.2f}, {high:.2f}]"
    return f"{_plain(estimate['mean'])}{interval}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def page(text: str, results: Results) -> str:
    """The page with everything between its markers written anew.

    Raises:
        ValueError: it has no markers.
    """
    return replaced(text, "scores", "\n".join(table.markdown() for table in tables(results)), "docs/benchmarks.md")
