"""The rule that a threshold of `omni_iml.evidence` follows: how sure we are that it lets few authentic regions through.

Regions of one picture resemble each other, so they count for fewer than they are. The upper confidence bound of the
rate is Clopper and Pearson's with the number of regions divided by the design effect of the clustering (Korn and
Graubard, "Confidence intervals for proportions with small expected number of positive counts", 1998).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

CONFIDENCE = 0.95
"""Of the upper bound, one-sided."""

FEWEST_PICTURES = 20
"""Below which nothing is asked of a domain by itself: one in twenty cannot be told."""


def upper_bound(above: NDArray[np.bool_], pictures: NDArray[np.int64]) -> float:
    """What the rate of authentic regions above a threshold does not exceed, with `CONFIDENCE`.

    Args:
        above: bool ``(N,)``, of each region; N is 1 or more.
        pictures: ``(N,)``, which picture it lies in.
    """
    count, rate = len(above), float(above.mean())
    if rate == 1:
        return 1.0
    _, cluster = np.unique(pictures, return_inverse=True)
    sizes = np.bincount(cluster)
    if rate == 0:
        effect = float((sizes**2).sum()) / count  # the worst case: a picture's regions all go the same way
    else:
        excess = np.bincount(cluster, above - rate)
        between = float((excess**2).sum()) * len(sizes) / max(1, len(sizes) - 1)
        effect = max(1.0, between / (count * rate * (1 - rate)))
    effective = count / effect
    return float(beta.ppf(CONFIDENCE, rate * effective + 1, (1 - rate) * effective))


def limit(
    strengths: NDArray[np.float64], pictures: NDArray[np.int64], domains: Sequence[str], bound: float, rate: float
) -> float:
    """The lowest threshold that few authentic regions of one kind exceed.

    Over the domains together the upper bound of the rate is at most ``bound``; in each domain with
    `FEWEST_PICTURES` the rate itself is at most ``rate``. A bound that the number of pictures cannot reach, even with
    no region above, is not asked for.

    Args:
        strengths: ``(N,)``, of each region.
        pictures: ``(N,)``, which picture it lies in.
        domains: ``(N,)``, of the picture.
        bound: what the upper bound over all domains may be.
        rate: what the rate in a domain may be.

    Returns:
        The threshold, 1 or more: a strength of 1 is what one in twenty places of the same picture reach.
    """
    lowest = 1.0
    if len(strengths) and upper_bound(np.zeros(len(strengths), bool), pictures) <= bound:
        ordered = np.sort(strengths)[::-1]
        within = ordered[0]
        for strength in ordered[1:]:
            if upper_bound(strengths > strength, pictures) > bound:
                break
            within = strength
        lowest = max(lowest, float(within))
    for domain in set(domains):
        here = np.array([one == domain for one in domains])
        if len(np.unique(pictures[here])) >= FEWEST_PICTURES:
            ordered = np.sort(strengths[here])[::-1]
            lowest = max(lowest, float(ordered[int(rate * len(ordered))]))
    return lowest
