"""Parts are measured once, alone or beside each other, and what is done survives a failure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from omni_iml.evaluation.parts import Part, measured


@dataclass(frozen=True)
class Result:
    name: str
    value: float


def results_of(name: str, notes: Path, broken: bool = False) -> list[Result]:
    """Two results; a line in the notes for each time it was asked."""
    with notes.open("a") as file:
        file.write(f"{name}\n")
    if broken:
        raise ValueError(f"{name} is broken")
    return [Result(name, 0.5), Result(name, math.nan)]


@pytest.fixture
def notes(tmp_path):
    return tmp_path / "notes"


def part(name: str, notes: Path, broken: bool = False) -> Part[Result]:
    return Part(name, Result, partial(results_of, name, notes, broken))


@pytest.mark.parametrize("processes", [1, 2])
def test_each_part_is_measured_once_and_read_in_order(tmp_path, notes, processes):
    parts = [part(name, notes) for name in ("c", "a", "b")]
    first = measured(parts, tmp_path / "kept", processes)
    again = measured(parts, tmp_path / "kept", processes)
    assert [[one.name for one in results] for results in first.values()] == [["c", "c"], ["a", "a"], ["b", "b"]]
    assert [results[0] for results in again.values()] == [results[0] for results in first.values()]
    assert math.isnan(again["c"][1].value)
    assert sorted(notes.read_text().split()) == ["a", "b", "c"]


def test_only_what_is_missing_is_measured(tmp_path, notes):
    measured([part("a", notes)], tmp_path)
    found = measured([part("a", notes), part("b", notes)], tmp_path)
    assert len(found) == 2
    assert notes.read_text().split() == ["a", "b"]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_part_that_fails_says_so_and_what_was_done_is_kept(tmp_path, notes, processes):
    measured([part("a", notes)], tmp_path)
    with pytest.raises(ValueError, match="b is broken"):
        measured([part("a", notes), part("b", notes, broken=True), part("c", notes)], tmp_path, processes)
    assert (tmp_path / "a.json").is_file()
    assert not (tmp_path / "b.json").exists()
    assert measured([part("a", notes), part("c", notes)], tmp_path)["c"][0] == Result("c", 0.5)
