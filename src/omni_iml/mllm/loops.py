"""Whether a model repeats itself without end, as small ones and badly trained ones do."""

from __future__ import annotations

from collections.abc import Sequence

TIMES = 5
"""How often the end must be repeated in a row to be called a loop; lists of alike findings repeat less."""
SHORTEST = 40
"""Characters or tokens that all repetitions together must have: rows of dashes and blanks are no loop."""
LONGEST_PERIOD = 400


def loop_start(text: Sequence[object]) -> int | None:
    """Where a text or a row of tokens begins to repeat itself until its end.

    Args:
        text: characters or tokens.

    Returns:
        Index behind the first occurrence of what is repeated, so that what lies before it says everything once; None
        where the end is no loop.
    """
    length = len(text)
    for period in range(1, min(LONGEST_PERIOD, length // TIMES) + 1):
        at = length - 1
        while at >= period and text[at] == text[at - period]:
            at -= 1
        repeated = length - 1 - at  # how much of the end equals what lies a period before it
        if repeated >= (TIMES - 1) * period and repeated + period >= SHORTEST:
            return at + 1
    return None
