"""The calibrated score: false alarms stay bounded whatever the picture; a grade that says nothing gives no verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from omni_iml.evaluation import calibration
from omni_iml.evaluation.calibration import TILE_COUNTS
from omni_iml.types import Grade

SIDE = 512
TILE = SIDE**2
calibrate = partial(calibration.calibrate, tile=SIDE)


@dataclass(frozen=True)
class Judged:
    """What calibration reads of a picture."""

    tampered: bool
    logit: float
    pixels: int = TILE
    grade: Grade = "good"
    domain: str = "natural"
    kind: str = "synthetic"


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(3)
    authentic = [Judged(False, float(x)) for x in rng.normal(-1, 1, 400)]
    tampered = [Judged(True, float(x)) for x in rng.normal(2, 1.5, 400)]
    # Of larger pictures the largest of eight tiles is known.
    larger = [Judged(False, float(x), 8 * TILE) for x in rng.normal(-1, 1, (100, 8)).max(1)]
    edited = [Judged(True, float(x), 8 * TILE) for x in rng.normal(2, 1.5, 100)]
    return authentic + tampered + larger + edited


@pytest.mark.parametrize("tiles", [1, *TILE_COUNTS])
def test_false_alarms_do_not_grow_with_the_size(pictures, tiles):
    fitted = calibrate(pictures)
    largest = np.random.default_rng(99).normal(-1, 1, (4000, tiles)).max(1)  # other draws than the fit's
    scores = fitted.score(largest, np.full(4000, float(tiles)))
    assert (scores >= fitted.tampered_at).mean() <= 0.07


def test_a_size_with_more_false_alarms_of_its_own_raises_the_threshold(pictures):
    loud = [replace(p, logit=p.logit + 3) if p.pixels > TILE and not p.tampered else p for p in pictures]
    fitted = calibrate(loud)
    scores = fitted.score(np.array([p.logit for p in loud]), np.array([p.pixels / TILE for p in loud]))
    alarms = [s >= fitted.tampered_at for s, p in zip(scores, loud, strict=True) if p.pixels > TILE and not p.tampered]
    assert np.mean(alarms) <= 0.05
    assert fitted.tampered_at > calibrate(pictures).tampered_at


@pytest.mark.parametrize("alike", [{"domain": "document"}, {"kind": "source"}])
def test_a_domain_or_kind_with_more_false_alarms_of_its_own_raises_the_threshold(pictures, alike):
    rng = np.random.default_rng(5)
    loud = [Judged(False, float(x), **alike) for x in rng.normal(1.5, 1, 40)]
    fitted = calibrate([*pictures, *loud])
    reached = fitted.score(np.array([p.logit for p in loud]), np.ones(40)) >= fitted.tampered_at
    assert reached.mean() <= 0.05
    same = calibrate([*pictures, *(replace(p, domain="natural", kind="synthetic") for p in loud)])
    assert fitted.tampered_at > same.tampered_at, "among many others they would go unseen"


def test_of_few_pictures_of_a_domain_nothing_is_concluded(pictures):
    loud = [Judged(False, 3.0, domain="document") for _ in range(19)]
    ordinary = [replace(p, domain="natural") for p in loud]
    assert calibrate([*pictures, *loud]) == calibrate([*pictures, *ordinary])


def test_larger_tiles_make_fewer_of_a_picture(pictures):
    """Of tiles twice as wide a picture has a quarter as many, so less is taken off for its size."""
    assert 0 > calibrate(pictures, tile=2 * SIDE).log_tiles > calibrate(pictures).log_tiles


def test_tampered_pictures_score_higher_and_thresholds_are_in_order(pictures):
    fitted = calibrate(pictures)
    logits = {label: np.array([p.logit for p in pictures if p.tampered == label]) for label in (False, True)}
    mean = {label: fitted.score(x, np.ones(len(x))).mean() for label, x in logits.items()}
    assert mean[True] > mean[False] + 0.3
    assert 0 < fitted.no_trace_below <= fitted.tampered_at < 1
    assert fitted.scale > 0
    assert fitted.log_tiles < 0, "the more tiles, the larger the largest logit of authentic ones"


def test_a_grade_at_which_edits_are_missed_may_not_say_no_trace(pictures):
    blind = [Judged(True, -3.0, grade="limited") for _ in range(40)]
    seen = [Judged(True, 2.0, grade="poor") for _ in range(40)]
    assert calibrate(pictures).no_trace_grades == ("good",), "of grades that nothing is known of it says nothing"
    assert calibrate([*pictures, *seen]).no_trace_grades == ("good", "poor")
    assert "limited" not in calibrate([*pictures, *blind]).no_trace_grades


def test_same_pictures_give_the_same_calibration(pictures):
    assert calibrate(pictures) == calibrate(pictures)


def test_a_model_that_tells_nothing_apart_is_refused():
    rng = np.random.default_rng(0)
    wrong = [Judged(False, float(x)) for x in rng.normal(1, 1, 100)] + [
        Judged(True, float(x)) for x in rng.normal(-1, 1, 100)
    ]
    with pytest.raises(ValueError, match="train longer"):
        calibrate(wrong)


def test_too_few_pictures_are_refused():
    with pytest.raises(ValueError, match="fewer than 20"):
        calibrate([Judged(False, 0.0)] * 5 + [Judged(True, 1.0)] * 50)
