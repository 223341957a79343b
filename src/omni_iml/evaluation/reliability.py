"""Does a score of 0.7 mean that seven pictures of ten were tampered with? Reliability in bins of equal count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bin:
    """Pictures of similar score.

    Attributes:
        low: lowest score in it.
        high: highest score in it.
        count: pictures.
        mean_score: their mean score.
        tampered_share: share of them that are tampered, 0..1.
    """

    low: float
    high: float
    count: int
    mean_score: float
    tampered_share: float


def reliability(scores: Sequence[float], tampered: Sequence[bool], bins: int = 8) -> tuple[Bin, ...]:
    """Sort pictures by score and cut them into bins of equal count.

    Args:
        scores: calibrated scores, 0..1.
        tampered: the truth of each.
        bins: how many; fewer where there are fewer pictures.

    Raises:
        ValueError: no picture, or lengths that differ.
    """
    if not len(scores) or len(scores) != len(tampered):
        raise ValueError(f"reliability: {len(scores)} scores and {len(tampered)} truths; give one of each a picture.")
    order = np.argsort(scores, kind="stable")
    sorted_scores, truth = np.asarray(scores, float)[order], np.asarray(tampered, float)[order]
    parts = np.array_split(np.arange(len(order)), min(bins, len(order)))
    return tuple(
        Bin(
            float(sorted_scores[part[0]]),
            float(sorted_scores[part[-1]]),
            len(part),
            float(sorted_scores[part].mean()),
            float(truth[part].mean()),
        )
        for part in parts
    )
