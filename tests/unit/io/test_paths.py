from __future__ import annotations

import ntpath
from pathlib import Path

import pytest

from omni_iml.io.paths import as_stored, openable, same_spelling, unlimited


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("C:\\short.jpg", "C:\\short.jpg"),
        ("C:\\" + "d\\" * 130 + "a.jpg", "\\\\?\\C:\\" + "d\\" * 130 + "a.jpg"),
        ("C:/" + "d/" * 130 + "a.jpg", "\\\\?\\C:\\" + "d\\" * 130 + "a.jpg"),
        ("C:\\" + "d\\..\\" * 130 + "a.jpg", "C:\\" + "d\\..\\" * 130 + "a.jpg"),
        ("\\\\server\\share\\" + "d" * 250, "\\\\?\\UNC\\server\\share\\" + "d" * 250),
        ("\\\\?\\C:\\" + "d" * 250, "\\\\?\\C:\\" + "d" * 250),
    ],
)
def test_long_windows_paths(name: str, expected: str) -> None:
    assert unlimited(name) == expected
    assert unlimited(expected) == expected


def test_relative_windows_paths_count_from_the_current_folder() -> None:
    name = "d" * 239
    assert unlimited(name) == "\\\\?\\" + ntpath.abspath(name)


def test_other_systems_open_the_path_itself(tmp_path: Path) -> None:
    assert openable(tmp_path / "a.jpg") == tmp_path / "a.jpg"


def test_spellings() -> None:
    assert same_spelling("É.jpg") == same_spelling("e\u0301.JPG") != same_spelling("e.jpg")


def test_a_path_that_is_nowhere(tmp_path: Path) -> None:
    assert as_stored(tmp_path / "é" / "a.jpg") is None
    assert as_stored(Path("nowhere at all")) is None
    (tmp_path / "file").write_bytes(b"")
    assert as_stored(tmp_path / "file" / "a.jpg") is None
