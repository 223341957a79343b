"""Which changes of a refinement are listed: the largest, as a speckled mask has 40,000; the rest are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omni_iml.explain.refine.rule import Change, Kind
from omni_iml.types import Box

MOST = 100
"""Changes listed of a picture, and regions listed of a change."""


@dataclass(frozen=True)
class Rest:
    """Changes of one kind that are not listed.

    Attributes:
        kind: "kept", "snapped", "added" or "dropped".
        changes: how many.
        pixels_before: of their regions together.
        pixels_after: of what is there now.
    """

    kind: Kind
    changes: int
    pixels_before: int
    pixels_after: int


def listed(changes: Sequence[Change]) -> tuple[list[Change], list[Rest]]:
    """Share changes out into those that are listed and a count of the others.

    Args:
        changes: of one picture.

    Returns:
        The `MOST` largest in the order given, what was snapped or added before what was kept or dropped; and an entry
        for each kind of which some are left out.
    """

    def rank(at: int) -> tuple[bool, int]:
        one = changes[at]
        return one.kind in ("kept", "dropped"), -max(one.pixels_before, one.pixels_after)

    order = sorted(range(len(changes)), key=rank)
    others = [changes[at] for at in order[MOST:]]
    kinds = sorted({one.kind for one in others})
    rests = [_rest(kind, [one for one in others if one.kind == kind]) for kind in kinds]
    return [changes[at] for at in sorted(order[:MOST])], rests


def listed_regions(change: Change) -> tuple[list[Box], int]:
    """The `MOST` regions of a change with the largest boxes, in the order given, and how many others it has."""
    boxes = change.regions
    order = sorted(range(len(boxes)), key=lambda at: -_area(boxes[at]))
    return [boxes[at] for at in sorted(order[:MOST])], max(0, len(boxes) - MOST)


def _rest(kind: Kind, changes: Sequence[Change]) -> Rest:
    before, after = (sum(getattr(one, name) for one in changes) for name in ("pixels_before", "pixels_after"))
    return Rest(kind, len(changes), before, after)


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
