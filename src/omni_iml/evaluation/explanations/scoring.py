"""Scores of explanations: C-T6's fields over instances, C-T11's whole strings over pictures, each with an interval.

A figure over instances is their plain mean, as in ReCTS; its interval comes from drawing pictures, since the instances
of one picture stand and fall together. A true instance without a partner scores 0, and so does a picture of which
nothing was said. What is said of objects that are not there lowers none of the paper's figures; it is counted beside
them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from omni_iml.annotate.field_scores import FIELDS, FieldScores, field_scores
from omni_iml.annotate.matching import matched
from omni_iml.annotate.schema import DOMAINS, Annotation, Domain
from omni_iml.evaluation.explanations.reading import Paired, Prediction, true_text
from omni_iml.metrics.bootstrap import Estimate, bootstrap_mean, resampled
from omni_iml.metrics.texts import corpus_bleu, overlap
from omni_iml.metrics.word_vectors import Cosine

WHOLE = ("cosine", "rouge_2", "rouge_l", "bleu", "average")
"""The figures of whole strings, in the order of C-T11's columns."""

RESAMPLES = 2000


@dataclass(frozen=True)
class PictureScores:
    """One picture.

    Attributes:
        image: its name.
        source: its source set.
        domain: of it.
        fields: scores of each true instance, in the truth's order.
        given: how many instances were said.
        found: whether anything was said of the picture at all.
        whole: figures of the whole string by name, see `WHOLE`; nan for a cosine without vectors, and for the average
            with it.
    """

    image: str
    source: str
    domain: Domain
    fields: tuple[FieldScores, ...]
    given: int
    found: bool
    whole: Mapping[str, float]


@dataclass(frozen=True)
class Scores:
    """All pictures.

    Attributes:
        pictures: one by one.
        fields: mean over instances, by domain and field.
        average: mean over all cells of ``fields``, as C-T6's last column is over its twenty.
        whole: mean over pictures by figure.
        corpus_bleu: of all whole strings together.
        cosine: name of the vectors; None where there are none.
    """

    pictures: tuple[PictureScores, ...]
    fields: Mapping[Domain, Mapping[str, Estimate]]
    average: float
    whole: Mapping[str, Estimate]
    corpus_bleu: float
    cosine: str | None


def score(paired: Paired, cosine: Cosine | None = None, *, seed: int = 0) -> Scores:
    """Score what was said.

    Args:
        paired: truth and predictions.
        cosine: and its vectors; None to do without.
        seed: of the bootstrap.

    Returns:
        The scores.

    Raises:
        ModuleNotFoundError: the extra ``eval`` is not installed.
    """
    pictures = tuple(score_picture(row, one, cosine) for row, one in paired.pairs)
    by_domain = {domain: [one for one in pictures if one.domain == domain] for domain in DOMAINS}
    fields: dict[Domain, dict[str, Estimate]] = {
        domain: {field: _over_instances(some, field, seed) for field in FIELDS}
        for domain, some in by_domain.items()
        if some
    }
    cells = [cell.mean for of_domain in fields.values() for cell in of_domain.values() if cell.n]
    return Scores(
        pictures=pictures,
        fields=fields,
        average=float(np.mean(cells)) if cells else math.nan,
        whole={name: bootstrap_mean([one.whole[name] for one in pictures], seed=seed) for name in WHOLE},
        corpus_bleu=corpus_bleu(
            [true_text(row.instances) for row, _ in paired.pairs], [one.text if one else "" for _, one in paired.pairs]
        ),
        cosine=None if cosine is None else cosine.name,
    )


def score_picture(truth: Annotation, given: Prediction | None, cosine: Cosine | None = None) -> PictureScores:
    """Score one picture.

    Args:
        truth: its row.
        given: what was said of it, or None.
        cosine: and its vectors, or None.

    Returns:
        The scores.
    """
    said = given.said if given else ()
    partners = matched(truth.instances, said, truth.domain)
    fields = tuple(field_scores(t, p, truth.domain) for t, p in zip(truth.instances, partners, strict=True))
    reference, text = true_text(truth.instances), given.text if given else ""
    found = overlap(reference, text)
    whole = {
        "cosine": math.nan if cosine is None else cosine.of(reference, text),
        "rouge_2": found.rouge_2,
        "rouge_l": found.rouge_l,
        "bleu": found.bleu,
    }
    whole["average"] = float(np.mean(list(whole.values())))
    return PictureScores(truth.image, truth.source, truth.domain, fields, len(said), given is not None, whole)


def _over_instances(pictures: Sequence[PictureScores], field: str, seed: int) -> Estimate:
    values = [[getattr(one, field) for one in picture.fields] for picture in pictures]
    sums = np.array([np.nansum(row) if row else 0.0 for row in values], np.float64)
    counts = np.array([sum(not math.isnan(value) for value in row) for row in values], np.float64)
    n, skipped = int(counts.sum()), sum(map(len, values)) - int(counts.sum())
    if not n:
        return Estimate(math.nan, math.nan, math.nan, 0, skipped)
    mean = float(sums.sum() / n)
    if len(pictures) < 2:
        return Estimate(mean, math.nan, math.nan, n, skipped)
    drawn_sums, drawn_counts = resampled(np.stack([sums, counts]), RESAMPLES, seed)
    known = drawn_counts > 0
    low, high = np.quantile(drawn_sums[known] / drawn_counts[known], [0.025, 0.975])
    return Estimate(mean, float(low), float(high), n, skipped)


def counted(pictures: Iterable[PictureScores]) -> dict[str, int]:
    """How many there were of pictures, those nothing was said of, and true, given, missed and invented instances."""
    some = list(pictures)
    true, given = sum(len(one.fields) for one in some), sum(one.given for one in some)
    both = sum(min(len(one.fields), one.given) for one in some)
    return {
        "pictures": len(some),
        "nothing_said": sum(not one.found for one in some),
        "no_region_read": sum(one.found and not one.given for one in some),
        "true_instances": true,
        "given_instances": given,
        "missed_instances": true - both,
        "invented_instances": given - both,
    }
