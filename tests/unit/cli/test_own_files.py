"""Which files count as written by our commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_iml.cli import own_files
from omni_iml.cli.own_files import DETECTION, EXPLANATION, REFINEMENT, Kind, first_foreign, is_own_json, is_own_map


@pytest.mark.parametrize(
    ("kind", "text", "own"),
    [
        (DETECTION, '{"schema": "omni-iml/detection/1"}', True),
        (DETECTION, '{"score": 1, "schema": "omni-iml/detection/2"}', True),
        (DETECTION, '{"schema": "omni-iml/evaluation/1"}', False),
        (EXPLANATION, '{"schema": "omni-iml/explanation/1"}', True),
        (REFINEMENT, '{"schema": "omni-iml/refinement/1"}', True),
        (DETECTION, '{"title": "x.jpg"}', False),
        (DETECTION, '{"schema": 1}', False),
        (DETECTION, '["schema"]', False),
        (DETECTION, "", False),
        (DETECTION, "no JSON", False),
        (DETECTION, "[" * 100_000, False),
    ],
)
def test_the_schema_says_whose_a_json_file_is(tmp_path: Path, kind: Kind, text: str, own: bool) -> None:
    path = tmp_path / f"x.jpg{kind.json}"
    assert not is_own_json(path, kind)
    path.write_text(text, encoding="utf-8")
    assert is_own_json(path, kind) is own


def test_other_bytes_and_long_files_are_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.jpg.json"
    path.write_bytes(b"\xff\xfe\x00\xd8")
    assert not is_own_json(path, DETECTION)
    path.write_text('{"schema": "omni-iml/detection/1"}')
    monkeypatch.setattr(own_files, "_LONGEST", 10)
    assert not is_own_json(path, DETECTION)


def test_a_map_is_ours_beside_the_json_of_the_command_that_writes_it(tmp_path: Path) -> None:
    for ending in (*DETECTION.maps, *EXPLANATION.maps):
        (tmp_path / f"x.jpg{ending}").write_bytes(b"x")
    maps = {path for path in tmp_path.iterdir() if is_own_map(path)}
    assert maps == set()
    (tmp_path / "x.jpg.json").write_text('{"schema": "somebody"}')
    assert not is_own_map(tmp_path / "x.jpg.mask.png")
    (tmp_path / "x.jpg.refinement.json").write_text('{"schema": "omni-iml/refinement/1"}')
    assert [path.name for path in tmp_path.iterdir() if is_own_map(path)] == ["x.jpg.mask.png"]
    (tmp_path / "x.jpg.json").write_text('{"schema": "omni-iml/detection/1"}')
    assert sum(is_own_map(path) for path in tmp_path.iterdir()) == 3
    assert not is_own_map(tmp_path / "x.jpg.explanation.png")


def test_the_first_file_of_somebody_else(tmp_path: Path) -> None:
    stem = tmp_path / "x.jpg"
    assert first_foreign(stem, DETECTION) is None
    (tmp_path / "x.jpg.heatmap.png").write_bytes(b"x")
    assert first_foreign(stem, DETECTION) == tmp_path / "x.jpg.heatmap.png"
    assert first_foreign(stem, EXPLANATION) is None
    (tmp_path / "x.jpg.json").write_text('{"schema": "omni-iml/detection/1"}')
    assert first_foreign(stem, DETECTION) is None
    (tmp_path / "x.jpg.mask.png").mkdir()  # nothing that a command of ours makes
    assert first_foreign(stem, DETECTION) == tmp_path / "x.jpg.mask.png"
    (tmp_path / "x.jpg.json").write_text("{}")
    assert first_foreign(stem, DETECTION) == tmp_path / "x.jpg.json"
