"""The parameters that docs/fidelity.md states are those of the network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from omni_iml.models import PRESETS, OmniIML, count_parameters

PAGE = Path(__file__).resolve().parents[3] / "docs" / "fidelity.md"
PUBLISHED = {"base": 152, "small": 113}  # millions, C-T17


def table() -> dict[str, dict[str, int]]:
    """Preset -> part -> parameters, from the page."""
    lines = iter(PAGE.read_text(encoding="utf-8").split("\nParameters:\n")[1].splitlines())
    presets: list[str] = []
    found: dict[str, dict[str, int]] = {}
    for line in lines:
        cells = [cell.strip(" *") for cell in line.strip().strip("|").split("|")]
        if not presets:
            presets = cells[1:]
            found = {preset: {} for preset in presets}
        elif "," in line and line.startswith("|"):
            for preset, cell in zip(presets, cells[1:], strict=True):
                found[preset][cells[0]] = int(cell.replace(",", ""))
        elif found and found[presets[0]] and not line.startswith("|"):
            break
    return found


@pytest.mark.parametrize("preset", PRESETS)
def test_parts_and_total(preset: str) -> None:
    with torch.device("meta"):
        network = OmniIML(PRESETS[preset]())
    parts = {part: sum(p.numel() for p in module.parameters()) for part, module in network.named_children()}
    parts["detection (training only)"] = parts.pop("detection")
    assert table()[preset] == {**parts, "at inference": count_parameters(network)}


@pytest.mark.parametrize("preset", PUBLISHED)
def test_the_deviations_it_states(preset: str) -> None:
    stated = re.search(r"met to \+([\d.]+)% and -([\d.]+)%", PAGE.read_text(encoding="utf-8"))
    assert stated is not None
    share = 100 * (table()[preset]["at inference"] / (PUBLISHED[preset] * 1e6) - 1)
    assert round(share, 1) == {"base": float(stated[1]), "small": -float(stated[2])}[preset]
    assert abs(share) < 3
