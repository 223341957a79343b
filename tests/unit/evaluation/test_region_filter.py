"""Regions against the truth, and the filter that keeps the right ones."""

from __future__ import annotations

import numpy as np
import pytest

from omni_iml.evaluation.region_filter import AREAS, PROBABILITIES, choose_filter, found_regions, score_filter


def picture(right: float, wrong: float) -> tuple:
    """A tampered square, found with one probability, and a small false region with another."""
    truth = np.zeros((100, 100), bool)
    truth[10:40, 10:40] = True
    probability = np.zeros((100, 100), np.float32)
    probability[12:40, 12:40] = right
    probability[80:84, 80:84] = wrong
    return found_regions(probability, truth)


def test_regions_by_hand():
    regions, areas = picture(0.9, 0.6)
    assert areas == 1
    large, small = regions
    assert (large.area, large.right, large.reaches) == (28 * 28 / 10_000, True, (0,))
    assert large.probability == pytest.approx(0.9, abs=1e-6)
    assert (small.area, small.right, small.reaches) == (16 / 10_000, False, ())


@pytest.mark.parametrize(("outside", "right"), [(5, True), (6, False)])
def test_a_region_is_right_as_long_as_half_of_it_is_tampered(outside, right):
    truth = np.zeros((10, 20), bool)
    truth[:, :5] = True
    probability = np.zeros((10, 20))
    probability[4:6, : 5 + outside] = 0.8
    regions, _ = found_regions(probability, truth)
    assert [r.right for r in regions] == [right]


def test_nothing_found_and_nothing_tampered():
    assert found_regions(np.zeros((8, 8)), np.zeros((8, 8), bool)) == ((), 0)


def test_precision_and_recall_of_a_filter():
    pictures = [picture(0.9, 0.6), picture(0.9, 0.4)]
    every = score_filter(pictures, 0.0, 0.5)
    assert (every.kept, every.precision, every.recall) == (3, pytest.approx(2 / 3), 1.0)
    none = score_filter(pictures, 0.5, 0.5)
    assert (none.kept, none.recall) == (0, 0.0)


def test_the_filter_that_drops_only_false_regions_is_chosen_and_no_stricter_one():
    chosen = choose_filter([picture(0.9, 0.6)] * 3)
    assert (chosen.precision, chosen.recall) == (1.0, 1.0)
    assert (chosen.min_area, chosen.min_probability) == (AREAS[0], PROBABILITIES[PROBABILITIES.index(0.6) + 1])


def test_a_small_edit_is_not_filtered_away_for_precision():
    faint = [picture(0.62, 0.61)] * 3  # what tells them apart costs nothing only if it is the area
    chosen = choose_filter([*faint, picture(0.9, 0.6)])
    assert chosen.recall == 1.0
    assert chosen.min_probability <= 0.6 < 0.62
    assert chosen.min_area == 0.002


def test_nothing_to_choose_by_is_refused():
    with pytest.raises(ValueError, match="no picture has a tampered area"):
        choose_filter([found_regions(np.zeros((8, 8)), np.zeros((8, 8), bool))])
