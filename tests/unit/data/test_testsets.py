from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.data import testsets
from omni_iml.data.manifest import committed, listed
from omni_iml.data.sources import DOMAINS, find
from omni_iml.data.synthesis.fonts import font_files
from omni_iml.data.testsets import ListedFont, committed_digest, gathered_fonts, listed_fonts

run = CliRunner()


def fonts_of_this_computer() -> list[ListedFont]:
    paths = [Path(path) for path in font_files() if Path(path).name.startswith("DejaVuSans")][:2]
    assert paths
    return [ListedFont(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), "fonts-dejavu") for path in paths]


@pytest.fixture
def root(make_root: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sources with a manifest of their own, for test sets of twelve pictures in fonts that are surely there."""
    root, fonts = make_root(tmp_path / "data"), fonts_of_this_computer()
    lines = listed(find(root))
    monkeypatch.setattr(testsets, "committed", lambda: lines)
    monkeypatch.setattr(testsets, "listed_fonts", lambda: fonts)
    monkeypatch.setattr(testsets, "COUNT", 12)
    return root


def digest_of(message: str) -> str:
    found = re.search(r"sha256 ([0-9a-f]{64})", message)
    assert found, message
    return found[1]


@pytest.mark.slow
@pytest.mark.parametrize("domain", DOMAINS)
def test_a_test_set_comes_out_the_same_again(
    domain: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["data", "testset", str(root), "--domain", domain]
    first = run.invoke(app, [*command, str(tmp_path / "one"), "--workers", "1"])
    assert first.exit_code == 1, first.output  # these are not the sources that the committed digest stands for
    assert f"wanted {committed_digest(domain)}" in first.output  # type: ignore[arg-type]
    monkeypatch.setattr(testsets, "committed_digest", lambda _: digest_of(first.output))
    again = run.invoke(app, [*command, str(tmp_path / "two"), "--workers", "2"])
    assert again.exit_code == 0, again.output
    assert digest_of(again.output) == digest_of(first.output)
    names = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(names) == 3 * 12 + 1
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_sources_of_other_splits_may_be_missing_but_none_of_the_test_split(root: Path, tmp_path: Path) -> None:
    sources = find(root)
    for source in sources:
        if source.split == "train":
            source.path.unlink()
    lines = [line for line in testsets.committed() if line.split == "test"]
    testsets.order_testset(root, tmp_path / "tiles", "natural", lines)
    changed = next(source.path for source in sources if source.split == "test")
    changed.write_bytes(changed.read_bytes() + b"\0")
    result = run.invoke(app, ["data", "testset", str(root), str(tmp_path / "out"), "--domain", "natural"])
    assert result.exit_code == 2
    assert "has other bytes than the manifest says" in result.output
    changed.unlink()
    result = run.invoke(app, ["data", "testset", str(root), str(tmp_path / "out"), "--domain", "natural"])
    assert result.exit_code == 2
    assert "is in the manifest and not there (1 such files)" in " ".join(result.output.split())


def test_a_missing_font_is_named_with_its_package(tmp_path: Path) -> None:
    fonts = [*fonts_of_this_computer(), ListedFont("Nowhere.ttf", "0" * 64, "fonts-nowhere")]
    message = r"Nowhere.ttf: .*\(1 such fonts\); install Debian's fonts-nowhere"
    with pytest.raises(FileNotFoundError, match=message), gathered_fonts(tmp_path, fonts):
        pass


def test_the_committed_lists_are_whole() -> None:
    assert {line.split for line in committed()} == {"train", "validation", "test"}
    assert all(re.fullmatch("[0-9a-f]{64}", line.sha256) for line in (*committed(), *listed_fonts()))
    assert len({committed_digest(domain) for domain in DOMAINS}) == len(DOMAINS)
