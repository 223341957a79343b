"""The multiply-adds that decision 7 states are those of the bundled network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from omni_iml.models import OmniConfig, OmniIML
from omni_iml.training.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "decisions" / "0007-context.md").read_text(encoding="utf-8")
PARTS = ("frequency_head", "backbone", "decoder", "gate", "anomaly_enhancement", "classifier")


@pytest.fixture(scope="module")
def counted() -> dict[str, float]:
    """Billions of multiply-adds of a 512x512 tile, by module."""
    config = load_recipe(ROOT / "recipes" / "bundled.yaml").model
    assert isinstance(config, OmniConfig)
    network = OmniIML(config).eval().requires_grad_(False)
    shapes = (1, 3, 512, 512), (1, 512, 512), (1, 8, 8)
    inputs = [torch.ones(shape, dtype=torch.uint8) for shape in shapes]
    with torch.no_grad(), FlopCounterMode(display=False, depth=3) as counter:
        network(*inputs)
    return {name: sum(flops.values()) / 2e9 for name, flops in counter.get_flop_counts().items()}


def test_where_the_multiply_adds_go(counted: dict[str, float]) -> None:
    line = " ".join(PAGE.partition("**Where the ")[2].partition("* **")[0].split())
    total, context = counted["Global"], counted["OmniIML.vision_head.context"]
    stated = dict(re.findall(r"(\w+) (\d\.\d\d)", line.partition(": ")[2]))
    expected = {part: counted[f"OmniIML.{part}"] for part in PARTS}
    expected |= {"context": context, "vision_head": counted["OmniIML.vision_head"] - context}
    assert stated == {part: f"{value:.2f}" for part, value in expected.items()}
    assert line.startswith(f"{total:.2f} GMAC")
    assert f"it was {total - context:.2f} before the context" in line
    assert f"({counted['OmniIML.frequency_head.embed']:.2f} of it" in line
    assert sum(expected.values()) == pytest.approx(total, abs=0.01)
