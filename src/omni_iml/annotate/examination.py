"""Self-examination checked (step 3): no item may still hedge, and none may be new."""

from __future__ import annotations

import re
from dataclasses import dataclass

from omni_iml.annotate.answers import Finding

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”")
_HEDGE = re.compile(r"\b(could|might|may)\b|(?<![\w'])(Could|Might|May)\b(?! \d)")
"""Figure 14's words. "May 2026" is a month, and what the tampered text itself says is no hedge."""


@dataclass(frozen=True)
class Examined:
    """What examination left of the findings.

    Attributes:
        kept: findings without a hedge, under titles that step 2 gave.
        removed: how many of step 2's findings are gone.
    """

    kept: tuple[Finding, ...]
    removed: int


def hedges(text: str) -> bool:
    """Whether a description decides nothing.

    Args:
        text: a description; quoted words are passed over.

    Returns:
        True if "could", "might" or "may" stands in it.
    """
    return _HEDGE.search(_QUOTED.sub("", text)) is not None


def examined(before: list[Finding], after: list[Finding]) -> Examined:
    """Hold the model to its task: rewrite or delete, and nothing else.

    Args:
        before: step 2's findings.
        after: what the model made of them.

    Returns:
        Those that stand; one that still hedges, or that step 2 did not have, is removed.
    """
    known = {_same(each.title) for each in before}
    kept = tuple(each for each in after if _same(each.title) in known and not hedges(each.description))
    return Examined(kept, max(0, len(before) - len(kept)))


def _same(title: str) -> str:
    return " ".join(re.sub(r"[^\w ]", "", title.casefold()).split())
