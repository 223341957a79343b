"""C-T20: descriptions with and without the chain of thoughts, each against the reviewed text (H.4).

The paper says accuracy for titles and the mean of ROUGE-L and BLEU (MRB) for descriptions, and no more. Here:

* accuracy of an instance is the share of its titles, true and given together, that both have;
* MRB of an instance is the mean, over the true titles, of the MRB of the two descriptions under that title, 0 where the
  title was not given; ROUGE-L is the F-measure, BLEU that of a sentence as sacreBLEU smooths it, divided by 100;
* instances are matched one to one by what they say they are, the most alike first; one without a partner scores 0.

The reviewed text began as the chain's, which favours the chain, here as in the paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from omni_iml.annotate.reviewing import truth_of
from omni_iml.annotate.schema import DOMAINS, Annotation, Domain, Instance

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

_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_TOKEN = re.compile(rf"{_WIDE.pattern}|\w+")


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
        partners = matched(list(truth.values()), given[key].instances)
        scores = found[given[key].domain]
        scores += [
            (title_accuracy(true.artifacts, partner.artifacts), description_mrb(true.artifacts, partner.artifacts))
            if partner
            else (0.0, 0.0 if true.artifacts else float("nan"))
            for true, partner in zip(truth.values(), partners, strict=True)
        ]
    return {domain: _scores(values) for domain, values in found.items() if values}


def matched(truth: Sequence[Instance], given: Sequence[Instance]) -> list[Instance | None]:
    """Each true instance's partner among the given ones.

    Args:
        truth: the reviewed instances.
        given: a method's.

    Returns:
        One a true instance; None where there are too few.
    """
    alike = np.array([[_likeness(true, other) for other in given] for true in truth]).reshape(len(truth), len(given))
    partners: list[Instance | None] = [None] * len(truth)
    for _ in range(min(alike.shape)):
        row, column = divmod(int(alike.argmax()), len(given))
        partners[row] = given[column]
        alike[row, :] = alike[:, column] = -1
    return partners


def title_accuracy(truth: Mapping[str, str], given: Mapping[str, str]) -> float:
    """Share of titles, of either, that both have; 1 where neither has any.

    Args:
        truth: title to description.
        given: likewise.

    Returns:
        0..1.
    """
    ours, theirs = {_same(title) for title in truth}, {_same(title) for title in given}
    return len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0


def description_mrb(truth: Mapping[str, str], given: Mapping[str, str]) -> float:
    """Mean MRB over the true titles; nan without any.

    Args:
        truth: title to description.
        given: likewise.

    Returns:
        0..1, or nan.
    """
    theirs = {_same(title): text for title, text in given.items()}
    scores = [mrb(text, theirs[_same(title)]) if _same(title) in theirs else 0.0 for title, text in truth.items()]
    return float(np.mean(scores)) if scores else float("nan")


def mrb(truth: str, given: str) -> float:
    """Mean of ROUGE-L (F-measure) and sentence BLEU; Chinese and Japanese are taken character by character.

    Args:
        truth: the reference.
        given: the text to score.

    Returns:
        0..1.

    Raises:
        ModuleNotFoundError: the extra ``annotate`` is not installed.
    """
    rouge, bleu = _scorers()
    tokenizer = "zh" if _WIDE.search(truth) else "13a"
    return (
        float(rouge.score(truth, given)["rougeL"].fmeasure + bleu[tokenizer].sentence_score(given, [truth]).score / 100)
        / 2
    )


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


class _Tokenizer:
    def tokenize(self, text: str) -> list[str]:
        """Words in lower case, wide characters one by one."""
        return _TOKEN.findall(text.lower())


@cache
def _scorers() -> tuple[Any, dict[str, Any]]:
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics.bleu import BLEU

    rouge = RougeScorer(["rougeL"], tokenizer=_Tokenizer())
    return rouge, {name: BLEU(effective_order=True, tokenize=name) for name in ("13a", "zh")}


def _likeness(first: Instance, second: Instance) -> float:
    same_place = 0.5 * (first.absolute_position == second.absolute_position)
    return mrb(first.tampered_region, second.tampered_region) + same_place


def _scores(values: Iterable[tuple[float, float]]) -> Scores:
    accuracy, described = np.array(list(values)).T
    known = described[~np.isnan(described)]
    return Scores(len(accuracy), float(accuracy.mean()), float(known.mean()) if len(known) else float("nan"))


def _same(title: str) -> str:
    return " ".join(re.sub(r"[^\w ]", "", title.casefold()).split())
