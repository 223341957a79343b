"""Which pages of a document are wanted: "1-3,7" and the like."""

from __future__ import annotations

import re
from collections.abc import Collection

from omni_iml.types import OmniError

MAX_PAGES = 2000
"""Pages of one document that are looked at in one go; of more, a selection must be named."""

_RANGE = re.compile(r"(\d{1,9})?(-)?(\d{1,9})?")


class WrongSelection(OmniError, ValueError):  # noqa: N818 - named for what the user did
    """A selection of pages that makes no sense."""


def parse_pages(selection: str | Collection[int]) -> tuple[range, ...]:
    """Read a selection of pages.

    Args:
        selection: numbers from 1 and ranges, separated by commas: "1-3,7"; "5-" means up to the last page and "-3" up
            to the third. Or the numbers themselves.

    Returns:
        The ranges, in the order given, half-open.

    Raises:
        WrongSelection: it is not of this form, or names page 0.
    """
    if not isinstance(selection, str):
        if not selection or any(number < 1 for number in selection):
            raise WrongSelection(f"pages: {list(selection)!r} names no pages; give numbers from 1.")
        return tuple(range(number, number + 1) for number in selection)
    ranges = []
    for item in selection.replace(" ", "").split(","):
        match = _RANGE.fullmatch(item)
        first, dash, last = match.groups() if match else (None, None, None)
        if not (first or last) or (first and last and not dash):
            raise WrongSelection(f"pages: {item!r} is no page or range of pages; write for example 1-3,7.")
        start = int(first or 1)
        stop = int(last) if last else start if not dash else 2**31
        if not 1 <= start <= stop:
            raise WrongSelection(f"pages: {item!r} is no range of pages; count from 1, the smaller number first.")
        ranges.append(range(start, stop + 1))
    return tuple(ranges)


def select(ranges: tuple[range, ...] | None, count: int) -> list[int]:
    """Apply a selection to a document.

    Args:
        ranges: from `parse_pages`; None for every page.
        count: how many pages the document has.

    Returns:
        Page numbers from 1, each once, in the order of the selection; at most one more than `MAX_PAGES`.
    """
    wanted: dict[int, None] = {}
    for span in ranges if ranges is not None else (range(1, count + 1),):
        for number in range(span.start, min(span.stop, count + 1)):
            wanted[number] = None
            if len(wanted) > MAX_PAGES:
                return list(wanted)
    return list(wanted)
