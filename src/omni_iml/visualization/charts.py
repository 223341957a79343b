"""Gate rates and filter activations as charts. Needs matplotlib (extra eval)."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from omni_iml.data.sources import DOMAINS
from omni_iml.evaluation.tables import published
from omni_iml.visualization.looking import Look
from omni_iml.visualization.summary import (
    FilterRow,
    GateRow,
    Group,
    activations,
    cells,
    components,
    explained,
    filter_rows,
)

_MARKS: dict[str, str] = dict(zip(DOMAINS, "osD^", strict=True))
_COLOURS: dict[str, str] = dict(zip(DOMAINS, ("#0072b2", "#d55e00", "#009e73", "#cc79a7"), strict=True))
"""Okabe's and Ito's, told apart with and without colour blindness; each domain has its mark too."""

_ROW = 0.32  # inches


def published_gate() -> dict[str, float]:
    """C-T10: the share of test pictures for which the gate chose vision alone, by domain."""
    (table,) = (table for table in published()["tables"] if table["id"] == "C-T10")
    (row,) = (row for row in table["rows"] if row["method"] == "Pure vision")
    return {column["data"]: value for column, value in zip(table["columns"], row["values"], strict=True)}


def gate_chart(rows: Sequence[GateRow], title: str) -> Image.Image:
    """A bar for each domain and data set: how often vision alone was chosen; diamonds are the paper's own (C-T10).

    Args:
        rows: from `omni_iml.visualization.summary.gate_rows`, at least one.
        title: one line.
    """
    paper = published_gate()
    figure = Figure(figsize=(7.2, 1.5 + _ROW * len(rows)), layout="constrained")
    axes = figure.subplots()
    for y, row in enumerate(rows):
        strength = 1 if row.group.kind == "domain" else 0.45
        axes.barh(y, row.share, 0.62, color=_COLOURS[row.group.looks[0].domain], alpha=strength)
        error = [[max(0, row.share - row.low)], [max(0, row.high - row.share)]]
        axes.errorbar(row.share, y, xerr=error, color="black", capsize=2, linewidth=1)
    axes.plot([row.share_of_tiles for row in rows], range(len(rows)), "|k", markersize=11, label="share of tiles")
    known = [(paper[row.group.name], y) for y, row in enumerate(rows) if row.group.kind == "domain"]
    label = "the paper's model on its test sets (C-T10)"
    axes.plot(*zip(*known, strict=True), "D", color="white", markeredgecolor="black", label=label)
    axes.set_yticks(range(len(rows)), [f"{_label(row.group)} ({row.pictures})" for row in rows])
    axes.invert_yaxis()
    axes.set(xlim=(-0.02, 1.02), xlabel="share of pictures for which the gate chose vision alone (95% interval)")
    axes.set_title(title, fontsize="medium")
    axes.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.55 / (0.5 + _ROW * len(rows))), ncols=2)
    return _picture(figure)


def filter_chart(found: Sequence[Group], title: str) -> Image.Image:
    """Figure 8, and the pictures along the first two principal components of their activations.

    Args:
        found: groups of pictures with dynamic filters, at least one.
        title: one line.
    """
    columns = cells(found[0].looks)
    table = {(id(row.group), row.filter, row.weight): row for row in filter_rows(found)}
    wide = 2.2 + 0.5 * len(columns)
    figure = Figure(figsize=(wide, 5.4 + 1.35 * _ROW * len(found)), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[1.35 * _ROW * len(found) + 0.8, 4])
    means = np.array([[table[id(group), *cell].mean for cell in columns] for group in found])
    above.imshow(means, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for y, group in enumerate(found):
        for x, cell in enumerate(columns):
            _write_cell(above, x, y, table[id(group), *cell])
    above.set_yticks(range(len(found)), [f"{_label(group)} ({len(group.looks)})" for group in found])
    above.set_xticks(range(len(columns)), [f"{name}\nW{weight}" for name, weight in columns], fontsize="x-small")
    above.set_title(f"{title}: mean of A over the pictures, its standard deviation below", fontsize="medium")
    _scatter(below, [look for group in found if group.kind == "domain" for look in group.looks])
    return _picture(figure)


def _write_cell(axes: Axes, x: int, y: int, row: FilterRow) -> None:
    colour = "black" if row.mean > 0.5 else "white"
    text = f"{row.mean:.2f}\n{row.spread:.2f}"
    axes.text(x, y, text, ha="center", va="center", color=colour, fontsize=6.5)


def _scatter(axes: Axes, looks: Sequence[Look]) -> None:
    values = activations(looks)
    if len(looks) < 3 or values.shape[1] < 2:
        axes.set_axis_off()
        return
    scores, shares = components(values)
    for domain in DOMAINS:
        chosen = np.array([look.domain == domain for look in looks])
        if chosen.any():
            axes.plot(*scores[chosen].T, _MARKS[domain], color=_COLOURS[domain], alpha=0.7, markersize=5, label=domain)
    share = explained(looks, lambda look: look.domain)
    between = "" if math.isnan(share) else f"; {share:.0%} of the variance lies between the domains"
    axes.set(xlabel=f"first component ({shares[0]:.0%} of the variance)", ylabel=f"second ({shares[1]:.0%})")
    axes.set_title(f"a mark is a picture{between}", fontsize="medium")
    axes.legend(fontsize="small")


def _label(group: Group) -> str:
    return group.name if group.kind == "domain" else f"   {group.name}"


def _picture(figure: Figure) -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return Image.open(buffer).convert("RGB")
