"""Every protocol's score of twenty tiny pictures, against derivations by plain loops."""

import math

import numpy as np
import pytest
from golden_pictures import VARIANTS, derived, golden

from omni_iml.evaluation.counting import Truth, count_picture
from omni_iml.evaluation.formulas import FORMULAS, picture_values
from omni_iml.evaluation.protocol import PROTOCOLS
from omni_iml.evaluation.scores import score_set

PICTURES = golden()


@pytest.fixture(scope="module")
def rows():
    return [count_picture(g.map, g.truth, data="golden", key=g.name, label=g.label, score=g.score) for g in PICTURES]


@pytest.fixture(scope="module")
def expected():
    return [derived(g) for g in PICTURES]


def same(found, wanted):
    return (math.isnan(found) and math.isnan(wanted)) or found == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_each_picture_scores_as_derived(name, rows, expected):
    protocol = PROTOCOLS[name]
    for row, wanted in zip(rows, expected, strict=True):
        single = score_set([row], protocol, resamples=0)
        for figure, formula in protocol.figures.items():
            if figure == "pooled AUC":
                continue
            value = (
                float(picture_values([row], protocol, formula)[0]) if formula in FORMULAS else single.pixel[figure].mean
            )
            assert same(value, wanted[name][figure]), (row.key, figure, value, wanted[name][figure])


def mean(values):
    return sum(values) / len(values)


def known(values):
    return [v for v in values if not math.isnan(v)]


@pytest.mark.parametrize("name", ["paper", "trufor", "mvss", "clean"])
def test_sets_are_means_over_the_tampered_pictures(name, rows, expected):
    score = score_set(rows, PROTOCOLS[name], resamples=0)
    # TruFor's band leaves nothing of the two regions of one pixel.
    assert (score.n, score.n_authentic, score.n_empty) == (20, 2, 3 if name == "trufor" else 1)
    for figure in score.pixel:
        if figure == "pooled AUC":
            continue
        values = [e[name][figure] for e, g in zip(expected, PICTURES, strict=True) if g.label]
        assert score.pixel[figure].mean == pytest.approx(mean(known(values)), abs=1e-9)
        assert score.pixel[figure].skipped == len(values) - len(known(values))


def test_benco_is_spoilt_by_a_picture_that_is_tampered_all_over(rows, expected):
    """Its AUC divides by the number of authentic pixels; F1 has no such trouble."""
    score = score_set(rows, PROTOCOLS["benco"], resamples=0)
    assert math.isnan(score.pixel["AUC"].mean)
    tampered = [e["benco"]["F1"] for e, g in zip(expected, PICTURES, strict=True) if g.label]
    assert score.pixel["F1"].mean == pytest.approx(mean(tampered), abs=1e-9)
    # Its evaluators would count the two authentic pictures as 0.
    assert score.with_authentic == pytest.approx(sum(tampered) / 20, abs=1e-9)


def test_catnet_takes_authentic_pictures_too(rows, expected):
    score = score_set(rows, PROTOCOLS["catnet"], resamples=0)
    assert score.pixel["mIoU"].mean == pytest.approx(mean([e["catnet"]["mIoU"] for e in expected]), abs=1e-9)


@pytest.mark.parametrize("variant", VARIANTS)
def test_doctamper_pools_iou_and_takes_means_of_batches_of_six(variant, rows, expected):
    protocol = PROTOCOLS[f"doctamper-{variant}"]
    assert math.isnan(score_set(rows, protocol, resamples=0).pixel["R"].mean)  # one empty mask spoils the set

    chosen = [i for i, g in enumerate(PICTURES) if (g.mask != 0).any()][:14]  # batches of 6, 6 and 2
    score = score_set([rows[i] for i in chosen], protocol, resamples=0)
    wanted = [expected[i]["doctamper-first"] for i in chosen]
    p, r = (mean([mean([w[name] for w in wanted[start : start + 6]]) for start in (0, 6, 12)]) for name in ("P", "R"))
    assert score.pixel["P"].mean == pytest.approx(p, abs=1e-9)
    assert score.pixel["R"].mean == pytest.approx(r, abs=1e-9)
    assert score.pixel["F1"].mean == pytest.approx(2 * p * r / (p + r + 1e-8), abs=1e-9)
    both = union = 0
    for i in chosen:
        called, mask = PICTURES[i].map > 0.5, PICTURES[i].mask != 0
        both, union = both + int((called & mask).sum()), union + int((called | mask).sum())
    assert score.pixel["IoU"].mean == pytest.approx(both / union, abs=1e-9)


def test_image_figures_by_hand(rows):
    """Scores of the golden set: above 0.5 are 12 of 18 tampered and one of 2 authentic."""
    tampered = [g.score for g in PICTURES if g.label]
    hits = sum(s > 0.5 for s in tampered)
    score = score_set(rows, PROTOCOLS["paper"], resamples=0)
    assert score.image_score == "classifier"
    assert score.image["image accuracy"].mean == pytest.approx((hits + 1) / 20)
    assert score.image["image balanced accuracy"].mean == pytest.approx((hits / 18 + 1 / 2) / 2)
    wins = sum((s > a) + 0.5 * (s == a) for s in tampered for a in (0.05, 0.66))
    assert score.image["image AUC"].mean == pytest.approx(wins / 36)
    by_maximum = score_set(rows, PROTOCOLS["mvss"], resamples=0)
    assert by_maximum.image_score == "maximum"


# What protocols.md names, in numbers that anybody can check.


def test_an_all_zero_map_gets_a_permuted_f1_of_two_elevenths_and_of_one():
    tenth = np.zeros((10, 10), bool)
    tenth[:, 0] = True
    full = np.ones((10, 10), bool)
    for mask, wanted in ((tenth, 2 * 0.1 / 1.1), (full, 1.0)):
        row = count_picture(np.zeros((10, 10), np.float32), Truth.of(mask))
        value = picture_values([row], PROTOCOLS["benco-permute"], "f1")[0]
        assert value == pytest.approx(wanted, abs=1e-6)


def test_exactly_half_is_where_bencos_permuted_f1_and_iou_disagree(rows):
    row = next(r for r in rows if r.key == "exactly half")
    f1 = picture_values([row], PROTOCOLS["benco-permute"], "f1")[0]
    iou = picture_values([row], PROTOCOLS["benco-permute"], "iou")[0]
    assert f1 > 0.4  # the reversed F1 sees all positive
    assert iou == 0  # the reversed IoU sees none


def test_a_constant_map_has_an_auc_of_a_half(rows):
    row = next(r for r in rows if r.key == "exactly half")
    for name, formula in (("clean", "auc"), ("benco", "auc of benco"), ("benco-permute", "auc of benco")):
        assert picture_values([row], PROTOCOLS[name], formula)[0] == 0.5
