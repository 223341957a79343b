from __future__ import annotations

from pathlib import Path

import pytest

from omni_iml.io.find import Found, find_sources
from omni_iml.types import UnreadableImage


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    names = (
        "pics/photo10.jpg",
        "pics/photo2.JPG",
        "pics/notes.txt",
        "pics/.hidden.png",
        "pics/.git/a.png",
        "pics/sub/deep/x.webp",
        "pics/sub/y.tiff",
        "other/y.tiff",
        "other/photo2.JPG",
        "we[i]rd.png",
        "odd.data",
        "empty/readme.md",
    )
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def relatives(found: list[Found]) -> list[str]:
    return [item.relative.as_posix() for item in found]


def paths(found: list[Found]) -> list[str]:
    return [item.path.as_posix() for item in found]


def test_folder_recursive_natural_without_hidden(tree: Path) -> None:
    found = find_sources(["pics"])
    assert relatives(found) == ["photo2.JPG", "photo10.jpg", "sub/deep/x.webp", "sub/y.tiff"]
    assert paths(found)[0] == "pics/photo2.JPG"
    assert relatives(find_sources([str(tree / "pics")])) == relatives(found)
    assert relatives(find_sources(["pics/sub/.."])) == relatives(found)


def test_file_with_any_suffix_and_glob_characters(tree: Path) -> None:
    assert relatives(find_sources(["odd.data", "we[i]rd.png"])) == ["odd.data", "we[i]rd.png"]
    assert relatives(find_sources(["pics/.hidden.png", "pics/sub/y.tiff"])) == [".hidden.png", "y.tiff"]


def test_globs(tree: Path) -> None:
    assert relatives(find_sources(["pics/*"])) == ["photo2.JPG", "photo10.jpg"]
    assert relatives(find_sources(["pics/**/*.webp"])) == ["x.webp"]
    assert relatives(find_sources([str(tree / "pics" / "photo?.*")])) == ["photo2.JPG"]
    assert sorted(paths(find_sources(["pics/**"]))) == sorted(paths(find_sources(["pics"])))


def test_same_file_once(tree: Path) -> None:
    assert len(find_sources(["pics", "pics/photo2.JPG", "./pics/../pics/photo10.jpg", "pics/*"])) == 4


def test_same_output_name_keeps_parent_folders(tree: Path) -> None:
    found = find_sources(["pics/sub/y.tiff", "other/y.tiff", "odd.data"])
    assert relatives(found) == ["sub/y.tiff", "other/y.tiff", "odd.data"]
    assert relatives(find_sources(["pics", "other"])) == [
        "pics/photo2.JPG",
        "photo10.jpg",
        "sub/deep/x.webp",
        "sub/y.tiff",
        "other/photo2.JPG",
        "y.tiff",
    ]


def test_as_many_parents_as_it_takes(tree: Path) -> None:
    for name in ("a/same/p.png", "b/same/p.png"):
        (tree / name).parent.mkdir(parents=True)
        (tree / name).write_bytes(b"x")
    assert relatives(find_sources(["a/same/p.png", "b/same/p.png"])) == ["a/same/p.png", "b/same/p.png"]


def test_names_that_differ_by_case_alone_are_told_apart(tree: Path) -> None:
    (tree / "other" / "Y.TIFF").write_bytes(b"y")
    if len(list((tree / "other").iterdir())) == 3:
        assert sorted(relatives(find_sources(["other"]))) == ["Y.TIFF", "photo2.JPG", "y.tiff"]
    (tree / "third").mkdir()
    (tree / "third" / "Y.tiff").write_bytes(b"z")
    assert relatives(find_sources(["other/y.tiff", "third/Y.tiff"])) == ["other/y.tiff", "third/Y.tiff"]


def test_symbolic_link_loops_end(tree: Path) -> None:
    try:
        (tree / "pics" / "sub" / "loop").symlink_to(tree / "pics", target_is_directory=True)
        (tree / "pics" / "dangling.jpg").symlink_to(tree / "nowhere")
    except OSError:
        pytest.skip("symbolic links are not permitted here")
    assert len(find_sources(["pics"])) == 4
    assert len(find_sources(["pics/**"])) == 4


@pytest.mark.parametrize("name", ["missing.jpg", "missing/", "pics/*.png", "empty", "", "a\0b", "x" * 5000])
def test_nothing_found_names_the_argument(tree: Path, name: str) -> None:
    with pytest.raises(UnreadableImage) as caught:
        find_sources(["pics", name])
    assert caught.value.source == (name or "<empty name>")


def test_no_arguments(tree: Path) -> None:
    assert find_sources([]) == []
