from __future__ import annotations

from collections import Counter
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from omni_iml.explain.refine.areas import areas_of, painted, union, whole
from omni_iml.explain.refine.rule import Candidate, Mention, Refined, Rule, refine
from omni_iml.types import POSITIONS, Box

SIDE = 90  # cells of 30 x 30 pixels


def boxes(*some: Box) -> NDArray[np.bool_]:
    mask = np.zeros((SIDE, SIDE), bool)
    for x0, y0, x1, y1 in some:
        mask[y0:y1, x0:x1] = True
    return mask


def candidate(box: Box, mention: int = 0, score: float = 0.9) -> Candidate:
    area = whole(box, SIDE, SIDE)
    assert area is not None
    return Candidate(area, score, mention, f"“thing {mention}”")


def kinds(refined: Refined) -> list[str]:
    return [change.kind for change in refined.changes]


THERE = Mention("thing", "Top left")


def test_a_region_is_snapped_from_an_iou_of_a_half_on_and_below_it_kept() -> None:
    region = (0, 0, 20, 10)
    at = refine(boxes(region), [THERE], [candidate((0, 5, 20, 10 + 5))])  # 100 of 300 in common
    assert kinds(at) == ["kept"]
    assert (at.mask == boxes(region)).all()
    half = refine(boxes((0, 0, 30, 10)), [THERE], [candidate((10, 0, 40, 10))])  # 200 of 400
    assert kinds(half) == ["snapped"]
    assert (half.mask == boxes((10, 0, 40, 10))).all()
    (change,) = half.changes
    assert (change.regions, change.candidates) == (((0, 0, 30, 10),), (0,))
    assert (change.pixels_before, change.pixels_after, change.iou) == (300, 300, 0.5)
    less = refine(boxes((0, 0, 30, 10)), [THERE], [candidate((11, 0, 41, 10))])  # 190 of 410
    assert kinds(less) == ["kept"]


@pytest.mark.parametrize(
    ("region", "found", "kind"),
    [
        ((5, 5, 15, 15), (0, 0, 20, 20), "snapped"),  # contained, 4 times as large
        ((5, 5, 15, 15), (0, 0, 20, 21), "kept"),  # 4.2 times
        ((0, 0, 20, 20), (5, 5, 15, 15), "snapped"),  # contains, a quarter
        ((0, 0, 20, 21), (5, 5, 15, 15), "kept"),
    ],
)
def test_containment_counts_up_to_a_factor_of_size(region: Box, found: Box, kind: str) -> None:
    refined = refine(boxes(region), [THERE], [candidate(found)])
    assert kinds(refined) == [kind]
    assert (refined.mask == boxes(found if kind == "snapped" else region)).all()


def test_two_words_under_one_region_both_take_its_place() -> None:
    words = (0, 2, 18, 10), (22, 2, 40, 10)
    refined = refine(boxes((0, 0, 40, 12)), [THERE, THERE], [candidate(words[0]), candidate(words[1], 1)])
    assert kinds(refined) == ["snapped"]
    assert refined.changes[0].candidates == (0, 1)
    assert (refined.mask == boxes(*words)).all()


def test_specks_on_one_object_become_the_object_and_a_huge_candidate_does_not_spoil_it() -> None:
    specks = (0, 0, 6, 20), (8, 0, 14, 20), (16, 0, 20, 20)  # 320 of 400 pixels; each alone is a third or less
    found = [candidate((0, 0, 90, 90)), candidate((0, 0, 20, 20))]
    refined = refine(boxes(*specks), [THERE], found)
    assert kinds(refined) == ["snapped"]
    assert len(refined.changes[0].regions) == 3
    assert refined.changes[0].candidates == (1,)
    assert (refined.mask == boxes((0, 0, 20, 20))).all()


def test_what_the_mask_missed_is_added_where_the_words_point_if_it_is_certain() -> None:
    empty = boxes()
    assert kinds(refine(empty, [THERE], [candidate((0, 0, 20, 20))])) == ["added"]
    assert refine(empty, [THERE], [candidate((0, 0, 20, 20))]).mask.sum() == 400
    elsewhere, weak = candidate((60, 60, 80, 80)), candidate((0, 0, 20, 20), score=0.49)
    assert kinds(refine(empty, [THERE], [elsewhere])) == []
    assert kinds(refine(empty, [THERE], [weak])) == []
    assert kinds(refine(empty, [THERE], [candidate((0, 0, 9, 9)), candidate((15, 0, 24, 9))])) == []  # which one?
    assert kinds(refine(empty, [Mention("thing", "")], [candidate((0, 0, 20, 20))])) == []
    measured = Mention("thing", "Top left", source="measured")
    assert kinds(refine(empty, [measured], [candidate((0, 0, 20, 20))])) == []
    # The mention has its region already.
    both = [candidate((60, 60, 80, 80)), candidate((0, 0, 20, 20))]
    assert kinds(refine(boxes((60, 60, 80, 80)), [THERE], both)) == ["snapped"]


def test_only_a_region_the_model_is_unsure_of_and_nothing_points_at_is_dropped() -> None:
    mask, found = boxes((0, 0, 20, 20), (70, 70, 80, 80)), [candidate((0, 0, 20, 20))]
    unsure = np.where(boxes((70, 70, 80, 80)), 0.79, 0.9)
    refined = refine(mask, [THERE], found, unsure)
    assert kinds(refined) == ["snapped", "dropped"]
    dropped = refined.changes[1]
    assert (dropped.pixels_before, dropped.pixels_after, dropped.iou) == (100, 0, 0.0)
    assert dropped.mean_probability == pytest.approx(0.79)
    assert "not sure" in dropped.reason
    assert (refined.mask == boxes((0, 0, 20, 20))).all()
    for kept in (
        refine(mask, [THERE], found),  # nobody knows how sure it was
        refine(mask, [THERE], found, np.full(mask.shape, 0.8)),
        refine(mask, [THERE, Mention("more", "Bottom right")], found, unsure),
        refine(mask, [THERE, Mention("more", "")], found, unsure),
        refine(mask, [THERE], [*found, candidate((79, 79, 90, 90))], unsure),  # touched
    ):
        assert kinds(kept) == ["snapped", "kept"]
        assert (kept.mask == mask).all()
    assert kinds(refine(mask, [THERE], [], unsure)) == ["kept", "kept"]  # nothing was found at all


def test_a_map_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="same size"):
        refine(boxes(), [], [], np.zeros((3, 3)))


place = st.integers(0, SIDE - 1).flatmap(lambda low: st.tuples(st.just(low), st.integers(low + 1, SIDE)))
box = st.builds(lambda across, down: (across[0], down[0], across[1], down[1]), place, place)
mention = st.builds(Mention, st.just("thing"), st.sampled_from([*POSITIONS, ""]))
found_one = st.builds(candidate, box, st.integers(0, 2), st.floats(0, 1))


@settings(deadline=None, max_examples=150)
@given(st.lists(box, max_size=5), st.lists(mention, min_size=3, max_size=3), st.lists(found_one, max_size=5), st.data())
def test_nothing_vanishes_or_appears_without_a_record(
    some: list[Box], mentions: list[Mention], found: list[Candidate], data: st.DataObject
) -> None:
    mask = boxes(*some)
    level = data.draw(st.floats(0.5, 1))
    probability = np.full(mask.shape, level)
    refined = refine(mask, mentions, found, probability)
    regions = areas_of(mask)
    recorded = [region for change in refined.changes for region in change.regions]
    assert sorted(recorded) == sorted(region.box for region in regions)  # each exactly once
    if level >= Rule().sure:
        assert all(refined.mask[region.where][region.pixels].any() for region in regions)
    # The mask after is what the records say: regions kept and candidates used, nothing else.
    kept = [box for change in refined.changes if change.kind == "kept" for box in change.regions]
    used = [found[at].area for change in refined.changes for at in change.candidates]
    told = painted([*used, *(region for region in regions if region.box in kept)], SIDE, SIDE)
    if len({region.box for region in regions}) == len(regions):
        assert (refined.mask == told).all()
    order = data.draw(st.permutations(range(len(found))))
    again = refine(mask, mentions, [found[at] for at in order], probability)
    assert (again.mask == refined.mask).all()
    assert kinds(again) == kinds(refined)


@settings(deadline=None, max_examples=50)
@given(st.lists(box, max_size=5))
def test_candidates_that_are_the_regions_change_no_pixel(some: list[Box]) -> None:
    mask = boxes(*some)
    found = [Candidate(area, 1.0, 0, "it") for area in areas_of(mask)]
    assert (refine(mask, [THERE], found).mask == mask).all()
    assert (refine(mask, [THERE], []).mask == mask).all()


@settings(deadline=None, max_examples=50)
@given(st.lists(box, min_size=1, max_size=4), st.lists(box, min_size=1, max_size=4))
def test_areas_agree_with_whole_masks(some: list[Box], others: list[Box]) -> None:
    one, other = (union(areas_of(boxes(*each))) for each in (some, others))
    assert (painted([one, other], SIDE, SIDE) == boxes(*some, *others)).all()
    assert (painted(areas_of(boxes(*some)), SIDE, SIDE) == boxes(*some)).all()
    assert one.size == boxes(*some).sum()


def test_of_forty_thousand_specks_each_is_decided() -> None:
    side = 800
    mask = np.zeros((side, side), bool)
    mask[::4, ::4] = True
    word = whole((0, 0, 8, 2), side, side)  # two specks are its upper edge: contained, and too few of its pixels
    line = whole((400, 400, 403, 401), side, side)
    far = [whole((0, 100 * at, 800, 100 * at + 50), side, side) for at in range(1, 4)]
    found = [Candidate(area, 0.9, 0, "it") for area in (word, line, *far) if area is not None]
    probability = np.full(mask.shape, 0.9)
    probability[:, 400:] = 0.5
    refined = refine(mask, [Mention("it", "Center")], found, probability)
    assert len({region for change in refined.changes for region in change.regions}) == 40_000
    counts = Counter(kinds(refined))
    assert counts["snapped"] == 1
    assert counts["dropped"] > 1000
    # The model was sure of the left half; of the right one what a candidate touches or lies in the middle stays.
    assert refined.mask[::4, :400:4].all()
    assert refined.mask[100:150:4, 400::4].all()
    assert refined.mask[300:500:4, 404:530:4].all()
    assert not refined.mask[552::4, 552::4].any()
    assert (refined.mask & ~mask).sum() == 2  # the rest of the line


def test_ninety_thousand_specks_take_no_time_to_speak_of() -> None:
    side = 1200
    mask = np.zeros((side, side), bool)
    mask[::4, ::4] = True
    areas = [whole((10 * at, 10 * at, 10 * at + 300, 10 * at + 50), side, side) for at in range(40)]
    found = [Candidate(area, 0.9, 0, "it") for area in areas if area is not None]
    begin = process_time()
    refined = refine(mask, [Mention("it", "Center")], found, np.full(mask.shape, 0.9))
    assert process_time() - begin < 8  # 0.7 s; a loop over regions and candidates takes 35 s
    assert len(refined.changes) == 90_000
