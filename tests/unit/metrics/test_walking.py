from __future__ import annotations

from pathlib import Path

import pytest

from omni_iml.io import find
from omni_iml.metrics.walking import files_below
from omni_iml.types import OmniError


@pytest.fixture
def tree(tmp_path):
    """Files of these names, and links from a name to a folder or file."""

    def make(names, links=()):
        root = tmp_path / "root"
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        for name, target in links:
            try:
                (root / name).symlink_to(root / target, target_is_directory=(root / target).is_dir())
            except OSError:
                pytest.skip("links may not be made here")
        return root

    return make


def below(root):
    return [file.relative_to(root).as_posix() for file in files_below(root)]


def test_the_order_is_natural_and_hidden_names_are_skipped(tree):
    root = tree(["10.png", "9.png", "b/2.png", ".hidden/a.png", "._9.png"])
    assert below(root) == ["9.png", "10.png", "b/2.png"]


def test_links_in_circles_end(tree):
    root = tree(["a/1.png"], [("a/up", "."), ("a/again", "a")])
    assert below(root) == ["a/1.png"]


def test_of_two_names_of_a_folder_the_first_counts(tree):
    root = tree(["folder10/1.png"], [("folder9", "folder10")])
    assert below(root) == ["folder9/1.png"]


def test_linked_files_are_found_and_links_to_nothing_are_not(tree):
    root = tree(["a/1.png"], [("2.png", "a/1.png"), ("3.png", "nothing")])
    assert below(root) == ["2.png", "a/1.png"]


def test_it_walks_as_the_search_for_pictures_does(tree):
    names = ["folder10/1.png", "folder10/deep/2.png", "Zoo/3.png", "apple/4.png", ".h/5.png", "12.png", "2.png"]
    root = tree(names, [("folder9", "folder10"), ("apple/up", "."), ("folder10/deep/side", "Zoo")])
    assert below(root) == [found.relative.as_posix() for found in find.find_source(str(root))]


def test_a_folder_that_cannot_be_listed_is_named(tree, monkeypatch):
    root = tree(["1.png", "sub/2.png"])
    listed = Path.iterdir

    def forbid(path):
        if path.name == "sub":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", forbid)  # a test run by root may read everything
    with pytest.raises(OmniError, match=r"sub: the folder cannot be listed \(Permission denied\); check"):
        below(root)
