"""Whether one run is better than another on the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omni_iml.evaluation.counting import Row
from omni_iml.evaluation.formulas import FORMULAS, picture_values
from omni_iml.evaluation.protocol import Protocol
from omni_iml.metrics.bootstrap import Estimate, bootstrap_mean


@dataclass(frozen=True)
class Paired:
    """How two runs differ on the pictures that both have.

    Attributes:
        figure: name of the figure.
        difference: mean of first - second with its bootstrap interval.
        p: of the two-sided sign-flip permutation test.
        skipped: pictures whose figure is nan in either run.
    """

    figure: str
    difference: Estimate
    p: float
    skipped: int


def paired(
    first: Sequence[Row], second: Sequence[Row], protocol: Protocol, *, resamples: int = 10_000, seed: int = 0
) -> Paired:
    """Whether one run is better than another on the same pictures, by the protocol's first figure of single pictures.

    Args:
        first: rows of one run.
        second: of the other; pictures are matched by set, key and view.
        protocol: both must have been counted for it.
        resamples: of sign flips.
        seed: of them.

    Raises:
        ValueError: no picture is in both.
    """
    other = {(row.data, row.key, row.view): row for row in second}
    both = [(row, other[row.data, row.key, row.view]) for row in first if (row.data, row.key, row.view) in other]
    both = [pair for pair in both if protocol.pictures == "all" or pair[0].label]
    if not both:
        raise ValueError("the two runs have no picture in common; evaluate both on the same data.")
    name, formula = next((n, f) for n, f in protocol.figures.items() if f in FORMULAS)
    a, b = (picture_values([pair[i] for pair in both], protocol, formula) for i in (0, 1))
    known = ~(np.isnan(a) | np.isnan(b))
    differences = a[known] - b[known]
    estimate = bootstrap_mean(differences, seed=seed)
    signs = np.random.default_rng(seed).choice(np.array([-1.0, 1.0]), (resamples, differences.size))
    extreme = (
        np.abs((signs * differences).mean(1)) >= abs(differences.mean()) - 1e-12 if differences.size else np.ones(1)
    )
    return Paired(name, estimate, float((extreme.sum() + 1) / (extreme.size + 1)), int((~known).sum()))
