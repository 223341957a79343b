"""Reliability of scores, by hand and against what calibrated scores must give."""

from __future__ import annotations

import numpy as np
import pytest

from omni_iml.evaluation.reliability import calibration_error, reliability


def test_bins_by_hand():
    low, high = reliability([0.9, 0.1, 0.7, 0.3], [True, False, True, True], bins=2)
    assert (low.low, low.high, low.count, low.mean_score, low.tampered_share) == pytest.approx((0.1, 0.3, 2, 0.2, 0.5))
    assert (high.low, high.high, high.count, high.mean_score, high.tampered_share) == pytest.approx(
        (0.7, 0.9, 2, 0.8, 1.0)
    )
    assert calibration_error((low, high)) == pytest.approx((0.3 + 0.2) / 2)


def test_a_score_that_is_a_probability_has_next_to_no_error_and_its_opposite_has_much():
    rng = np.random.default_rng(1)
    scores = rng.random(8000)
    truth = rng.random(8000) < scores
    assert calibration_error(reliability(scores.tolist(), truth.tolist())) < 0.03
    assert calibration_error(reliability((1 - scores).tolist(), truth.tolist())) > 0.3


def test_fewer_pictures_than_bins():
    assert [b.count for b in reliability([0.2, 0.4], [False, True])] == [1, 1]


def test_nothing_to_bin_is_refused():
    with pytest.raises(ValueError, match="0 scores"):
        reliability([], [])
