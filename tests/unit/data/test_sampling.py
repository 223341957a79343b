"""Ratios become chances, in both readings; indices become pictures."""

from __future__ import annotations

import numpy as np
import pytest

from omni_iml.data.sampling import SetSize, chances, generator, held_out

# F.1: the papers' sets, their counts and ratios.
PAPER = [
    SetSize("natural", 2, 600_000),
    SetSize("natural", 2, 5_123),
    SetSize("natural", 2, 123_150),
    SetSize("natural", 1, 118_287),
    SetSize("document", 1, 1_604),
    SetSize("document", 2, 120_000),
    SetSize("face", 1, 44_122),
    SetSize("scene_text", 1, 229),
]
DOMAINS = {"natural": 10, "document": 5, "face": 2, "scene_text": 20}


def by_domain(values):
    return {name: sum(v for v, one in zip(values, PAPER, strict=True) if one.domain == name) for name in DOMAINS}


def test_repeated_pictures_of_the_paper():
    domains = by_domain(chances(PAPER, DOMAINS))
    repeated = {"natural": 8_465_600, "document": 608_020, "face": 88_244, "scene_text": 4_580}
    assert domains == pytest.approx({name: count / sum(repeated.values()) for name, count in repeated.items()})
    assert domains["scene_text"] == pytest.approx(0.0005, abs=1e-5)


def test_shares_of_the_paper():
    domains = by_domain(chances(PAPER, DOMAINS, "share"))
    assert domains == pytest.approx({name: ratio / 37 for name, ratio in DOMAINS.items()})
    assert domains["scene_text"] == pytest.approx(0.54, abs=0.001)


def test_inside_a_domain():
    shares = chances(PAPER, DOMAINS)[:4]
    np.testing.assert_allclose(shares / shares.sum(), np.array([2, 2, 2, 1]) / 7)
    repeats = chances(PAPER, DOMAINS, sets_as="repeat")[4:6]
    np.testing.assert_allclose(repeats / repeats.sum(), np.array([1_604, 240_000]) / 241_604)


@pytest.mark.parametrize(
    ("sets", "domains", "message"),
    [
        ([], DOMAINS, "no data set has a chance"),
        ([SetSize("face", 1, 5)], {"natural": 1}, "face has data sets and no ratio"),
        ([SetSize("face", 1, 0)], {"face": 1}, "has no picture"),
        ([SetSize("face", 0, 5)], {"face": 1}, "all ratios of face are 0"),
        ([SetSize("face", 1, 5)], {"face": 0}, "no data set has a chance"),
    ],
)
def test_what_cannot_be_drawn(sets, domains, message):
    with pytest.raises(ValueError, match=message):
        chances(sets, domains)


def test_a_domain_may_be_left_out():
    assert chances([SetSize("face", 1, 5), SetSize("natural", 1, 5)], {"face": 0, "natural": 3}).tolist() == [0, 1]


def test_the_generator_depends_on_all_three():
    values = {generator(seed, index, attempt).random() for seed in (1, 2) for index in (0, 7) for attempt in (0, 1)}
    assert len(values) == 8
    assert generator(3, 4, 5).random() == generator(3, 4, 5).random()


def test_what_is_held_out():
    keys = [f"picture-{number}" for number in range(1000)]
    out = held_out(keys, 0.05)
    assert out.sum() == 50
    shuffled = np.random.default_rng(0).permutation(1000)
    np.testing.assert_array_equal(held_out([keys[number] for number in shuffled], 0.05), out[shuffled])
    assert held_out(keys[:3], 0.002).sum() == 1
    assert held_out(keys[:1], 0.5).sum() == 0
    assert held_out(keys, 0.0).sum() == 0
