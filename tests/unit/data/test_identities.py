"""Who is one person or product, by the names that the real sets bear."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from omni_iml.data.sources import find


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(path)


@pytest.mark.parametrize(
    ("folder", "one", "other"),
    [
        ("face/facemask_without_mask", "0_0_aidai_0014.jpg", "1_0_aidai_0086.jpg"),
        ("face/udacity_keypoints_ytf", "Bill_Clinton_12.png", "Bill_Clinton_50.png"),
        (
            "scene_text/grocery_packages",
            "Bravo-Apple-Juice_005.jpg",
            "dataset__train__Packages__Juice__Bravo-Apple-Juice__Bravo-Apple-Juice_014.jpg",
        ),
    ],
)
def test_series_of_one_person_or_product_share_identity_and_split(tmp_path, folder, one, other):
    put(tmp_path, f"{folder}/{one}", f"{folder}/{other}")
    first, second = find(tmp_path)
    assert first.identity == second.identity
    assert first.split == second.split


def test_numbers_are_names_where_sets_have_no_series(tmp_path):
    put(tmp_path, "document/sroie/001.jpg", "document/sroie/002.jpg", "face/facemask_without_mask/350.jpg")
    assert len({source.identity for source in find(tmp_path)}) == 3


def test_an_identity_is_in_one_split_however_many_series_it_has(tmp_path):
    names = [
        f"face/facemask_without_mask/{a}_0_person{n}_{i:04}.jpg" for a in (0, 1) for n in range(80) for i in (1, 2)
    ]
    put(tmp_path, *names)
    splits: dict[str, set[str]] = {}
    for source in find(tmp_path):
        splits.setdefault(source.identity, set()).add(source.split)
    assert len(splits) == 80
    assert all(len(found) == 1 for found in splits.values())


def test_rotated_copies_are_left_out(tmp_path):
    put(tmp_path, "face/facemask_without_mask/augmented_image_296.jpg", "face/facemask_without_mask/106.jpg")
    assert [source.path.name for source in find(tmp_path)] == ["106.jpg"]
