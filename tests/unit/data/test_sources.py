from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from data_pictures import SETS, WANTED, split_by_rule

from omni_iml.data.sources import DOMAINS, data_root, find


def test_every_picture_is_found_once_and_nothing_else(source_root: Path) -> None:
    sources = find(source_root)
    assert Counter(s.origin for s in sources) == dict.fromkeys(SETS, sum(WANTED.values()))
    assert len({s.path for s in sources}) == len(sources)
    assert all(s.path.is_absolute() for s in sources)
    assert {s.domain for s in sources} == set(DOMAINS)


def test_order_does_not_depend_on_the_file_system(source_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = find(source_root)
    listed = Path.glob
    monkeypatch.setattr(Path, "glob", lambda self, pattern: reversed(list(listed(self, pattern))))
    assert find(source_root) == expected


def test_capitals_sort_before_small_letters_everywhere(tmp_path: Path) -> None:
    folder = tmp_path / "source" / "natural" / "mixed"
    folder.mkdir(parents=True)
    for name in ("b.jpg", "C.JPG", "a.png", "notes.txt"):
        (folder / name).touch()
    assert [s.path.name for s in find(tmp_path)] == ["C.JPG", "a.png", "b.jpg"]


def test_relative_root_gives_absolute_paths(source_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(source_root)
    assert find(Path()) == find(source_root)


def test_splits_follow_the_hash_of_the_identity_and_share_none(source_root: Path) -> None:
    sources = find(source_root)
    assert all(s.split == split_by_rule(s.identity) for s in sources)
    for domain in DOMAINS:
        by_split = {split: {s.identity for s in sources if s.split == split and s.domain == domain} for split in WANTED}
        assert all(by_split.values())
        assert sum(map(len, by_split.values())) == len(set.union(*by_split.values()))


@pytest.mark.parametrize("folder", ["udacity_keypoints_ytf", "facemask_without_mask", "grocery_packages"])
def test_numbered_files_of_the_listed_sets_share_identity_and_split(folder: str, tmp_path: Path) -> None:
    place = tmp_path / "source" / "face" / folder
    place.mkdir(parents=True)
    names = [f"{person}{number}.jpg" for person in ("Ann_Lee_", "Bo-", "cam") for number in range(12)]
    for name in names:
        (place / name).touch()
    sources = find(tmp_path)
    assert len(sources) == len(names)
    assert {s.identity for s in sources} == {f"{folder}/{person}" for person in ("Ann_Lee", "Bo", "cam")}
    assert len({(s.identity, s.split) for s in sources}) == 3


def test_numbered_files_elsewhere_are_their_own_identity(tmp_path: Path) -> None:
    place = tmp_path / "source" / "natural" / "holiday"
    place.mkdir(parents=True)
    for number in range(5):
        (place / f"img_{number}.jpg").touch()
    assert len({s.identity for s in find(tmp_path)}) == 5


def test_a_name_that_is_all_number_stays_an_identity(tmp_path: Path) -> None:
    place = tmp_path / "source" / "face" / "facemask_without_mask"
    place.mkdir(parents=True)
    (place / "17.jpg").touch()
    (place / "18.jpg").touch()
    assert [s.identity for s in find(tmp_path)] == ["facemask_without_mask/17", "facemask_without_mask/18"]


def test_data_root_is_the_folder_of_the_variable(source_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNI_IML_DATA", str(source_root))
    assert data_root() == source_root


@pytest.mark.parametrize("value", [None, "", "empty"])
def test_data_root_without_sources_is_refused(
    value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if value is None:
        monkeypatch.delenv("OMNI_IML_DATA", raising=False)
    else:
        monkeypatch.setenv("OMNI_IML_DATA", value and str(tmp_path / value))
    with pytest.raises(FileNotFoundError, match="set OMNI_IML_DATA to the folder"):
        data_root()
