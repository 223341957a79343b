"""How `omni-iml detect` finds its pictures and which mistakes it calls wrong usage."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.cli.detect import pictures
from omni_iml.io import find


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_each_source_is_walked_once(monkeypatch, tmp_path):
    touch(tmp_path / "a" / "x.jpg", tmp_path / "b" / "x.jpg")
    asked: list[str] = []
    expand = find._expand
    monkeypatch.setattr(find, "_expand", lambda argument: asked.append(argument) or expand(argument))
    sources = [str(tmp_path / name) for name in ("a", "absent", "b")]
    found, bad = pictures(sources)
    assert asked == sources
    assert [item.relative.as_posix() for item in found] == ["a/x.jpg", "b/x.jpg"]
    assert [error.source for error in bad] == [sources[1]]


def test_sources_that_cannot_be_told_apart_are_wrong_usage(tmp_path):
    lower, upper = tmp_path / "a" / "x.jpg", tmp_path / "A" / "x.jpg"
    touch(lower)
    if upper.exists():
        pytest.skip("this file system ignores case")
    touch(upper)
    result = CliRunner().invoke(app, ["detect", str(lower), str(upper)])
    assert result.exit_code == 2
    assert result.stderr == f"Error: {lower}: it would write the same output as {upper}; analyse them one at a time.\n"


def test_runtime_that_is_not_installed_is_wrong_usage(monkeypatch, tmp_path):
    touch(tmp_path / "x.jpg")
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "omni_iml.inference.torch_session", raising=False)
    result = CliRunner().invoke(app, ["detect", str(tmp_path / "x.jpg"), "--runtime", "torch"])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "pip install 'omni-iml[train]'" in line
