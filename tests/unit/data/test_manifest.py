from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omni_iml.data.manifest import from_csv, listed, select, to_csv
from omni_iml.data.sources import find


def test_a_manifest_brings_back_the_same_sources(source_root: Path) -> None:
    sources = find(source_root)
    lines = from_csv(to_csv(listed(sources)))
    assert lines == listed(sources)
    assert select(reversed(sources), lines) == sources  # type: ignore[arg-type]


def test_other_sources_are_left_out(source_root: Path) -> None:
    sources = find(source_root)
    assert select(sources, listed(sources)[3:9]) == sources[3:9]


def test_what_is_missing_or_changed_is_named(make_root: Callable[[Path], Path], tmp_path: Path) -> None:
    root = make_root(tmp_path)
    lines = listed(find(root))
    changed, gone = root / "source" / lines[4].path, root / "source" / lines[7].path
    changed.write_bytes(changed.read_bytes() + b"\0")
    with pytest.raises(ValueError, match=f"{changed.name}: has other bytes than the manifest says"):
        select(find(root), lines)
    gone.unlink()
    with pytest.raises(FileNotFoundError, match=rf"{lines[7].path}: is in the manifest and not there \(1 such files\)"):
        select(find(root), lines)
