from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import roc_auc_score

from omni_iml.metrics import IGNORED, auc, roc_auc, roc_auc_from_histograms

LEVELS = {
    "few levels": (np.float32, st.sampled_from([0.0, 0.25, 0.5, 1.0])),
    "floats": (np.float32, st.floats(0, 1, width=32)),
    "doubles": (np.float64, st.floats(-1e6, 1e6)),
    "8 bit": (np.uint8, st.integers(0, 255)),
    "16 bit": (np.uint16, st.integers(0, 65535)),
    "masks": (np.bool_, st.booleans()),
}


@pytest.mark.parametrize("kind", LEVELS)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_agrees_with_scikit_learn(kind, data):
    dtype, elements = LEVELS[kind]
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8))
    truth = data.draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 1, 0, IGNORED])))
    score = data.draw(hnp.arrays(dtype, shape, elements=elements))
    kept = truth != IGNORED
    assume(len(np.unique(truth[kept])) == 2)
    assert roc_auc(score, truth) == pytest.approx(roc_auc_score(truth[kept], score[kept]), abs=1e-9)


def test_values_by_hand():
    # Pairs (tampered, authentic): 0.8>0.1, 0.8>0.4, 0.4>0.1 right, 0.4=0.4 half.
    assert roc_auc(np.array([[0.1, 0.4, 0.4, 0.8]]), np.array([[0, 0, 1, 1]])) == 3.5 / 4


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.uint16])
def test_a_constant_map_is_worth_a_half(dtype):
    truth = np.zeros((8, 8), int)
    truth[2:5, 2:5] = 1
    assert roc_auc(np.ones((8, 8), dtype), truth) == 0.5


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("label", [0, 1, IGNORED])
def test_one_class_has_no_curve(dtype, label):
    assert math.isnan(roc_auc(np.ones((3, 3), dtype), np.full((3, 3), label)))


def test_one_pixel():
    assert math.isnan(roc_auc([[0.5]], [[1]]))


def test_validity_leaves_pixels_out():
    score, truth = np.array([[0.9, 0.1, 0.5]]), np.array([[0, 0, 1]])
    assert roc_auc(score, truth) == 0.5
    assert roc_auc(score, truth, valid=[[0, 1, 1]]) == 1.0


def test_positives_are_ranked_in_parts(monkeypatch):
    generator = np.random.default_rng(3)
    score, truth = generator.integers(0, 40, (50, 50)) / 40, generator.integers(0, 2, (50, 50))
    monkeypatch.setattr(auc, "_NEEDLES", 7)
    assert roc_auc(score, truth) == pytest.approx(roc_auc_score(truth.ravel(), score.ravel()), abs=1e-12)


def test_the_callers_scores_are_not_sorted():
    score = np.array([[0.9, 0.1, 0.5, 0.3]])
    roc_auc(score, np.array([[1, 1, 0, 0]]))
    assert score.tolist() == [[0.9, 0.1, 0.5, 0.3]]


def test_infinite_scores_have_a_rank():
    assert roc_auc([[-np.inf, 0.0, np.inf]], [[0, 0, 1]]) == 1.0


def test_histograms_beyond_64_bits():
    huge = np.array([10**11, 10**11, 0])
    assert roc_auc_from_histograms(huge, huge) == 0.5
    assert roc_auc_from_histograms([0, 10**12], [10**12, 0]) == 1.0


def test_binned_scores_differ_by_at_most_half_of_the_shared_pairs():
    generator = np.random.default_rng(5)
    truth = generator.integers(0, 2, 4000)
    score = np.clip(generator.normal(0.4 + 0.1 * truth, 0.2), 0, 1)
    bins = np.minimum((score * 64).astype(int), 63)
    positives, negatives = (np.bincount(bins[truth == label], minlength=64) for label in (1, 0))
    bound = 0.5 * float((positives * negatives).sum()) / (int(positives.sum()) * int(negatives.sum()))
    difference = abs(roc_auc_from_histograms(positives, negatives) - roc_auc_score(truth, score))
    assert 0 < difference <= bound


@pytest.mark.parametrize(
    ("score", "truth", "message"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2), int), r"\(2, 3\).*\(3, 2\)"),
        (np.array([[np.nan, 1.0]]), np.array([[0, 1]]), "nan"),
        (np.zeros((1, 2)), np.array([[0, 2]]), "labels other"),
    ],
)
def test_bad_arrays_are_refused(score, truth, message):
    with pytest.raises(ValueError, match=message):
        roc_auc(score, truth)


@pytest.mark.parametrize(
    ("positives", "negatives", "message"),
    [([1, 2], [1], "2 and 1 levels"), ([0.5], [1], "whole numbers"), ([1], [-1], "whole numbers"), ([[1]], [1], "row")],
)
def test_bad_histograms_are_refused(positives, negatives, message):
    with pytest.raises(ValueError, match=message):
        roc_auc_from_histograms(positives, negatives)
