"""The parameters that docs/fidelity.md states are those of the network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from omni_iml.models import PRESETS, VARIANTS, OmniConfig, OmniIML, count_parameters, preset
from omni_iml.training.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
PUBLISHED = {"base": 152, "small": 113}  # millions, C-T17


def table(before: str) -> dict[str, dict[str, int]]:
    """The first table after a line of the page: column -> row -> parameters."""
    lines = iter(PAGE.split(before, 1)[1].split("\n|", 1)[1].split("\n\n", 1)[0].splitlines())
    columns = [cell.strip() for cell in next(lines).strip("|").split("|")][1:]
    next(lines)  # the dashes
    found: dict[str, dict[str, int]] = {column: {} for column in columns}
    for line in lines:
        name, *cells = (cell.strip(" *") for cell in line.strip("|").split("|"))
        for column, cell in zip(columns, cells, strict=True):
            found[column][name] = int(cell.replace(",", ""))
    return found


SIZES = table("\nParameters:\n")
OF_VARIANTS = table("\nThe variants at Base size")


def count(config: OmniConfig) -> dict[str, int]:
    with torch.device("meta"):
        network = OmniIML(config)
    parts = {part: sum(p.numel() for p in module.parameters()) for part, module in network.named_children()}
    return {**parts, "at inference": count_parameters(network)}


def by_rows(config: OmniConfig) -> dict[str, int]:
    counted = count(config)
    counted["detection (training only)"] = counted.pop("detection")
    return counted


@pytest.mark.parametrize("size", PRESETS)
def test_parts_and_total(size: str) -> None:
    assert SIZES[size] == by_rows(preset(size))


def test_the_model_that_ships() -> None:
    config = load_recipe(ROOT / "recipes" / "bundled.yaml").model
    assert isinstance(config, OmniConfig)
    assert SIZES["bundled, with context"] == by_rows(config)


def test_every_variant_is_there() -> None:
    assert list(OF_VARIANTS["gate"]) == list(VARIANTS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_variants(variant: str) -> None:
    counted = count(preset("base", variant))
    assert {column: rows[variant] for column, rows in OF_VARIANTS.items()} == {
        column: counted.get(column, 0) for column in OF_VARIANTS
    }
    assert {part: counted[part] for part in ("vision_head", "backbone", "classifier")} == {
        part: SIZES["base"][part] for part in ("vision_head", "backbone", "classifier")
    }


@pytest.mark.parametrize("size", PUBLISHED)
def test_the_deviations_it_states(size: str) -> None:
    stated = re.search(r"met to \+([\d.]+)% and -([\d.]+)%", PAGE)
    assert stated is not None
    share = 100 * (SIZES[size]["at inference"] / (PUBLISHED[size] * 1e6) - 1)
    assert round(share, 1) == {"base": float(stated[1]), "small": -float(stated[2])}[size]
    assert abs(share) < 3
