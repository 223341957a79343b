from __future__ import annotations

from rows import instance

from omni_iml.annotate import Instance
from omni_iml.annotate.matching import content_score, matched


def named(name, **changes):
    return Instance.model_validate(instance(**{"Tampered Region": name, **changes}))


def test_the_most_alike_are_matched_one_to_one():
    cat, dog = named("An orange cat"), named("A black dog", **{"Absolute Position": "Center"})
    assert matched([cat, dog], [dog, cat], "natural") == [cat, dog]
    assert matched([cat, dog], [dog], "natural") == [None, dog]
    assert matched([cat], [], "natural") == [None]
    assert matched([], [cat], "natural") == []


def test_text_is_matched_by_its_characters():
    total, date = named("128.50"), named("2019-05-01")
    nearly, other = named("128.5O"), named("2019-06-01")
    assert matched([total, date], [other, nearly], "document") == [nearly, other]
    # As words, neither shares anything with the truth, and the order would decide.
    assert content_score("128.50", "128.5O", "document") > 0.8 > content_score("abc", "abd", "natural")


def test_the_place_decides_between_equal_names():
    left, right = (
        named("A face", **{"Absolute Position": "Left side"}),
        named("A face", **{"Absolute Position": "Right side"}),
    )
    assert matched([left, right], [right, left], "face") == [left, right]


def test_a_pair_without_anything_in_common_is_a_pair():
    wrong = named("A bus", **{"Absolute Position": "Center"})
    assert matched([named("Rain")], [wrong], "natural") == [wrong]
