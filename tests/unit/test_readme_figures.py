"""What README.md says of the bundled model is what the model's card has measured."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
CARD = (ROOT / "src" / "omni_iml" / "weights" / "CARD.md").read_text(encoding="utf-8")


def column(name: str, first: str = "") -> dict[str, str]:
    """A column of the card's tables by the first cell of its rows.

    Args:
        name: of the column.
        first: what the heading of the first column begins with.
    """
    found: dict[str, str] = {}
    for table in CARD.split("\n\n"):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
        if rows and name in rows[0] and rows[0][0].startswith(first):
            found |= {row[0]: row[rows[0].index(name)] for row in rows[2:]}
    return found


def test_the_gate_is_said_to_pick_both_for_as_long_as_it_does() -> None:
    alone = column("vision alone")
    assert len(alone) >= 10
    assert ("has so far picked both for every picture" in README) == (set(alone.values()) == {"0%"})


def test_the_image_auc_of_the_real_sets_is_told() -> None:
    told = re.search(
        r"no better than chance on comofod \(image AUC (\.\d+); imd2020 (\.\d+), psbattles (\.\d+)\)", README
    )
    assert told is not None
    measured = column("image AUC", "devbench")
    figures = dict(zip(("comofod", "imd2020", "psbattles"), told.groups(), strict=True))
    assert {name: f"0{figure}" for name, figure in figures.items()} == {name: measured[name] for name in figures}
    assert float(measured["comofod"]) <= 0.55


def test_what_the_verdict_finds_and_the_false_alarms_are_told() -> None:
    told = re.search(
        r'called "tampered" (\d+%) of psbattles\' edits, (\d+%) of imd2020\'s and (\d+%) of comofod\'s, '
        r"and of the authentic pictures (\d+%), (\d+%) and (\d+%)",
        README,
    )
    assert told is not None
    found, alarms = (column(f"{label} called tampered", "devbench") for label in ("tampered", "authentic"))
    sets = ("psbattles", "imd2020", "comofod")
    assert list(told.groups()) == [*(found[name] for name in sets), *(alarms[name] for name in sets)]
