"""C-T20: descriptions with and without the chain of thoughts, each against the reviewed text (H.4).

The paper says accuracy for titles and the mean of ROUGE-L and BLEU (MRB) for descriptions, and no more. Here they are
the titles and descriptions of `field_scores`, of instances as `matching` pairs them; one without a partner scores 0.

The reviewed text began as the chain's, which favours the chain, here as in the paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from omni_iml.annotate.field_scores import field_scores
from omni_iml.annotate.matching import matched
from omni_iml.annotate.reviewing import truth_of
from omni_iml.annotate.schema import DOMAINS, Annotation, Domain

PUBLISHED: Mapping[str, Mapping[Domain, tuple[float, float]]] = {
    "single": {
        "document": (0.673, 0.815),
        "scene_text": (0.521, 0.797),
        "natural": (0.802, 0.870),
        "face": (0.695, 0.924),
    },
    "chain": {
        "document": (0.949, 0.892),
        "scene_text": (0.968, 0.903),
        "natural": (0.966, 0.921),
        "face": (0.989, 0.970),
    },
}
"""C-T20: accuracy and MRB by method and domain."""


@dataclass(frozen=True)
class Scores:
    """One method on one domain.

    Attributes:
        instances: of the reviewed text.
        accuracy: 0..1, mean over instances.
        mrb: 0..1, mean over instances that have artifacts; nan without.
    """

    instances: int
    accuracy: float
    mrb: float


def compare(rows: Sequence[Annotation], truth_rows: Sequence[Annotation]) -> dict[Domain, Scores]:
    """Score one method's text.

    Args:
        rows: what the method gave.
        truth_rows: rows with reviews; pictures without a reviewed instance are left out, and so are those that the
            method gave nothing for.

    Returns:
        Scores by domain.
    """
    given = {(row.source, row.image): row for row in rows}
    found: dict[Domain, list[tuple[float, float]]] = {domain: [] for domain in DOMAINS}
    for key, truth in truth_of(truth_rows).items():
        if key not in given:
            continue
        partners = matched(list(truth.values()), given[key].instances, given[key].domain)
        scores = found[given[key].domain]
        for true, partner in zip(truth.values(), partners, strict=True):
            score = field_scores(true, partner, given[key].domain)
            scores.append((score.titles, score.descriptions))
    return {domain: _scores(values) for domain, values in found.items() if values}


def comparison_report(by_method: Mapping[str, Mapping[Domain, Scores]]) -> str:
    """The comparison as Markdown, beside the published figures.

    Args:
        by_method: scores of "single" and "chain", or of one of them.

    Returns:
        A table.
    """
    lines = [
        "| method | domain | instances | accuracy | published | MRB | published |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for method, scores in by_method.items():
        for domain, found in scores.items():
            accuracy, published = PUBLISHED[method][domain]
            figures = f"{found.accuracy:.3f} | {accuracy:.3f} | {found.mrb:.3f} | {published:.3f}"
            lines.append(f"| {method} | {domain} | {found.instances} | {figures} |")
    return "\n".join(lines) + "\n"


def _scores(values: Iterable[tuple[float, float]]) -> Scores:
    accuracy, described = np.array(list(values)).T
    known = described[~np.isnan(described)]
    return Scores(len(accuracy), float(accuracy.mean()), float(known.mean()) if len(known) else float("nan"))
