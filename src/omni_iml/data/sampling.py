"""How often each data set is drawn from, and which picture a sample's index stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.sources import Domain

Reading = Literal["repeat", "share"]
"""What a ratio says: how often each picture is repeated before random draws (C H.3), or the share of the draws."""


@dataclass(frozen=True)
class SetSize:
    """What the chances of a data set are worked out from.

    Attributes:
        domain: of its pictures.
        ratio: among the sets of its domain.
        count: of its pictures, at least 1.
    """

    domain: Domain
    ratio: float
    count: int


def chances(
    sets: Sequence[SetSize],
    domains: Mapping[Domain, float],
    domains_as: Reading = "repeat",
    sets_as: Reading = "share",
) -> NDArray[np.float64]:
    """Probability of each data set.

    Args:
        sets: all of them.
        domains: ratio of each domain; domains without sets count for nothing.
        domains_as: "repeat", a domain's weight is its ratio times its pictures; "share", its ratio alone.
        sets_as: the same of the sets inside a domain, whose weights are scaled to the domain's.

    Returns:
        ``(len(sets),)``, sum 1.

    Raises:
        ValueError: nothing can be drawn, a set is empty, or a set's domain has no ratio.
    """
    weights = np.zeros(len(sets))
    for domain in {one.domain for one in sets}:
        own = [place for place, one in enumerate(sets) if one.domain == domain]
        if domain not in domains:
            raise ValueError(f"data.domains: {domain} has data sets and no ratio; give it one, 0 to leave it out.")
        if empty := [place for place in own if sets[place].count < 1]:
            raise ValueError(f"data set {empty[0] + 1}, of {domain}: has no picture; leave it out.")
        inner = np.array([sets[place].ratio * (sets[place].count if sets_as == "repeat" else 1) for place in own])
        total = domains[domain] * (sum(sets[place].count for place in own) if domains_as == "repeat" else 1)
        if total and inner.sum() <= 0:
            raise ValueError(f"data.sets: all ratios of {domain} are 0; give one of them another.")
        weights[own] = total * inner / inner.sum() if total else 0.0
    if not weights.sum() > 0:
        raise ValueError("data: no data set has a chance to be drawn; name sets, and ratios above 0.")
    return np.asarray(weights / weights.sum())


def generator(seed: int, index: int, attempt: int = 0) -> Generator:
    """The source of all that is drawn for one sample: the same whatever process asks, in whatever order."""
    return np.random.default_rng((seed, index, attempt))


def held_out(keys: Sequence[str], share: float) -> NDArray[np.bool_]:
    """Which pictures of a set are kept out of training: those whose keys hash lowest.

    Args:
        keys: of all its pictures.
        share: 0..1; rounded up to whole pictures, so that a small set keeps one too.
    """
    kept = np.zeros(len(keys), bool)
    count = min(len(keys) - 1, int(np.ceil(share * len(keys))))
    if count > 0:
        digests = np.array([hashlib.sha256(key.encode()).digest()[:8] for key in keys], dtype="S8")
        kept[np.argsort(digests, kind="stable")[:count]] = True
    return kept
