"""Which given instance answers which true one: one to one, the most alike first.

Alike is what says what was edited (the text by OCR accuracy where the domain is text, the object by MRB), and half a
point for the same absolute position. Neither artifacts nor relative position count: they are what is scored afterwards.
A pair may have nothing in common: a picture with one true and one given instance is a pair whatever they say, as in
C-T6, where titles are scored even where the object is not recognised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np

from omni_iml.annotate.schema import TEXT_DOMAINS, Domain
from omni_iml.metrics.texts import mrb, ocr_accuracy


class Described(Protocol):
    """What is said of one tampered object; `Instance` is one."""

    @property
    def tampered_region(self) -> str:
        """The text as read, or the object."""

    @property
    def absolute_position(self) -> str:
        """One of `omni_iml.types.POSITIONS`, or anything else, which is wrong."""

    @property
    def relative_position(self) -> str:
        """The text line, or where the object is among others."""

    @property
    def artifacts(self) -> Mapping[str, str]:
        """Title to description."""


D = TypeVar("D", bound=Described)

_SAME_PLACE = 0.5


def matched(truth: Sequence[Described], given: Sequence[D], domain: Domain) -> list[D | None]:
    """Each true instance's partner among the given ones.

    Args:
        truth: the true instances.
        given: a method's.
        domain: of the picture.

    Returns:
        One a true instance; None where there are too few. Equally good pairs go by their order.
    """
    alike = np.array([[_likeness(true, other, domain) for other in given] for true in truth])
    alike = alike.reshape(len(truth), len(given))
    partners: list[D | None] = [None] * len(truth)
    for _ in range(min(alike.shape)):
        row, column = divmod(int(alike.argmax()), len(given))
        partners[row] = given[column]
        alike[row, :] = alike[:, column] = -1
    return partners


def content_score(truth: str, given: str, domain: Domain) -> float:
    """How well a content or a relative position is named: OCR accuracy for text, MRB otherwise (C-T6).

    Args:
        truth: the reference.
        given: the text to score.
        domain: of the picture.

    Returns:
        0..1.
    """
    return ocr_accuracy(truth, given) if domain in TEXT_DOMAINS else mrb(truth, given)


def _likeness(true: Described, other: Described, domain: Domain) -> float:
    same_place = _SAME_PLACE * (true.absolute_position == other.absolute_position)
    return content_score(true.tampered_region, other.tampered_region, domain) + same_place
