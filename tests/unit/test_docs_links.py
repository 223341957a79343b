"""Every internal link of the documentation leads somewhere, and every page is in the navigation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OTHERS = sorted([*ROOT.glob("*.md"), *(ROOT / "examples").glob("*.md"), *(ROOT / "src").rglob("*.md")])
PACKAGE = ROOT / "src" / "omni_iml"

_MARKDOWN = MarkdownIt("commonmark").enable("table")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tokens(page: Path) -> Iterator[Token]:
    for token in _MARKDOWN.parse(page.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def targets(page: Path) -> list[str]:
    """What the page links to and the pictures that it shows."""
    attributes = {"link_open": "href", "image": "src"}
    return [str(token.attrs[attributes[token.type]]) for token in tokens(page) if token.type in attributes]


def anchors(page: Path) -> set[str]:
    """Anchors of the headings that are the same on GitHub and on the site (mkdocs)."""
    blocks = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    headings = [
        "".join(child.content for child in inline.children or ())
        for opening, inline in pairwise(blocks)
        if opening.type == "heading_open"
    ]
    github = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    plain = [unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode() for heading in headings]
    return github & {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", p).strip().lower()) for p in plain}


def broken(page: Path, root: Path, inside: Path) -> list[str]:
    """Internal links of ``page`` that lead nowhere, or out of ``inside``."""
    found = []
    for target in targets(page):
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if not path.exists() or not path.is_relative_to(inside):
            found.append(f"{page.relative_to(root).as_posix()}: {target}")
        elif parts.fragment and (path.suffix != ".md" or unquote(parts.fragment) not in anchors(path)):
            found.append(f"{page.relative_to(root).as_posix()}: {target}: no such heading")
    return found


def navigated(node: object) -> Iterator[str]:
    """The pages in a part of mkdocs' ``nav``."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from navigated(item)
    elif isinstance(node, dict):
        for item in node.values():
            yield from navigated(item)


def test_there_are_pages() -> None:
    assert DOCS / "fidelity.md" in PAGES
    assert ROOT / "README.md" in OTHERS


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_of_the_site_lead_to_pages_of_the_site(page: Path) -> None:
    assert broken(page, ROOT, DOCS) == []


@pytest.mark.parametrize("page", OTHERS, ids=name)
def test_links_of_other_pages_lead_into_the_repository(page: Path) -> None:
    assert broken(page, ROOT, ROOT) == []


def test_the_navigation_has_every_page_once() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert sorted(navigated(nav)) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    """Paths in code type: ``recipes/x.yaml`` in the repository, ``io/jpeg.py`` in the package."""
    spans = [token.content for token in tokens(page) if token.type == "code_inline"]
    paths = [span for span in spans if re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+\.(?:py|yaml|toml)", span)]
    assert [path for path in paths if not ((ROOT / path).is_file() or (PACKAGE / path).is_file())] == []


def test_files_of_the_architecture_drawing_are_there() -> None:
    drawing = "\n".join(t.content for t in tokens(DOCS / "architecture.md") if t.type == "code_block")
    paths = re.findall(r"\b\w+/\w+\.py\b", drawing)
    assert len(paths) > 10
    assert [path for path in paths if not (PACKAGE / path).is_file()] == []


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("[a](b.md)", []),
        ("[a](b.md#a-heading)", []),
        ("[a](#here)\n\n# Here", []),
        ("[a](https://example.org/x)", []),
        ("`[a](nowhere.md)`", []),
        ("[a](nowhere.md)", ["page.md: nowhere.md"]),
        ("![a](nowhere.png)", ["page.md: nowhere.png"]),
        ("| a |\n|---|\n| [a](nowhere.md) |", ["page.md: nowhere.md"]),
        ("[a](b.md#nothing)", ["page.md: b.md#nothing: no such heading"]),
        ("[a](../outside.md)", ["page.md: ../outside.md"]),
    ],
)
def test_the_check_sees_what_is_broken(tmp_path: Path, text: str, bad: list[str]) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "outside.md").write_text("outside")
    (site / "b.md").write_text("# A heading\n")
    (site / "page.md").write_text(text)
    assert broken(site / "page.md", site, site) == bad
