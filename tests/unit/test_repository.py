"""The repository as a whole: what must not be in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MIB = 2**20
LARGEST_FILE = 20 * MIB
LARGEST_TOTAL = 40 * MIB

# Put together from pieces, so that this file does not hold what it forbids.
FORBIDDEN_TEXT = {
    "a path of a development machine": re.compile(
        r"(?<![\w.])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "home/" + r"\w+", "Users/" + r"\w+"]) + ")/"
    ),
    "a path of a package cache": re.compile("/opt/" + "(?:py" + "pi|wheels)"),
    "a package registry's host": re.compile(
        "|".join(
            re.escape(name + "." + domain)
            for name, domain in (
                ("py" + "pi", "org"),
                ("pythonho" + "sted", "org"),
                ("download.pyto" + "rch", "org"),
                ("conda.ana" + "conda", "org"),
                ("registry.np" + "mjs", "org"),
                ("deb.deb" + "ian", "org"),
            )
        )
    ),
    "an index option": re.compile("--(?:extra-)?" + "index-" + "url"),
    "a file address": re.compile("file:" + "//" + "/"),
}
FORBIDDEN_NAMES = {"uv" + ".lock", "poetry" + ".lock", "Pipfile" + ".lock", ".DS_" + "Store", "Thumbs" + ".db"}


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """The files that git tracks and that are there (a file may be deleted but not yet committed)."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout (an unpacked source distribution): nothing to list")
    try:
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("git is not installed: nothing to list")
    files = [ROOT / name.decode() for name in listing.split(b"\0") if name]
    assert files, "git tracks no file here"
    return [file for file in files if file.is_file()]


def offences(text: str) -> list[str]:
    """What is forbidden in ``text``, each with its line."""
    return [
        f"line {number}: {what}: {line.strip()[:120]}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FORBIDDEN_TEXT.items()
        if pattern.search(line)
    ]


def test_no_forbidden_text_in_a_tracked_file(tracked: list[Path]) -> None:
    found = []
    for file in tracked:
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a model
        found += [f"{file.relative_to(ROOT)}: {offence}" for offence in offences(text)]
    assert found == []


def test_no_forbidden_name_among_the_tracked_files(tracked: list[Path]) -> None:
    assert [str(file.relative_to(ROOT)) for file in tracked if file.name in FORBIDDEN_NAMES] == []


def test_the_repository_stays_small(tracked: list[Path]) -> None:
    sizes = {str(file.relative_to(ROOT)): file.stat().st_size for file in tracked}
    assert {name: size for name, size in sizes.items() if size > LARGEST_FILE} == {}
    assert sum(sizes.values()) < LARGEST_TOTAL


def test_constraints_hold_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) > 50
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin)] == []


@pytest.mark.parametrize(
    "text",
    [
        "open('/" + "work/data/a.png')",
        "see /home/" + "jane/notes",
        "https://py" + "pi.org/simple",
        "pip --" + "index-url=x",
        "torch @ file:/" + "//wheels/torch.whl",
    ],
)
def test_the_check_sees_what_it_forbids(text: str) -> None:
    assert offences(text) != []


@pytest.mark.parametrize("text", ["the frame/work/flow", "a/home/", "https://www.python.org", "src/root/x"])
def test_the_check_leaves_ordinary_text_alone(text: str) -> None:
    assert offences(text) == []
