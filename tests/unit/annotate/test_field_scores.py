from __future__ import annotations

import math

import pytest
from rows import instance

from omni_iml.annotate import Instance
from omni_iml.annotate.field_scores import FIELDS, field_scores, title_accuracy


def of(**changes):
    return Instance.model_validate(instance(**{key.replace("_", " "): value for key, value in changes.items()}))


def test_titles_that_both_have():
    assert title_accuracy({"Edge artifacts": "", "Font": ""}, {"edge Artifacts.": "", "Texture": ""}) == 1 / 3
    assert title_accuracy({}, {}) == 1
    assert title_accuracy({"A": ""}, {}) == 0


def test_a_text_instance_by_hand():
    truth = of(
        Tampered_Region="128.50",
        Absolute_Position="Top left",
        Relative_Position="TOTAL 128.50",
        Artifacts={"Font": "the digits are too bold", "Edge": "halo"},
    )
    given = of(
        Tampered_Region="123.50",
        Absolute_Position="Top center",
        Relative_Position="total  128.5",
        Artifacts={"font": "the digits are too thin", "Colour": "pale"},
    )
    found = field_scores(truth, given, "document")
    assert found.content == pytest.approx(1 - 1 / 6)  # one of six characters is another
    assert found.absolute_position == 0
    assert found.relative_position == pytest.approx(1 - 1 / 12)  # one of twelve is missing
    assert found.titles == pytest.approx(1 / 3)  # font of font, edge, colour
    # Font: four of five words in order, BLEU (4/5 * 3/4 * 2/3 * 1/2)^(1/4); edge was not given.
    assert found.descriptions == pytest.approx((0.8 + 0.2**0.25) / 2 / 2)


def test_an_object_is_scored_by_its_words():
    truth, given = of(Tampered_Region="the dog on the left"), of(Tampered_Region="the dog on the right")
    assert field_scores(truth, given, "natural").content == pytest.approx((0.8 + 0.2**0.25) / 2)
    assert field_scores(truth, given, "document").content > 0.75


def test_what_was_missed_is_zero_and_what_the_truth_leaves_out_does_not_count():
    bare = of(Relative_Position="", Artifacts={})
    missed = field_scores(bare, None, "face")
    assert (missed.content, missed.absolute_position, missed.titles) == (0, 0, 0)
    assert math.isnan(missed.relative_position)
    assert math.isnan(missed.descriptions)
    found = field_scores(bare, of(), "face")
    assert (found.content, found.titles) == (pytest.approx(1), 0)  # an invented artifact is a wrong title
    assert math.isnan(found.relative_position)
    full = field_scores(of(), None, "face")
    assert [getattr(full, field) for field in FIELDS] == [0, 0, 0, 0, 0]
