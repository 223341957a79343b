from __future__ import annotations

from omni_iml.explain.refine.listing import Rest, listed, listed_regions
from omni_iml.explain.refine.rule import Change, Kind
from omni_iml.types import Box


def change(kind: Kind, before: int, after: int, *boxes: Box) -> Change:
    return Change(kind, boxes, (), before, after, 0.0, None, "why")


def test_a_few_changes_are_all_listed() -> None:
    few = [change("snapped", 5, 6), change("kept", 1, 1), change("dropped", 9, 0)]
    assert listed(few) == (few, [])
    assert listed([]) == ([], [])


def test_of_many_the_largest_are_listed_what_was_put_there_first_and_the_rest_counted() -> None:
    put = [change("snapped", 1, 2), change("added", 0, 1)]
    left = [change("dropped" if size % 2 else "kept", size, 0 if size % 2 else size) for size in range(10, 210)]
    changes, rests = listed([*put, *left])
    assert changes == [*put, *left[102:]]
    small = left[:102]
    assert rests == [
        Rest("dropped", 51, sum(one.pixels_before for one in small[1::2]), 0),
        Rest("kept", 51, *[sum(one.pixels_before for one in small[::2])] * 2),
    ]


def test_of_many_regions_under_one_thing_the_largest_are_listed() -> None:
    boxes: list[Box] = [(0, 0, size, 1) for size in range(1, 131)]
    assert listed_regions(change("snapped", 1, 1, *boxes)) == (boxes[30:], 30)
    assert listed_regions(change("snapped", 1, 1, *boxes[:100])) == (boxes[:100], 0)
