"""Block grid: a piece from another JPEG picture brings the borders of its 8x8 blocks along, off the picture's own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.blocks import SIDE
from omni_iml.evidence.measuring import Comparison, Measure, Subject
from omni_iml.evidence.placements import Placements
from omni_iml.io.orientation import displayed_map

_CLIP = 20  # grey levels: edges of things are no block borders
_FAINTEST = 0.2  # grey levels: in flat places the strength of a border says little


def _crossings(subject: Subject) -> NDArray[np.float32]:
    """Absolute mixed difference of the pixel and its neighbours to the right and below: ``(H * W,)``."""
    found = np.zeros_like(subject.luma)
    found[:-1, :-1] = np.abs(np.diff(np.diff(subject.luma, axis=0), axis=1))
    return np.minimum(found, _CLIP).ravel()


def _by_phase(values: NDArray[np.float32], phases: NDArray[np.int64]) -> NDArray[np.float64]:
    """Means of the points of each of the 8 phases: ``(N, n)`` to ``(N, 8)``."""
    counts = np.bincount(phases, minlength=SIDE)
    sums = np.stack([values[:, phases == phase].sum(1, dtype=np.float64) for phase in range(SIDE)], 1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _compare(subject: Subject, places: Placements) -> Comparison | None:
    crossings = subject.once(_crossings)
    excess, ratios = [], []
    for divide in (True, False):  # phases of rows, then of columns
        profiles, shares = [], []
        for points in (places.inside, places.ring):
            # Rows of the table are moved by whole blocks, so the phases of the first hold for each.
            first = points[1] // places.width if divide else points[1] % places.width
            own = points[0] // places.width if divide else points[0] % places.width
            values = crossings[points]
            profile = _by_phase(values, first % SIDE)
            profile[0] = _by_phase(values[:1], own % SIDE)[0]
            level = values.mean(1, keepdims=True, dtype=np.float64)
            profiles.append(profile / (level + _FAINTEST))
            shares.append(profile[0] / level[0] if level[0] > 0 else np.ones(SIDE))
        excess.append(profiles[0] - profiles[1])  # (1 + P, 8)
        ratios.append(shares)
    together = excess[0][:, :, None] + excess[1][:, None, :]  # (1 + P, 8, 8)
    flat = together.reshape(len(together), -1)
    if not np.isfinite(flat[0]).all():
        return None  # too small to have every phase
    at = int(flat[0].argmax())
    best = np.where(np.isfinite(flat), flat, -np.inf).max(1)
    # The border of a block lies after its last pixel, of phase 7.
    border = np.array([at % SIDE + 1, at // SIDE + 1])
    column, row = displayed_map(subject.image.orientation, *subject.luma.shape)[:, :2] @ border % SIDE
    details = {"row": float(row), "column": float(column)}
    value, reference = (float(rows[at // SIDE] + columns[at % SIDE]) / 2 for rows, columns in zip(*ratios, strict=True))
    return Comparison(np.maximum(best, 0), value, reference, details)


def _describe(found: Comparison) -> str:
    at = found.details
    where = f"{at['column']:.0f} pixels to the right and {at['row']:.0f} down"
    own = "on" if not (at["row"] or at["column"]) else f"{where} of"
    return (
        f"Block borders {own} the picture's 8-pixel grid are {found.value:.2f} times as strong as the average place of "
        f"the grid inside, and {found.reference:.2f} times around it"
    )


BLOCK_GRID = Measure("block_grid", "Texture Inconsistency", "times the average place", 0.1, _compare, _describe)
"""Excess of the mixed differences at one of the 64 places of the 8-pixel grid."""
