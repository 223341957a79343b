from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from omni_iml.metrics import Counts, count_pixels, f1, false_alarm_area, iou, precision, recall

METRICS = [(iou, jaccard_score), (f1, f1_score), (precision, precision_score), (recall, recall_score)]
NAMES = [ours.__name__ for ours, _ in METRICS]


@st.composite
def stacks(draw):
    shape = draw(hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6))
    masks = hnp.arrays(np.uint8, shape, elements=st.integers(0, 1))
    return draw(masks), draw(masks)


@pytest.mark.parametrize(("ours", "theirs"), METRICS, ids=NAMES)
@settings(max_examples=60, deadline=None)
@given(stack=stacks(), empty=st.sampled_from([0.0, 1.0]))
def test_agrees_with_scikit_learn(ours, theirs, stack, empty):
    predictions, truths = stack
    values = ours(count_pixels(predictions, truths), both_empty=empty)
    for value, prediction, truth in zip(values, predictions, truths, strict=True):
        nothing = not (prediction.any() or truth.any())
        expected = theirs(truth.ravel(), prediction.ravel(), zero_division=empty if nothing else 0.0)
        assert value == pytest.approx(expected, abs=1e-9)


def test_values_by_hand():
    counts = Counts(np.array([[6, 2, 4, 8]]))
    assert iou(counts)[0] == pytest.approx(6 / 12)
    assert precision(counts)[0] == pytest.approx(6 / 8)
    assert recall(counts)[0] == pytest.approx(6 / 10)
    assert f1(counts)[0] == pytest.approx(12 / 18)
    assert false_alarm_area(counts)[0] == pytest.approx(2 / 10)


@pytest.mark.parametrize("metric", [iou, f1, precision, recall], ids=NAMES)
def test_nothing_there_and_nothing_called(metric):
    clean = Counts(np.array([[0, 0, 0, 9], [0, 0, 0, 0]]))
    assert np.isnan(metric(clean)).all()
    assert metric(clean, both_empty=1.0).tolist() == [1.0, 1.0]
    assert metric(clean, both_empty=0.0).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("metric", [iou, f1, precision, recall], ids=NAMES)
@pytest.mark.parametrize("row", [[0, 3, 0, 6], [0, 0, 3, 6]], ids=["false alarm", "all missed"])
def test_one_side_empty_is_zero_and_never_the_value_for_both(metric, row):
    assert metric(Counts(np.array([row])), both_empty=1.0).tolist() == [0.0]


def test_one_empty_is_an_option():
    missed, alarm = Counts(np.array([[0, 0, 3, 6]])), Counts(np.array([[0, 3, 0, 6]]))
    assert math.isnan(precision(missed, one_empty=math.nan)[0])
    assert precision(alarm, one_empty=math.nan).tolist() == [0.0]
    assert math.isnan(recall(alarm, one_empty=math.nan)[0])
    assert recall(missed, one_empty=math.nan).tolist() == [0.0]


def test_full_truth():
    full = count_pixels(np.ones((3, 3)), np.ones((3, 3), int))
    assert [metric(full)[0] for metric in (iou, f1, precision, recall)] == [1.0] * 4
    assert math.isnan(false_alarm_area(full)[0])


def test_no_picture_at_all():
    assert iou(Counts.concatenate([])).shape == (0,)
