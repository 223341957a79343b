import math
from dataclasses import replace

import pytest

from omni_iml.inference.verdict import gate_of, picture_score, probability_of, verdict_of
from omni_iml.types import Fitness, ModelInfo

INFO = ModelInfo(
    name="m",
    version="1",
    sha256="0" * 64,
    tile=64,
    tampered_at=0.7,
    no_trace_below=0.3,
    calibration={"scale": 2.0, "bias": -1.0, "log_tiles": -0.5},
    region_min_area=0,
    region_min_probability=0,
    licence="",
)


@pytest.mark.parametrize(("logit", "expected"), [(0, 0.5), (1e6, 1), (-1e6, 0), (math.log(3), 0.75)])
def test_probability_of_a_logit(logit, expected):
    assert probability_of(logit) == pytest.approx(expected)


def test_score_is_the_calibrated_strongest_tile():
    expected = 1 / (1 + math.exp(-(2 * 1.5 - 1 - 0.5 * math.log(3))))
    assert picture_score([-4, 1.5, 0], 3 * 512 * 512, INFO) == pytest.approx(expected)


def test_the_same_evidence_counts_for_less_in_a_larger_picture():
    small, same, large = (picture_score([1.0], side * side, INFO) for side in (100, 512, 4000))
    assert large < same == small, "pictures smaller than the unit are no better known than those of its size"


@pytest.mark.parametrize(
    ("score", "verdict"),
    [
        (1, "tampered"),
        (0.7, "tampered"),
        (0.699, "inconclusive"),
        (0.3, "inconclusive"),
        (0.299, "no_trace"),
        (0, "no_trace"),
    ],
)
def test_verdict_by_thresholds(score, verdict):
    assert verdict_of(score, INFO) == verdict


def test_equal_thresholds_leave_no_middle():
    info = replace(INFO, no_trace_below=0.5, tampered_at=0.5)
    assert verdict_of(0.5, info) == "tampered"
    assert verdict_of(0.4999, info) == "no_trace"


def test_gate_is_weighted_by_area():
    mean, modality = gate_of([0.9, 0.1], [300, 100])
    assert mean == pytest.approx(0.7)
    assert modality == "vision"


def test_modality_is_the_majority_and_not_the_mean():
    mean, modality = gate_of([0.55, 0.0], [300, 100])
    assert mean < 0.5
    assert modality == "vision"
    assert gate_of([0.4, 1.0], [300, 100])[1] == "vision+frequency"


def test_gate_of_exactly_one_half_is_vision():
    assert gate_of([0.5], [1]) == (0.5, "vision")


@pytest.mark.parametrize("score", [0, 0.1, 0.299, 0.3, 0.5, 0.699, 0.7, 1])
@pytest.mark.parametrize("grade", ["good", "limited", "poor"])
@pytest.mark.parametrize("known", [("good", "limited"), ("good",), ()])
def test_only_a_grade_that_says_nothing_changes_a_verdict_and_only_no_trace(score, grade, known):
    info = replace(INFO, no_trace_grades=known)
    plain = verdict_of(score, info)
    expected = "inconclusive" if grade not in known and plain == "no_trace" else plain
    assert verdict_of(score, info, Fitness(grade)) == expected
