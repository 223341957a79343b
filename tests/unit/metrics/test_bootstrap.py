from __future__ import annotations

import math

import numpy as np
import pytest

from omni_iml.metrics import bootstrap, bootstrap_mean


def test_the_interval_agrees_with_the_normal_one_on_many_values():
    values = np.random.default_rng(1).normal(0.6, 0.1, 400)
    estimate = bootstrap_mean(values)
    half = 1.96 * values.std(ddof=1) / math.sqrt(400)
    assert estimate.mean == pytest.approx(values.mean(), abs=1e-12)
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.0015)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.0015)
    assert (estimate.n, estimate.skipped) == (400, 0)


def test_two_values_have_the_four_sets_that_can_be_drawn():
    # Means 0, 1/2, 1/2, 1 with a quarter each: the central 40% holds one half alone, the central 95% all.
    assert bootstrap_mean([0.0, 1.0], level=0.4).low == bootstrap_mean([0.0, 1.0], level=0.4).high == 0.5
    wide = bootstrap_mean([0.0, 1.0])
    assert (wide.low, wide.high) == (0.0, 1.0)


def test_the_seed_decides():
    values = np.random.default_rng(2).random(20)
    assert bootstrap_mean(values, seed=4) == bootstrap_mean(values, seed=4)
    assert bootstrap_mean(values, seed=4) != bootstrap_mean(values, seed=5)


def test_nan_is_skipped_and_counted():
    with_nan = bootstrap_mean([0.2, math.nan, 0.6, math.nan])
    without = bootstrap_mean([0.2, 0.6])
    assert (with_nan.n, with_nan.skipped) == (2, 2)
    assert (with_nan.mean, with_nan.low, with_nan.high) == (without.mean, without.low, without.high)


def test_constant_values_have_no_width():
    estimate = bootstrap_mean([0.5] * 7)
    assert (estimate.mean, estimate.low, estimate.high) == (0.5, 0.5, 0.5)


def test_one_value_has_no_interval():
    estimate = bootstrap_mean([0.7])
    assert (estimate.mean, estimate.n) == (0.7, 1)
    assert math.isnan(estimate.low)
    assert math.isnan(estimate.high)


@pytest.mark.parametrize("values", [[], [math.nan]])
def test_no_value_has_no_mean(values):
    estimate = bootstrap_mean(values)
    assert math.isnan(estimate.mean)
    assert (estimate.n, estimate.skipped) == (0, len(values))


def test_drawing_in_parts_covers_all_resamples(monkeypatch):
    values = np.random.default_rng(3).random(10)
    whole = bootstrap_mean(values, resamples=1003)
    monkeypatch.setattr(bootstrap, "_DRAWS_AT_ONCE", 70)
    assert bootstrap_mean(values, resamples=1003) == whole


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([[0.1, 0.2]], {}),
        ([math.inf, 0.1], {}),
        ([0.1, 0.2], {"level": 1.0}),
        ([0.1, 0.2], {"level": 0.0}),
        ([0.1, 0.2], {"resamples": 0}),
    ],
)
def test_bad_arguments_are_refused(values, options):
    with pytest.raises(ValueError, match="must"):
        bootstrap_mean(values, **options)
