"""What reviews say together: quality scores (appendix D.2), and how far reviewers agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from omni_iml.annotate.schema import DOMAINS, Annotation, Domain

DECISIONS = ("accepted", "corrected", "rejected")
PUBLISHED_QUALITY = {"chain": 4.87, "single": 2.94}
"""Appendix D.2: mean score of 500 samples of each domain."""


@dataclass(frozen=True)
class Quality:
    """Scores of one domain.

    Attributes:
        reviews: how many.
        scored: how many of them have a score.
        mean: 0 to 5; nan without scores.
        decisions: reviews by decision.
    """

    reviews: int
    scored: int
    mean: float
    decisions: dict[str, int]


@dataclass(frozen=True)
class Agreement:
    """Two reviewers on the instances that both reviewed.

    Attributes:
        reviewers: their names.
        instances: how many both reviewed.
        decision: Cohen's kappa of their decisions; nan where both always said the same one thing.
        quality: Cohen's kappa of their scores with quadratic weights; nan likewise, or without scores.
        difference: mean absolute difference of their scores; nan without.
    """

    reviewers: tuple[str, str]
    instances: int
    decision: float
    quality: float
    difference: float


def quality(rows: Iterable[Annotation]) -> dict[Domain, Quality]:
    """Scores by domain.

    Args:
        rows: with reviews.

    Returns:
        The domains that have reviews.
    """
    found: dict[Domain, Quality] = {}
    reviews = [(row.domain, review) for row in rows for review in row.reviews]
    for domain in DOMAINS:
        here = [review for known, review in reviews if known == domain]
        scores = [review.quality for review in here if review.quality is not None]
        if here:
            decisions = {decision: sum(review.decision == decision for review in here) for decision in DECISIONS}
            mean = float(np.mean(scores)) if scores else float("nan")
            found[domain] = Quality(len(here), len(scores), mean, decisions)
    return found


def agreement(rows: Iterable[Annotation]) -> list[Agreement]:
    """How far each two reviewers agree.

    Args:
        rows: with reviews.

    Returns:
        Each pair that has instances in common.
    """
    said: dict[str, dict[tuple[str, str, int], tuple[str, int | None]]] = {}
    for row in rows:
        for review in row.reviews:
            key = (row.source, row.image, review.instance)
            said.setdefault(review.reviewer, {})[key] = (review.decision, review.quality)
    pairs = []
    for first, second in combinations(sorted(said), 2):
        common = sorted(said[first].keys() & said[second].keys())
        if not common:
            continue
        both = [(said[first][key], said[second][key]) for key in common]
        decisions = [(DECISIONS.index(a[0]), DECISIONS.index(b[0])) for a, b in both]
        scores = [(a[1], b[1]) for a, b in both if a[1] is not None and b[1] is not None]
        gaps = [abs(a - b) for a, b in scores]
        pairs.append(
            Agreement(
                (first, second),
                len(common),
                kappa(decisions, len(DECISIONS)),
                kappa(scores, 6, quadratic=True),
                float(np.mean(gaps)) if gaps else float("nan"),
            )
        )
    return pairs


def kappa(pairs: Sequence[tuple[int, int]], classes: int, *, quadratic: bool = False) -> float:
    """Cohen's kappa: agreement beyond what chance would give.

    Args:
        pairs: what the two said, as indices of classes.
        classes: how many there are.
        quadratic: weigh a disagreement by the square of its distance.

    Returns:
        -1..1; nan where chance alone gives full agreement, or there is nothing.
    """
    if not pairs:
        return float("nan")
    table = np.zeros((classes, classes))
    np.add.at(table, tuple(np.array(pairs).T), 1)
    distance = np.subtract.outer(np.arange(classes), np.arange(classes))
    weights = distance**2 if quadratic else distance != 0
    chance = np.outer(table.sum(1), table.sum(0)) / table.sum()
    expected = float((weights * chance).sum())
    return 1 - float((weights * table).sum()) / expected if expected else float("nan")


def review_report(rows: Sequence[Annotation]) -> str:
    """Quality and agreement as Markdown.

    Args:
        rows: with reviews.

    Returns:
        Two tables; the second only where reviewers have instances in common.
    """
    lines = ["| domain | reviews | accepted | corrected | rejected | scored | quality (0-5) |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|")
    for domain, found in quality(rows).items():
        decisions = " | ".join(str(found.decisions[decision]) for decision in DECISIONS)
        lines.append(f"| {domain} | {found.reviews} | {decisions} | {found.scored} | {found.mean:.2f} |")
    published = ", ".join(f"{score} ({method})" for method, score in PUBLISHED_QUALITY.items())
    lines += ["", f"Published (appendix D.2): {published}."]
    if pairs := agreement(rows):
        lines += ["", "| reviewers | instances | kappa of decisions | weighted kappa of scores | score difference |"]
        lines.append("|---|--:|--:|--:|--:|")
        for pair in pairs:
            figures = f"{pair.decision:.3f} | {pair.quality:.3f} | {pair.difference:.2f}"
            lines.append(f"| {' and '.join(pair.reviewers)} | {pair.instances} | {figures} |")
    return "\n".join(lines) + "\n"
