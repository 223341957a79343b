"""The page about synthesis states the shares that the code draws by."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from omni_iml.data.synthesis import SynthesisConfig
from omni_iml.data.synthesis.engine import _OPERATIONS

PAGE = Path(__file__).parents[4] / "docs" / "synthesis.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_table_of_operations_is_the_codes(page: str) -> None:
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    domains = ("natural", "document", "face", "scene_text")
    written = {
        domain: {row[0]: int(row[place]) for row in rows if int(row[place])} for place, domain in enumerate(domains, 1)
    }
    assert written == {
        domain: {name: round(100 * share) for name, share in shares.items()} for domain, shares in _OPERATIONS.items()
    }


def test_the_other_figures_are_the_codes(page: str) -> None:
    text = " ".join(page.split())
    config = SynthesisConfig()
    shares = {name: round(100 * value) for name, value in config.domains.items()}
    stated = [
        f"(natural {shares['natural']}%, document {shares['document']}%, face {shares['face']}%, "
        f"scene text {shares['scene_text']}%)",
        f"{config.rescale:.0%} are rescaled",
        f"{config.first_jpeg:.0%} are compressed",
        f"libjpeg quality {config.first_quality[0]} to {config.first_quality[1]},",
        f"or none in {config.authentic:.0%}.",
        f"{config.soften:.0%} are blurred lightly, {config.pad:.0%} cut",
        f"{config.last_png:.0%} end without loss",
        f"{1 - config.last_png:.0%} as JPEG of quality {config.last_quality[0]} to {config.last_quality[1]}",
        f"{config.donor_jpeg:.0%} of the donors",
    ]
    assert [phrase for phrase in stated if phrase not in text] == []
    assert config.crop_shift == 0.2  # "a fifth of these"
    assert len(fields(config)) == 13
