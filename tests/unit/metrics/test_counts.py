from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import confusion_matrix

from omni_iml.metrics import IGNORED, Counts, count_pixels

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)


@st.composite
def pairs(draw):
    shape = draw(SHAPES)
    prediction = draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 1)))
    truth = draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, IGNORED])))
    return prediction, truth


def test_one_pixel_of_each_kind():
    counts = count_pixels([[1, 1, 0, 0]], [[1, 0, 1, 0]])
    assert counts.table.tolist() == [[1, 1, 1, 1]]
    assert (counts.tp[0], counts.fp[0], counts.fn[0], counts.tn[0]) == (1, 1, 1, 1)


def test_columns_are_not_swapped():
    counts = count_pixels([[1, 1, 1, 1, 1, 1, 0, 0, 0, 0]], [[1, 1, 1, 0, 0, 0, 1, 0, 0, 0]])
    assert counts.table.tolist() == [[3, 3, 1, 3]]


@settings(max_examples=80, deadline=None)
@given(pairs())
def test_agrees_with_scikit_learn(pair):
    prediction, truth = pair
    kept = truth != IGNORED
    counts = count_pixels(prediction, truth)
    if kept.any():
        tn, fp, fn, tp = confusion_matrix(truth[kept], prediction[kept], labels=[0, 1]).ravel()
        assert counts.table.tolist() == [[tp, fp, fn, tn]]
    else:
        assert counts.table.sum() == 0


def test_ignored_pixels_and_validity_leave_out_the_same():
    prediction, truth = np.array([[1, 0, 1]]), np.array([[1, 1, 0]], np.uint8)
    labelled = np.array([[1, IGNORED, 0]], np.uint8)
    by_label = count_pixels(prediction, labelled)
    by_flag = count_pixels(prediction, truth, valid=[[1, 0, 1]])
    assert by_label.table.tolist() == by_flag.table.tolist() == [[1, 1, 0, 0]]
    assert count_pixels(prediction, labelled, valid=[[0, 1, 1]]).table.tolist() == [[0, 1, 0, 0]]


def test_a_stack_gives_a_row_a_picture():
    prediction = np.array([[[1, 1]], [[0, 0]]], bool)
    truth = np.array([[[1, 0]], [[0, 1]]], bool)
    counts = count_pixels(prediction, truth)
    assert len(counts) == 2
    assert counts.table.tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]
    assert counts.pooled().table.tolist() == [[1, 1, 1, 1]]
    assert counts.select(np.array([False, True])).table.tolist() == [[0, 0, 1, 1]]
    joined = Counts.concatenate([counts, count_pixels([[0]], [[0]])])
    assert joined.authentic.tolist() == [False, False, True]
    assert len(Counts.concatenate([])) == 0


def test_counts_do_not_change_with_the_array_they_came_from():
    table = np.array([[1, 2, 3, 4]])
    counts = Counts(table)
    table[0, 0] = 99
    assert counts.tp.tolist() == [1]
    with pytest.raises(ValueError, match="read-only"):
        counts.table[0, 0] = 5


@pytest.mark.parametrize(
    ("prediction", "truth", "valid", "message"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2), int), None, r"\(2, 3\).*\(3, 2\)"),
        (np.zeros(4), np.zeros(4, int), None, "channel axis"),
        (np.full((2, 2), 255), np.zeros((2, 2), int), None, "prediction holds values other"),
        (np.full((2, 2), 0.4), np.zeros((2, 2), int), None, "prediction holds values other"),
        (np.zeros((2, 2)), np.full((2, 2), 128), None, "labels other than 0, 1 and 255"),
        (np.zeros((2, 2)), np.zeros((2, 2), int), np.ones((2, 3)), "validity mask has the shape"),
        (np.zeros((2, 2)), np.zeros((2, 2), int), np.full((2, 2), 2), "validity mask holds values"),
    ],
)
def test_bad_arrays_are_refused(prediction, truth, valid, message):
    with pytest.raises(ValueError, match=message):
        count_pixels(prediction, truth, valid)


@pytest.mark.parametrize("table", [np.zeros(4, int), np.zeros((2, 3), int), [[0.5, 0, 0, 0]], [[-1, 0, 0, 0]]])
def test_bad_tables_are_refused(table):
    with pytest.raises(ValueError, match="counts must"):
        Counts(np.asarray(table))
