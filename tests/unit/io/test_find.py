from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from omni_iml.io import load
from omni_iml.io.find import Found, find_sources
from omni_iml.io.sniff import SUFFIXES
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
    for argument in ("pics", "pics/**"):
        found = find_sources([argument])
        assert len(found) == 5
        # It is not passed over in silence.
        (dangling,) = [item.path for item in found if item.path.name == "dangling.jpg"]
        with pytest.raises(UnreadableImage, match="no such file"):
            load(dangling)


def test_a_link_with_a_name_of_its_own_is_a_picture_of_its_own(tree: Path) -> None:
    try:
        (tree / "other" / "photo3.jpg").symlink_to("photo2.JPG")
        (tree / "other" / "Photo2.jpg").symlink_to("photo2.JPG")
        (tree / "linked").symlink_to(tree / "other", target_is_directory=True)
    except OSError:
        pytest.skip("symbolic links are not permitted here, or this file system ignores case")
    assert relatives(find_sources(["other"])) == ["Photo2.jpg", "photo2.JPG", "photo3.jpg", "y.tiff"]
    assert relatives(find_sources(["other/photo2.JPG", "other/photo3.jpg"])) == ["photo2.JPG", "photo3.jpg"]
    # The same names once more, through a link to their folder.
    assert len(find_sources(["other", "linked", "linked/photo3.jpg", "linked/*"])) == 4


@pytest.mark.parametrize("name", ["missing.jpg", "missing/", "pics/*.png", "empty", "", "a\0b", "x" * 5000])
def test_nothing_found_names_the_argument(tree: Path, name: str) -> None:
    with pytest.raises(UnreadableImage) as caught:
        find_sources(["pics", name])
    assert caught.value.source == (name or "<empty name>")


def test_no_arguments(tree: Path) -> None:
    assert find_sources([]) == []


NFC, NFD = (unicodedata.normalize(form, "café Ångström.jpg") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(("stored", "typed"), [(NFC, NFD), (NFD, NFC), (NFD, NFD)])
def test_names_are_found_in_either_encoding_of_accents(tree: Path, stored: str, typed: str) -> None:
    assert NFC != NFD
    folder = tree / "pics" / stored
    folder.mkdir()
    (folder / stored).write_bytes(b"x")
    for argument in (f"pics/{typed}/{typed}", str(tree / "pics" / typed / typed), f"pics/{typed}", f"pics/{typed}/*"):
        assert [item.path.name for item in find_sources([argument])] == [stored]
    assert [item.path.name for item in find_sources([f"pics/*/{typed[:3]}*"])] == [stored]
    with pytest.raises(UnreadableImage, match="was found"):
        find_sources([f"pics/{typed}/other.jpg"])


def test_twins_that_look_the_same_get_outputs_of_their_own(tree: Path) -> None:
    (tree / "other" / NFC).write_bytes(b"1")
    (tree / "other" / NFD).write_bytes(b"2")
    (tree / "third").mkdir()
    (tree / "third" / NFD).write_bytes(b"3")
    if len(list((tree / "other").glob("caf*"))) == 2:  # a file system that keeps them apart
        found = [item for item in find_sources(["other"]) if item.path.suffix == ".jpg"]
        assert sorted(item.path.read_bytes() for item in found) == [b"1", b"2"]
        spellings = [unicodedata.normalize("NFC", item.relative.as_posix()) for item in found]
        assert spellings == [NFC, NFC.replace(".jpg", "~2.jpg")]
    found = find_sources([f"other/{NFC}", f"third/{NFD}"])
    assert relatives(found) == [f"other/{NFC}", f"third/{NFD}"]


def test_the_same_file_in_two_spellings_is_one(tree: Path) -> None:
    (tree / "pics" / NFD).write_bytes(b"x")
    assert len(find_sources([f"pics/{NFD}", f"pics/{NFC}"])) == 1


def test_an_unreadable_folder_is_named_and_the_others_are_done(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Path.iterdir

    def forbidding(path: Path) -> Iterator[Path]:
        if path.name == "deep":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(Path, "iterdir", forbidding)  # a test run by root may read everything
    assert relatives(find_sources(["pics"])) == ["photo2.JPG", "photo10.jpg", "sub/deep", "sub/y.tiff"]
    with pytest.raises(UnreadableImage, match=r"deep: the folder cannot be read \(Permission denied\)"):
        find_sources(["pics/sub/deep"])

    def forbid(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("omni_iml.io.opening.os.scandir", forbid)
    with pytest.raises(UnreadableImage, match=r"deep: reading it is not permitted"):
        load(tree / "pics" / "sub" / "deep")


def test_long_names_and_deep_folders(tree: Path) -> None:
    folder = tree / "pics"
    for _ in range(12):
        folder = folder / ("ü" * 20)
    folder.mkdir(parents=True)
    name = "図" * 80 + ".jpg"  # 244 bytes
    (folder / name).write_bytes(b"x")
    found = find_sources([str(tree / "pics" / ("ü" * 20))])
    assert [item.path.name for item in found] == [name]
    with pytest.raises(UnreadableImage, match=r"text"):
        load(found[0].path)


@pytest.mark.parametrize("suffix", [".jp2", ".j2k", ".jpx", ".avif", ".apng", ".heic", ".heif", ".mpo", ".tif"])
def test_suffixes(suffix: str) -> None:
    assert suffix in SUFFIXES
    assert all(each == each.lower() and each[0] == "." for each in SUFFIXES)
