"""The calibrated score: false alarms stay bounded whatever the number of tiles."""

from __future__ import annotations

import numpy as np
import pytest

from omni_iml.evaluation.calibration import TILE_COUNTS, calibrate


@pytest.fixture(scope="module")
def logits():
    rng = np.random.default_rng(3)
    return rng.normal(-1, 1, 400), rng.normal(2, 1.5, 400)


@pytest.mark.parametrize("tiles", TILE_COUNTS)
def test_false_alarms_do_not_grow_with_the_tile_count(logits, tiles):
    authentic, tampered = logits
    fitted = calibrate(authentic, tampered)
    rng = np.random.default_rng(99)  # other draws than the fit's
    largest = rng.choice(authentic, (4000, tiles)).max(1)
    scores = fitted.score(largest, np.full(4000, float(tiles)))
    assert (scores >= fitted.tampered_at).mean() <= 0.07


def test_tampered_pictures_score_higher_and_thresholds_are_in_order(logits):
    authentic, tampered = logits
    fitted = calibrate(authentic, tampered)
    one = np.ones(400)
    assert fitted.score(tampered, one).mean() > fitted.score(authentic, one).mean() + 0.3
    assert 0 < fitted.no_trace_below <= fitted.tampered_at < 1
    assert fitted.scale > 0
    assert fitted.log_tiles < 0, "the more tiles, the larger the largest logit of authentic ones"


def test_same_logits_give_the_same_calibration(logits):
    assert calibrate(*logits) == calibrate(*logits)


def test_a_model_that_tells_nothing_apart_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="train longer"):
        calibrate(rng.normal(1, 1, 100), rng.normal(-1, 1, 100))


def test_too_few_tiles_are_refused():
    with pytest.raises(ValueError, match="fewer than 20"):
        calibrate(np.zeros(5), np.ones(50))
