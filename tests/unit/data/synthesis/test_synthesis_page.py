"""The page about synthesis states the shares that the code draws by."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from omni_iml.data.synthesis import SynthesisConfig
from omni_iml.data.synthesis.history.tables import cameras
from omni_iml.data.synthesis.operations import catalogue

PAGE = Path(__file__).parents[4] / "docs" / "synthesis.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("domain", ["natural", "document", "face", "scene_text"])
def test_the_tables_of_operations_are_the_codes(domain: str, page: str) -> None:
    section = page.split(f"### {domain}\n")[1].split("\n### ")[0].split("\n## ")[0]
    rows = re.findall(r"^\| \[(\w+)\]\((images/synthesis/[\w-]+\.jpg)\) \| (\d+) \|", section, re.MULTILINE)
    entries = catalogue(SynthesisConfig().area)[domain]  # type: ignore[index]
    assert {name: int(share) for name, _, share in rows} == {n: round(100 * e.share) for n, e in entries.items()}
    for name, sheet, _ in rows:
        assert sheet == f"images/synthesis/{domain}-{name}.jpg"
        assert (PAGE.parent / sheet).is_file()


def test_the_channels_are_the_codes(page: str) -> None:
    rows = re.findall(r"^ +\| (\w+) \| (\d+) \|", page, re.MULTILINE)
    assert {name: int(share) for name, share in rows} == {
        name: round(100 * share) for name, share in SynthesisConfig().channels.items()
    }


def test_the_other_figures_are_the_codes(page: str) -> None:
    text = " ".join(page.split())
    config = SynthesisConfig()
    shares = {name: round(100 * value) for name, value in config.domains.items()}
    stated = [
        f"(natural {shares['natural']}%, document {shares['document']}%, face {shares['face']}%, "
        f"scene text {shares['scene_text']}%)",
        f"{config.rendered:.0%} of the documents are rendered",
        f"{config.rescale:.0%} are rescaled",
        f"{config.first_jpeg:.0%} are compressed before the edit (libjpeg quality {config.first_quality[0]} to "
        f"{config.first_quality[1]}; {config.camera:.0%} with the table of one of {len(cameras())} cameras), "
        f"{config.twice:.0%} of these twice; a crop shifts the grid with probability {config.crop_shift:.0%}",
        f"or none in {config.authentic:.0%}.",
        f"{config.soften:.0%} are blurred lightly",
        f"written without loss in {config.last_png:.0%}, else as JPEG of quality {config.last_quality[0]} to "
        f"{config.last_quality[1]}",
        f"{config.pad:.0%} are cut to a smaller picture",
    ]
    assert [phrase for phrase in stated if phrase not in text] == []
