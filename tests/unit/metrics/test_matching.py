from __future__ import annotations

import os
import unicodedata

import pytest

from omni_iml.io.sniff import SUFFIXES
from omni_iml.metrics.matching import SOURCE_SUFFIXES, bare_name, match_folders
from omni_iml.types import OmniError


@pytest.fixture
def match(tmp_path):
    """Match files of these names; nothing is opened, so they may be empty."""

    def run(predictions, truths):
        for folder, names in (("pred", predictions), ("truth", truths)):
            for name in names:
                path = tmp_path / folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        return match_folders(tmp_path / "pred", tmp_path / "truth")

    return run


def relative(path):
    return None if path is None else "/".join(path.parts[path.parts.index("pred") + 1 :])


@pytest.mark.parametrize(
    ("prediction", "truth"),
    [
        ("photo.png", "photo.png"),
        ("photo.png", "photo.tif"),
        ("photo.jpg.png", "photo.jpg.png"),
        ("photo.jpg.mask.png", "photo.png"),
        ("photo.jpg.mask.png", "photo.jpg.png"),
        ("photo.jpg.mask.png", "photo.jpg.mask.png"),
        ("photo.png.mask.png", "photo.png"),
        ("photo.png", "photo.jpg.png"),
        ("photo.JPG.mask.PNG", "photo.png"),
        ("v1.2_photo.jpg.mask.png", "v1.2_photo.png"),
        ("sub/photo.jpg.mask.png", "sub/photo.png"),
        ("scan.pdf.p002.mask.png", "scan.p002.png"),
        ("scan.pdf.p002.mask.png", "scan.pdf.p002.png"),
    ],
)
def test_names_that_match(match, prediction, truth):
    result = match([prediction], [truth])
    assert len(result.pairs) == 1
    assert (result.missing, result.extra, result.ambiguous) == ((), (), ())


@pytest.mark.parametrize(
    ("prediction", "truth"),
    [
        ("photo2.png", "photo.png"),
        ("photo.png.mask.png", "photo.jpg.png"),
        ("photo.v2.png", "photo.png"),
        ("sub/photo.png", "photo.png"),
        ("Photo.png", "photo.png"),
        ("scan.pdf.p001.mask.png", "scan.pdf.p002.png"),
        ("scan.pdf.p001.mask.png", "scan.png"),
    ],
)
def test_names_that_do_not_match(match, prediction, truth):
    result = match([prediction], [truth])
    assert (result.pairs, result.ambiguous) == ((), ())
    assert len(result.missing) == len(result.extra) == 1


def test_what_detect_looks_for_is_scored():
    assert SUFFIXES <= SOURCE_SUFFIXES


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_suffix_that_detect_looks_for_matches(match, suffix):
    assert len(match([f"photo{suffix}.mask.png"], ["photo.png"]).pairs) == 1


@pytest.mark.parametrize(("predicted", "true"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_how_accents_are_encoded_does_not_matter(match, predicted, true):
    prediction = unicodedata.normalize(predicted, "été/Brücke.jpg.mask.png")
    result = match([prediction], [unicodedata.normalize(true, "été/Brücke.png")])
    assert [found.name for _, found in result.pairs] == ["été/Brücke.jpg"]
    assert (result.missing, result.extra, result.ambiguous) == ((), (), ())


def test_two_files_whose_names_look_the_same_are_ambiguous(match, tmp_path):
    names = {unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD")}
    for name in names:
        (tmp_path / name).touch()
    if len({path.name for path in tmp_path.iterdir()}) < 2:
        pytest.skip("this file system takes the two for one name")
    result = match(sorted(names), ["é.png"])
    assert {len(files) for files in result.ambiguous} == {2}
    assert (result.pairs, result.missing, result.extra) == ((), (), ())


def test_a_bare_name_is_composed():
    assert bare_name(unicodedata.normalize("NFD", "é/ü.jpg")) == unicodedata.normalize("NFC", "é/ü")


def test_mask_and_heat_map_go_together(match):
    result = match(["a.jpg.mask.png", "a.jpg.heatmap.png", "b.jpg.heatmap.png", "c.png"], ["a.png", "b.png", "c.png"])
    kinds = [(p.name, relative(p.mask), relative(p.heatmap), relative(p.plain)) for _, p in result.pairs]
    assert kinds == [
        ("a.jpg", "a.jpg.mask.png", "a.jpg.heatmap.png", None),
        ("b.jpg", None, "b.jpg.heatmap.png", None),
        ("c", None, None, "c.png"),
    ]


def test_pictures_of_one_stem_are_told_apart_by_suffix(match):
    predictions = ["a.jpg.mask.png", "a.png.mask.png"]
    result = match(predictions, ["a.jpg.png", "a.png.png"])
    assert [(truth.name, prediction.name) for truth, prediction in result.pairs] == [
        ("a.jpg.png", "a.jpg"),
        ("a.png.png", "a.png"),
    ]


@pytest.mark.parametrize(
    ("predictions", "truths", "named"),
    [
        (["a.png", "a.bmp"], ["a.png"], {"pred/a.png", "pred/a.bmp"}),
        (["a.jpg.mask.png", "a.png.mask.png"], ["a.png"], {"pred/a.jpg.mask.png", "pred/a.png.mask.png"}),
        (["a.jpg.mask.png", "a.jpg.mask.bmp"], ["a.png"], {"pred/a.jpg.mask.png", "pred/a.jpg.mask.bmp"}),
        (["a.jpg.mask.png", "a.png"], ["a.png"], {"pred/a.jpg.mask.png", "pred/a.png"}),
        (["a.mask.png", "a.png"], ["a.png"], {"pred/a.mask.png", "pred/a.png"}),
        (["a.png"], ["a.png", "a.tif"], {"truth/a.png", "truth/a.tif"}),
        (["a.jpg.mask.png"], ["a.png", "a.jpg.png"], {"truth/a.png", "truth/a.jpg.png"}),
        (["a.png", "a.bmp", "b.png"], ["b.png"], {"pred/a.png", "pred/a.bmp"}),
    ],
)
def test_two_files_that_match_one_name(match, tmp_path, predictions, truths, named):
    result = match(predictions, truths)
    (files,) = result.ambiguous
    assert {file.relative_to(tmp_path).as_posix() for file in files} == named
    assert [truth.name for truth, _ in result.pairs] == (["b.png"] if "b.png" in truths else [])
    assert (result.missing, result.extra) == ((), ())


def test_missing_and_extra_are_told(match):
    result = match(["a.png", "z.png"], ["a.png", "b.png"])
    assert [truth.name for truth, _ in result.pairs] == ["a.png"]
    assert [path.name for path in result.missing] == ["b.png"]
    assert [prediction.name for prediction in result.extra] == ["z"]


def test_other_files_are_not_looked_at(match):
    junk = ["a.jpg.json", "a.jpg.overlay.png", "._a.png", ".cache/a.png", "notes.txt", "Thumbs.db"]
    result = match(["a.jpg.mask.png", *junk], ["a.png", "._a.png", "readme.md"])
    assert len(result.pairs) == 1
    assert (result.missing, result.extra, result.ambiguous) == ((), (), ())


def test_order_is_that_of_the_truths_names(match):
    names = ["c.png", "a.png", "b/d.png"]
    assert [prediction.name for _, prediction in match(names, names).pairs] == ["a", "b/d", "c"]


def test_a_folder_above_may_be_hidden(tmp_path):
    for folder in ("pred", "truth"):
        (tmp_path / ".hidden" / folder).mkdir(parents=True)
        (tmp_path / ".hidden" / folder / "a.png").touch()
    assert len(match_folders(tmp_path / ".hidden" / "pred", tmp_path / ".hidden" / "truth").pairs) == 1


def test_linked_folders_are_entered(match, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jpg.mask.png").touch()
    (tmp_path / "pred").mkdir()
    try:
        (tmp_path / "pred" / "sub").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    except OSError:
        pytest.skip("links may not be made here")
    result = match([], ["sub/a.png"])
    assert [prediction.name for _, prediction in result.pairs] == ["sub/a.jpg"]


def test_many_names_take_linear_time(match):
    names = [f"{number:05}.png" for number in range(2000)]
    assert len(match(names, names).pairs) == 2000


@pytest.mark.parametrize(("predictions", "truths"), [(["a.json"], ["a.png"]), (["a.png"], ["a.txt"])])
def test_folders_without_pictures(match, predictions, truths):
    with pytest.raises(OmniError, match=r"no (prediction|truth mask) is in this folder; it must"):
        match(predictions, truths)


def test_what_is_no_folder(tmp_path):
    (tmp_path / "file.png").touch()
    for path in (tmp_path / "file.png", tmp_path / "absent"):
        with pytest.raises(OmniError, match="not a folder"):
            match_folders(path, tmp_path)


def test_truth_is_not_scored_against_itself(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(OmniError, match="against itself"):
        match_folders(tmp_path, tmp_path / os.curdir)
