"""Whole pictures of a held-out split, made from a few real files and judged by the tiny model."""

from __future__ import annotations

import pytest

from omni_iml.data.sources import DOMAINS, find
from omni_iml.evaluation.card_tables import reliability_table, whole_pictures_table
from omni_iml.evaluation.whole_pictures import judge
from omni_iml.inference.detector import Detector

SMALL = {128: 6, 256: 4}


@pytest.fixture(scope="module")
def judged(held_out_root, tmp_path_factory, tiny_model):
    cache = tmp_path_factory.mktemp("tiles")
    return list(judge(Detector(tiny_model), held_out_root, cache, "validation", seed=1, sizes=SMALL))


def test_every_domain_and_size_is_there_and_generated_portraits_are_not_authentic(held_out_root, judged):
    assert {p.domain for p in judged} == set(DOMAINS)
    sources = [p for p in judged if p.kind == "source"]
    assert sources
    assert not any(p.tampered for p in sources)
    portraits = sum(s.origin == "face/faker_ai_portraits_cc0" for s in find(held_out_root))
    assert portraits
    assert len(sources) == len(find(held_out_root)) - portraits
    assert {p.tampered for p in judged if p.kind == "synthetic"} == {True, False}
    assert max(p.pixels for p in judged) > 128 * 128
    assert all(p.instances > 0 for p in judged if p.tampered)


def test_parts_are_the_whole(held_out_root, judged, tmp_path, tiny_model):
    def part(**which):
        return list(judge(Detector(tiny_model), held_out_root, tmp_path, "validation", seed=1, sizes=SMALL, **which))

    made = [one for domain in DOMAINS for one in part(domains=[domain], untouched=False)]
    assert [*made, *part(domains=[])] == judged


def test_tables_have_a_row_for_every_domain_and_grade(judged):
    table = whole_pictures_table(judged)
    for name in (*DOMAINS, "fitness good", "untouched sources, face"):
        assert f"| {name} |" in table
    assert "Expected calibration error" in reliability_table(judged)
