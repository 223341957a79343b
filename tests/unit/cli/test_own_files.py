"""Which files count as written by our commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_iml.cli import own_files
from omni_iml.cli.own_files import (
    DETECTION,
    EXPLANATION,
    REFINEMENT,
    Kind,
    earlier_results,
    first_foreign,
    is_own_json,
    is_own_map,
    remove,
)
from omni_iml.io.whole_file import UnwritableFile


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


def test_earlier_results_are_those_of_a_file_and_its_parts(tmp_path: Path) -> None:
    own = ("c.pdf", "c.pdf.p003", "c.pdf.p003.i01", "c.pdf!a.jpg", "c.pdf!b/c/d.png")
    for name in (*own, "c.pdf2", "c.pdf.page", "b.pdf", "c.pdf.p004"):
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"schema": "omni-iml/detection/1"}' if name != "c.pdf.p004" else "{}")
    assert earlier_results(tmp_path / "c.pdf", DETECTION) == sorted(tmp_path / name for name in own)
    assert earlier_results(tmp_path / "c.pdf.p003", DETECTION) == [tmp_path / name for name in own[1:3]]
    assert earlier_results(tmp_path / "c.pdf", EXPLANATION) == []
    assert earlier_results(tmp_path / "nowhere" / "c.pdf", DETECTION) == []


def test_files_are_removed_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"")
    remove([tmp_path / "a", tmp_path / "absent"])
    assert list(tmp_path.iterdir()) == []

    def forbid(path: Path, **_options: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", forbid)
    with pytest.raises(UnwritableFile, match=r"a: it cannot be written \(Permission denied\)"):
        remove([tmp_path / "a"])
