"""What a training step costs, counted without running it: the counts are those of the arithmetic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from script_modules import load_script

torch = pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "benchmarks" / "training_cost.py"
if not SCRIPT.is_file():
    pytest.skip("the script is not part of this source distribution", allow_module_level=True)


@pytest.fixture(scope="module")
def cost() -> ModuleType:
    return load_script(SCRIPT)


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_a_convolution_costs_three_times_its_forward_pass(cost: ModuleType, groups: int) -> None:
    with torch.device("meta"):
        layer = torch.nn.Conv2d(8, 8, 3, padding=1, groups=groups, bias=False)
        x = torch.empty(2, 8, 10, 12, requires_grad=True)
        with cost.counter() as counter:
            layer(x).sum().backward()
    once = 2 * 2 * 10 * 12 * 8 * (8 // groups) * 9
    assert counter.get_total_flops() == 3 * once


def small(small_config: Any, **model: Any) -> Any:
    from omni_iml.training.recipe import Recipe

    recipe = Recipe("small", model=replace(small_config, **model))
    return replace(recipe, synthesis=replace(recipe.synthesis, size=128))


@pytest.mark.slow  # counts the network three times
def test_a_step_of_a_small_network(cost: ModuleType, small_config: Any) -> None:
    from omni_iml.models import OmniIML

    recipe = small(small_config)
    found = cost.count(recipe)
    assert found.parameters == sum(p.numel() for p in OmniIML(recipe.model).parameters())
    assert found.state == 16 * found.parameters
    assert 2.5 < found.step / found.forward < 60  # the detector's box head is large beside so small a network
    without = cost.count(replace(recipe, loss=replace(recipe.loss, detection=0)))
    assert 2.5 < without.step / without.forward < 3.2
    assert without.parameters < found.parameters
    assert without.kept < found.kept
    twice = cost.count(replace(recipe, synthesis=replace(recipe.synthesis, size=256)))
    assert twice.forward == pytest.approx(4 * found.forward, rel=0.1)


def test_hours(cost: ModuleType) -> None:
    one = cost.Cost(("a",), 1, 2, step=3 * 10**12, state=16, kept=1, batch=16, steps=400_000)
    # 19.2e18 operations at 40e12 a second are 480,000 seconds.
    assert one.hours(100e12, 0.4) == pytest.approx(480_000 / 3600)


@pytest.mark.slow
def test_the_same_network_is_counted_once(cost: ModuleType) -> None:
    folder = ROOT / "recipes" / "ablations"
    found = cost.all_costs([folder / "t5_without_mg_vision.yaml", folder / "t9_none.yaml"])
    assert [one.recipes for one in found] == [("t5_without_mg_vision", "t9_none")]
    text = cost.tables(found)
    assert "**estimated** hours" in text
    assert text.count("| t5_without_mg_vision") == 2


@pytest.mark.slow
def test_real_steps_are_measured(cost: ModuleType, small_config: Any) -> None:
    said = cost.measure(small(small_config), torch.device("cpu"), batch=2, repetitions=1)
    assert "samples/s" in said
    assert "TFLOP/s" in said
    assert "for 400,000 steps of 16" in said
