"""Many pictures' numbers -> rows by domain and data set: gate rates (C-T10), activations (Figure 8), contrast."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omni_iml.data.sources import DOMAINS
from omni_iml.metrics import Estimate, bootstrap_mean
from omni_iml.visualization.looking import Look

_NORMAL = 1.959964
"""Quantile of the normal distribution: intervals cover 95%."""


@dataclass(frozen=True)
class Group:
    """Pictures that are counted together.

    Attributes:
        kind: "domain" or "data set".
        name: of it.
        label: "tampered" or "authentic".
        looks: its pictures, at least one.
    """

    kind: str
    name: str
    label: str
    looks: tuple[Look, ...]


@dataclass(frozen=True)
class GateRow:
    """How often the gate chose vision alone in a group.

    Attributes:
        group: whose.
        pictures: with a gate's choice.
        vision: for how many of them it was vision alone, by the greater part of the area.
        low: lower end of Wilson's 95% interval of their share.
        high: upper end.
        tiles: of all these pictures.
        vision_tiles: for how many of them the gate chose vision alone.
        mean_probability: mean over the pictures of P(vision alone).
    """

    group: Group
    pictures: int
    vision: int
    low: float
    high: float
    tiles: int
    vision_tiles: int
    mean_probability: float

    @property
    def share(self) -> float:
        """Share of the pictures, 0..1: what C-T10 prints as "pure vision"."""
        return self.vision / self.pictures

    @property
    def share_of_tiles(self) -> float:
        """The same of the tiles."""
        return self.vision_tiles / self.tiles


@dataclass(frozen=True)
class FilterRow:
    """One cell of Figure 8 in a group.

    Attributes:
        group: whose.
        filter: name of the dynamic weight filter, as Figure 6 has it.
        weight: number of the static filter W_i, from 1.
        mean: of A_i over the pictures, 0..1.
        spread: standard deviation of A_i over the pictures.
        pictures: how many.
    """

    group: Group
    filter: str
    weight: int
    mean: float
    spread: float
    pictures: int


@dataclass(frozen=True)
class ContrastRow:
    """What anomaly enhancement did to a map in a group of tampered pictures (Figure 10).

    Attributes:
        group: whose.
        map: "E2" or "E3".
        measure: "separation" or "energy", see `omni_iml.visualization.contrast.Contrast`.
        before: mean over the pictures.
        after: likewise.
        change: mean of after - before with its bootstrap interval.
        grew: share of the pictures in which it grew; of "energy" its size regardless of sign.
    """

    group: Group
    map: str
    measure: str
    before: float
    after: float
    change: Estimate
    grew: float


def groups(looks: Sequence[Look]) -> list[Group]:
    """The pictures by domain, in the order of `DOMAINS`, and then by data set, tampered and authentic ones apart."""
    by: dict[tuple[str, str, str], list[Look]] = {}
    keys: tuple[tuple[str, Callable[[Look], str]], ...] = (
        ("domain", lambda look: look.domain),
        ("data set", lambda look: look.data),
    )
    for kind, name in keys:
        ordered = sorted(looks, key=lambda look: DOMAINS.index(look.domain)) if kind == "domain" else looks
        for label in ("tampered", "authentic"):
            for look in ordered:
                if (look.label == 1) == (label == "tampered"):
                    by.setdefault((kind, name(look), label), []).append(look)
    return [Group(*key, tuple(found)) for key, found in by.items()]


def shown(found: Sequence[Group]) -> list[Group]:
    """The groups that figures draw: the tampered pictures, as in the papers' test sets; else the authentic ones."""
    tampered = [group for group in found if group.label == "tampered"]
    return tampered or list(found)


def gate_rows(found: Sequence[Group]) -> list[GateRow]:
    """A row a group; none for a network without a gate."""
    rows = []
    for group in found:
        gated = [look for look in group.looks if look.modality is not None and look.gate_probability is not None]
        if not gated:
            continue
        vision = sum(look.modality == "vision" for look in gated)
        low, high = wilson(vision, len(gated))
        rows.append(
            GateRow(
                group=group,
                pictures=len(gated),
                vision=vision,
                low=low,
                high=high,
                tiles=sum(look.tiles for look in gated),
                vision_tiles=sum(look.vision_tiles or 0 for look in gated),
                mean_probability=float(np.mean([look.gate_probability for look in gated])),
            )
        )
    return rows


def filter_rows(found: Sequence[Group]) -> list[FilterRow]:
    """A row for each group, dynamic filter and static filter; none for a network without dynamic filters."""
    return [
        FilterRow(group, name, weight, float(values.mean()), float(values.std()), len(values))
        for group in found
        for (name, weight), values in zip(cells(group.looks), activations(group.looks).T, strict=True)
    ]


def cells(looks: Sequence[Look]) -> list[tuple[str, int]]:
    """Dynamic filter and number of the static filter (from 1) of each column of `activations`."""
    first = looks[0].activations
    return [(name, weight) for name, values in first.items() for weight in range(1, len(values) + 1)]


def activations(looks: Sequence[Look]) -> NDArray[np.float64]:
    """Every picture's A, float64 ``(pictures, cells)``."""
    return np.array([[value for values in look.activations.values() for value in values] for look in looks])


def explained(looks: Sequence[Look], of: Callable[[Look], str]) -> float:
    """Which share of the activations' variance lies between groups of pictures, 0..1.

    With 0 the groups have the same mean. Groups drawn at random would give about (groups - 1) / (pictures - 1).

    Args:
        looks: pictures.
        of: the group that a picture is in.

    Returns:
        The share; nan where nothing varies.
    """
    values = activations(looks)
    names = np.array([of(look) for look in looks])
    away = values - values.mean(0)
    total = float((away**2).sum())
    if total < 1e-12:
        return math.nan
    between = sum((names == n).sum() * float((away[names == n].mean(0) ** 2).sum()) for n in np.unique(names))
    return float(between / total)


def components(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first two principal components of the pictures' activations.

    Args:
        values: ``(pictures, cells)``, at least three pictures and two cells.

    Returns:
        ``(pictures, 2)`` scores, and the two shares of the variance. A component's largest loading is positive.
    """
    away = values - values.mean(0)
    _, sizes, axes = np.linalg.svd(away, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2][range(2), np.abs(axes[:2]).argmax(1)])[:, None]
    total = float((sizes**2).sum())
    return away @ axes.T, sizes[:2] ** 2 / total if total > 0 else np.zeros(2)


def contrast_rows(found: Sequence[Group], seed: int = 0) -> list[ContrastRow]:
    """A row for each group of tampered pictures, map and measure; none for a network without anomaly enhancement."""
    return [
        _contrast_row(group, name, measure, seed)
        for group in found
        if any(look.contrast for look in group.looks)
        for name in ("E2", "E3")
        for measure in ("separation", "energy")
    ]


def _contrast_row(group: Group, name: str, measure: str, seed: int) -> ContrastRow:
    pairs = np.array(list(_pairs(group.looks, name, measure))).reshape(-1, 2)
    pairs = pairs[~np.isnan(pairs).any(1)]
    before, after = pairs.T if len(pairs) else (np.full(1, math.nan),) * 2
    grew = float((np.abs(after) > np.abs(before)).mean()) if len(pairs) else math.nan
    change = bootstrap_mean(after - before, seed=seed)
    return ContrastRow(group, name, measure, float(before.mean()), float(after.mean()), change, grew)


def _pairs(looks: Sequence[Look], name: str, measure: str) -> Iterator[tuple[float, float]]:
    for look in looks:
        if look.contrast:
            yield getattr(look.contrast[name], measure), getattr(look.contrast[f"{name}'"], measure)


def wilson(found: int, of: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share, which holds for few pictures and at 0 and 1 too.

    Args:
        found: 0 to ``of``.
        of: at least 1.
    """
    share, z = found / of, _NORMAL
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    return max(0.0, middle - half), min(1.0, middle + half)
