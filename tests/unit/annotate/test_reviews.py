import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import annotation, instance
from sklearn.metrics import cohen_kappa_score

from omni_iml.annotate.agreement import agreement, kappa, quality, review_report
from omni_iml.annotate.comparison import PUBLISHED, compare, comparison_report
from omni_iml.annotate.exporting import export
from omni_iml.annotate.openai_chat import OpenAIChat
from omni_iml.annotate.reviewing import (
    artifacts_from_text,
    artifacts_to_text,
    items,
    keep_review,
    review_by,
    truth_of,
)
from omni_iml.annotate.running import Run


@pytest.fixture
def reviewed(server, make_job, make_work):
    jobs = [make_job(f"{n}.png", boxes=((10, 10, 30, 30), (90, 50, 115, 80))) for n in range(3)]
    work = make_work(*jobs, make_job("f.png", domain="face"))
    Run(work, OpenAIChat("m", base_url=server.url)).go()
    return work.queue


def test_a_correction_stands_beside_the_models_text(reviewed):
    first, second, *_ = items(reviewed)
    better = first.text.model_copy(update={"relative_position": "Under the table"})
    keep_review(reviewed, first, "kim", accepted=True, quality=3, text=better)
    keep_review(reviewed, second, "kim", accepted=True, quality=5, text=second.text)
    keep_review(reviewed, second, "lee", accepted=False, quality=None, text=better)
    row = next(export(reviewed))
    assert row.instances[0] == first.text
    assert [(r.instance, r.reviewer, r.decision) for r in row.reviews] == [
        (0, "kim", "corrected"),
        (1, "kim", "accepted"),
        (1, "lee", "rejected"),
    ]
    assert row.reviews[0].correction == better
    assert review_by(reviewed, first, "kim") == row.reviews[0]
    assert review_by(reviewed, first, "lee") is None
    (only,) = next(export(reviewed, corrected=True)).instances
    assert only == better
    keep_review(reviewed, first, "kim", accepted=True, quality=5, text=first.text)  # a second thought
    assert review_by(reviewed, first, "kim").decision == "accepted"
    with pytest.raises(ValueError, match="less than or equal to 5"):
        keep_review(reviewed, first, "kim", accepted=True, quality=6, text=None)


def test_a_sample_is_drawn_by_domain_and_is_the_same_for_all(reviewed):
    drawn = items(reviewed, sample=2, seed=1)
    assert drawn == items(reviewed, sample=2, seed=1)
    assert len({item.name for item in drawn if item.domain == "natural"}) == 2
    assert [item.name for item in drawn if item.domain == "face"] == ["f.png"]
    assert len(items(reviewed)) == 7


def test_artifacts_as_people_edit_them():
    artifacts = {"Edge artifacts": "Hard: as if cut.", "Texture": "Smooth."}
    assert artifacts_from_text(artifacts_to_text(artifacts)) == artifacts
    for text in ("no title", ": x", "A:", "A: x\nA: y"):
        with pytest.raises(ValueError, match=r"line|twice"):
            artifacts_from_text(text)


PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30)


@given(PAIRS, st.booleans())
def test_kappa_is_scikit_learns(pairs, quadratic):
    first, second = zip(*pairs, strict=True)
    ours = kappa(pairs, 6, quadratic=quadratic)
    if math.isnan(ours):
        assert set(first) == set(second)
        assert len(set(first)) == 1
    else:
        weights = "quadratic" if quadratic else None
        assert ours == pytest.approx(cohen_kappa_score(first, second, labels=range(6), weights=weights))


def review(number, reviewer, decision="accepted", score=None, **more):
    return {"instance": number, "reviewer": reviewer, "decision": decision, "quality": score, **more}


def test_quality_and_agreement_are_counted():
    two = [instance(), instance()]
    rows = [
        annotation(instances=two, reviews=[review(0, "a", score=5), review(0, "b", "rejected", 2)]),
        annotation(
            image="b", domain="face", source="x", instances=two, reviews=[review(1, "a"), review(1, "b", score=4)]
        ),
    ]
    found = quality(rows)
    assert (found["natural"].mean, found["natural"].scored) == (3.5, 2)
    assert (found["face"].reviews, found["face"].decisions["accepted"]) == (2, 2)
    (pair,) = agreement(rows)
    assert (pair.reviewers, pair.instances, pair.difference) == (("a", "b"), 2, 3.0)
    text = review_report(rows)
    assert "| natural | 2 | 1 | 0 | 1 | 2 | 3.50 |" in text
    assert "4.87 (chain), 2.94 (single)" in text
    assert "| a and b | 2 |" in text


def test_both_methods_are_scored_against_the_reviewed_text():
    better = instance(Artifacts={"Edge artifacts": "The outline is cut with a hard edge.", "Depth": "It floats."})
    chain = [
        annotation(
            instances=[instance(), instance(**{"Tampered Region": "A dog"}), instance(**{"Tampered Region": "A bus"})],
            reviews=[
                review(0, "a", "corrected", correction=better),
                review(1, "a"),
                review(2, "a", "rejected"),
            ],
        ),
        annotation(image="unreviewed.jpg"),
    ]
    single = [annotation(instances=[instance(Artifacts={"Depth": "It floats."})])]
    assert set(truth_of(chain)) == {("MIML", "a.jpg")}
    scores = {"single": compare(single, chain), "chain": compare(chain, chain)}
    assert scores["chain"]["natural"].instances == 2
    assert scores["chain"]["natural"].accuracy == pytest.approx((1 / 2 + 1) / 2)
    assert scores["chain"]["natural"].mrb == pytest.approx((1 / 2 + 1) / 2)
    assert scores["single"]["natural"].accuracy == pytest.approx((1 / 2 + 0) / 2)
    assert "| chain | natural | 2 | 0.750 | 0.966 | 0.750 | 0.921 |" in comparison_report(scores)


def test_the_published_comparison_is_c_t20():
    assert PUBLISHED["single"]["scene_text"] == (0.521, 0.797)
    assert PUBLISHED["chain"]["face"] == (0.989, 0.970)
