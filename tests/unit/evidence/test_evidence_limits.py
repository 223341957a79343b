"""The rule that the thresholds follow, and that the table in the documentation shows it kept."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from omni_iml.evidence.measures import MEASURES, thresholds
from script_modules import load_script

pytest.importorskip("scipy", reason="thresholds are set with the laboratory's libraries")

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "benchmarks" / "evidence_limits.py"
PAGE = ROOT / "docs" / "evidence.md"
if not SCRIPT.is_file():
    pytest.skip("the benchmarks are not part of this distribution", allow_module_level=True)


@pytest.fixture(scope="module")
def rule() -> ModuleType:
    return load_script(SCRIPT)


def test_the_bound_is_clopper_and_pearsons_where_each_region_has_its_picture(rule: ModuleType) -> None:
    assert rule.upper_bound(np.zeros(59, bool), np.arange(59)) == pytest.approx(1 - 0.05 ** (1 / 59))
    # 10 of 100, one-sided 95%: 16.37% in tables of the binomial distribution.
    assert rule.upper_bound(np.arange(100) < 10, np.arange(100)) == pytest.approx(0.1637, abs=5e-4)


@pytest.mark.parametrize("above", [0, 10])
def test_regions_that_go_with_their_picture_count_once(rule: ModuleType, above: int) -> None:
    once = rule.upper_bound(np.arange(100) < above, np.arange(100))
    twice = rule.upper_bound(np.repeat(np.arange(100) < above, 2), np.repeat(np.arange(100), 2))
    assert twice == pytest.approx(once, rel=0.01)


def test_a_limit_holds_on_fresh_regions_nineteen_times_of_twenty(rule: ModuleType) -> None:
    rng = np.random.default_rng(3)
    pictures = np.repeat(np.arange(150), 2)
    broken = 0
    for _ in range(200):
        strengths = np.repeat(rng.normal(size=150), 2) + 0.5 * rng.normal(size=300) + 3
        found = rule.limit(strengths, pictures, ["natural"] * 300, 0.05, 0.05)
        # Of N(3, 1.25) one in twenty lies above this:
        broken += found < 3 + 1.6449 * np.sqrt(1.25)
    assert broken <= 0.05 * 200 + 2 * np.sqrt(0.05 * 0.95 * 200)


def test_a_domain_by_itself_raises_the_limit_where_it_has_pictures_enough(rule: ModuleType) -> None:
    usual, unusual = np.linspace(0, 2, 1000), np.linspace(0, 9, 40)
    strengths, pictures = np.concatenate([usual, unusual]), np.arange(1040)
    domains = ["natural"] * 1000 + ["document"] * 40
    assert rule.limit(strengths, pictures, domains, 0.05, 0.05) == pytest.approx(np.sort(unusual)[-3])
    few = np.append(pictures[:1000], np.repeat(1000 + np.arange(10), 4))
    assert rule.limit(strengths, few, domains, 0.05, 0.05) < 3
    assert rule.limit(np.array([]), np.array([], int), [], 0.05, 0.05) == 1


def test_what_was_held_out_does_not_speak_against_one_in_twenty() -> None:
    from scipy.stats import binom

    page = PAGE.read_text(encoding="utf-8")
    held_out = page[page.index("benchmarks/evidence_rates.py train --rows") : page.index("## Text")]
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (.*) \| (.*) \|$", held_out, re.MULTILINE)
    assert {name: float(limit) for name, limit, _, _ in rows} == {m.name: thresholds()[m.name] for m in MEASURES}
    for name, _, kinds, _ in rows:
        for rate, _, count in re.findall(r"([\d.]+)% \(([\d.]+)%\) of (\d+)", kinds):
            above = round(float(rate) / 100 * int(count))
            assert binom.sf(above - 1, int(count), 0.05) > 0.025, (name, rate, count)


def test_the_documentation_shows_the_thresholds_in_use_and_at_most_one_in_twenty() -> None:
    page = PAGE.read_text(encoding="utf-8")
    training = page[page.index("## How unusual") : page.index("benchmarks/evidence_rates.py train --rows")]
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (.*) \| (.*) \|$", training, re.MULTILINE)
    assert {name: float(limit) for name, limit, _, _ in rows} == {m.name: thresholds()[m.name] for m in MEASURES}
    for name, _, kinds, worst in rows:
        cells = re.findall(r"([\d.]+)% \(([\d.]+)%\) of (\d+)", kinds)
        assert len(cells) == 3, name
        assert all(float(rate) <= 5 for rate, _, _ in cells), name
        assert all(float(bound) <= 5 for _, bound, count in cells if int(count) > 100), name
        assert float(worst.split("%")[0]) <= 5, name
