"""Reliability of scores, by hand and against what calibrated scores must give."""

from __future__ import annotations

import numpy as np
import pytest

from omni_iml.evaluation.reliability import reliability


def test_bins_by_hand():
    low, high = reliability([0.9, 0.1, 0.7, 0.3], [True, False, True, True], bins=2)
    assert (low.low, low.high, low.count, low.mean_score, low.tampered_share) == pytest.approx((0.1, 0.3, 2, 0.2, 0.5))
    assert (high.low, high.high, high.count, high.mean_score, high.tampered_share) == pytest.approx(
        (0.7, 0.9, 2, 0.8, 1.0)
    )


def test_a_score_that_is_a_probability_lies_on_the_diagonal():
    rng = np.random.default_rng(1)
    scores = rng.random(8000)
    truth = rng.random(8000) < scores
    assert all(abs(b.mean_score - b.tampered_share) < 0.06 for b in reliability(scores.tolist(), truth.tolist()))


def test_fewer_pictures_than_bins():
    assert [b.count for b in reliability([0.2, 0.4], [False, True])] == [1, 1]


def test_nothing_to_bin_is_refused():
    with pytest.raises(ValueError, match="0 scores"):
        reliability([], [])
