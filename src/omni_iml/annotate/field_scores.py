"""The fields of one instance, each by its own metric (C-T6), for `comparison` and for the evaluation of explanations.

* content and relative position: OCR accuracy for documents and scene text, MRB for natural pictures and faces;
* absolute position: right or wrong;
* artifact titles: the share of titles, of either side, that both have. The paper says "accuracy to evaluate the ratio
  of matches", not of what; this is the reading that neither an empty nor an endless list gains from;
* descriptions: the mean, over the true titles, of the MRB of the two descriptions under that title, 0 where it was not
  given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from omni_iml.annotate.matching import Described, content_score
from omni_iml.annotate.schema import Domain
from omni_iml.metrics.texts import mrb


@dataclass(frozen=True)
class FieldScores:
    """One true instance, each field 0..1; nan where the truth says nothing that could be scored.

    Attributes:
        content: what was edited.
        absolute_position: 1 where it is the true one.
        relative_position: nan where the truth has none.
        titles: of the artifacts.
        descriptions: of the artifacts; nan where the truth has none.
    """

    content: float
    absolute_position: float
    relative_position: float
    titles: float
    descriptions: float


FIELDS = ("content", "absolute_position", "relative_position", "titles", "descriptions")
"""The fields in the order of C-T6's columns."""


def field_scores(truth: Described, given: Described | None, domain: Domain) -> FieldScores:
    """Score one instance.

    Args:
        truth: the reference.
        given: its partner; None where it was missed, which is 0 in every field.
        domain: of the picture.

    Returns:
        The scores.
    """
    placed, described = bool(truth.relative_position), bool(truth.artifacts)
    if given is None:
        return FieldScores(0.0, 0.0, 0.0 if placed else math.nan, 0.0, 0.0 if described else math.nan)
    return FieldScores(
        content=content_score(truth.tampered_region, given.tampered_region, domain),
        absolute_position=float(truth.absolute_position == given.absolute_position),
        relative_position=(
            content_score(truth.relative_position, given.relative_position, domain) if placed else math.nan
        ),
        titles=title_accuracy(truth.artifacts, given.artifacts),
        descriptions=description_mrb(truth.artifacts, given.artifacts),
    )


def title_accuracy(truth: Mapping[str, str], given: Mapping[str, str]) -> float:
    """Share of titles, of either, that both have; 1 where neither has any. Case and punctuation do not matter.

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
    return float(np.mean(scores)) if scores else math.nan


def _same(title: str) -> str:
    return " ".join(re.sub(r"[^\w ]", "", title.casefold()).split())
