"""Ask again where that may help, and only there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from omni_iml.mllm.asking import Mllm, NoAnswer, Query, Reply, Temporary, TooFast

LONGEST_PAUSE = 60.0
"""Seconds between two attempts; a service that asks for more is not asked again."""


@dataclass(frozen=True)
class Patience:
    """How often a model is asked.

    Attributes:
        attempts: at one question, at least 1.
        pause: seconds before the second attempt, doubled for each after it; what the service asks for comes first.
    """

    attempts: int = 3
    pause: float = 1.0


def ask(
    model: Mllm, query: Query, patience: Patience, sleep: Callable[[float], None] = time.sleep
) -> tuple[Reply, int]:
    """Ask until there is a reply, or asking again is of no use.

    Args:
        model: who is asked.
        query: what.
        patience: how often.
        sleep: waits.

    Returns:
        The reply, and how many attempts it took.

    Raises:
        NoAnswer: the last attempt's.
        TooFast: the service asks for a pause that is longer than `LONGEST_PAUSE`.
    """
    for attempt in range(1, patience.attempts + 1):
        try:
            return model.reply(query), attempt
        except NoAnswer as error:
            error.attempts = attempt
            if not isinstance(error, Temporary | TooFast) or attempt == patience.attempts:
                raise
            asked_for = error.wait if isinstance(error, TooFast) else None
            if asked_for is not None and asked_for > LONGEST_PAUSE:
                raise _too_long(asked_for, attempt) from None
            sleep(min(LONGEST_PAUSE, patience.pause * 2.0 ** (attempt - 1)) if asked_for is None else asked_for)
    raise ValueError(f"{patience.attempts} attempts are too few; allow one at least.")


def _too_long(wait: float, attempts: int) -> TooFast:
    cause = f"the service asks for a pause of {wait:.0f} s, and {LONGEST_PAUSE:.0f} s are waited at most; ask later"
    error = TooFast(cause, wait)
    error.attempts = attempts
    return error
