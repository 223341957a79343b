import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omni_iml.inference.detector import Detector
from omni_iml.inspection import ForeignFolder, files, save_inspection
from omni_iml.inspection import panels as overview_module
from omni_iml.inspection.panels import FEATURES, contact_sheet, overview, panels
from omni_iml.inspection.picture import Gathering
from omni_iml.io import load

PANELS = {
    "image", "overlay", "coefficients", "mask", "coarse_rgb", "coarse_fused", "filters",
    *(f"{name}.{view}" for name in FEATURES for view in ("deviation", "pca")),
}  # fmt: skip


@pytest.fixture(scope="module")
def saved(inspector, write_photo, tmp_path_factory):
    """Only read."""
    folder = tmp_path_factory.mktemp("saved")
    return save_inspection(inspector, load(write_photo(folder)), folder / "out")


@pytest.fixture
def first(inspector, photo, tmp_path):
    """An earlier inspection of one tile, to be replaced."""
    return save_inspection(inspector, load(photo()), tmp_path / "out", tiles=[1])


def read(folder):
    return json.loads((folder / "inspect.json").read_text(encoding="utf-8"))


def test_the_folder(saved):
    assert saved.folder.parts[-2:] == ("out", "photo.jpg.inspect")
    count = len(saved.picture.tiles)
    stems = [f"tile-{i:03d}" for i in range(count)]
    wanted = {"inspect.json", "picture.npz", "picture.png", "filters.png", *stems}
    wanted |= {f"{stem}{suffix}" for stem in stems for suffix in (".npz", ".png")}
    assert {path.name for path in saved.folder.iterdir()} == wanted
    assert [path.name for path in saved.folder.parent.iterdir()] == ["photo.jpg.inspect"]
    for stem in stems:
        assert {path.stem for path in (saved.folder / stem).iterdir()} == PANELS


def test_pictures_have_the_tile_s_size(saved):
    for path in (saved.folder / "tile-000").iterdir():
        with Image.open(path) as picture:
            assert picture.mode == "RGB"
            assert picture.size == ((64, 64) if path.stem != "filters" else (224, 224))
    with Image.open(saved.folder / "picture.png") as picture:
        assert picture.size == (130, 90)


def test_arrays_are_the_inspection_s(saved, inspector, photo):
    for tile in inspector.tiles(load(photo())):
        with np.load(saved.folder / f"tile-{tile.index:03d}.npz") as stored:
            wanted = tile.values.arrays()
            assert set(stored) == set(wanted)
            for name, value in wanted.items():
                assert stored[name].dtype == value.dtype
                np.testing.assert_allclose(stored[name], value, atol=1e-6)


def test_the_json_says_what_the_arrays_say(saved, weights, photo):
    report = read(saved.folder)
    detection = Detector(weights, "torch").detect(photo())
    assert report["schema"] == "omni-iml/inspection/1"
    assert report["gate_probability"] == pytest.approx(detection.gate_probability, abs=1e-6)
    assert (report["width"], report["height"], report["sha256"]) == (130, 90, detection.sha256)
    assert report["rows"] * report["columns"] == len(report["tiles"]) == len(detection.tiles)
    assert report["absent"] == []
    assert [item["dilation"] for item in report["filters"]] == [2, 3, 6, 2, 2]
    for tile in report["tiles"]:
        with np.load(saved.folder / f"tile-{tile['index']:03d}.npz") as stored:
            assert tile["gate_logit"] == pytest.approx(float(stored["gate_logit"][0]))
            assert tile["image_logit"] == pytest.approx(float(stored["image_logit"][0]))
            assert tile["modality"] == ("vision" if stored["gate_logit"][0] >= 0 else "vision+frequency")
            for name, values in tile["activations"].items():
                assert values == pytest.approx(stored[f"activations.{name}"][0].tolist())
    with np.load(saved.folder / "picture.npz") as stored:
        np.testing.assert_allclose(stored["probability"], detection.probability, atol=1e-6)
        assert stored["boxes"].tolist() == [tile["box"] for tile in report["tiles"]]
        assert stored["gate_logit"].tolist() == pytest.approx([tile["gate_logit"] for tile in report["tiles"]])
        assert stored["activations.DWF_6"].shape == (len(report["tiles"]), 4)


def test_chosen_tiles_only_and_the_whole_picture_s_figures(inspector, saved, tmp_path):
    image = saved.picture.image
    some = save_inspection(inspector, image, tmp_path / "some", tiles=(3, 1))
    names = sorted(path.name for path in some.folder.glob("*.npz"))
    assert names == ["picture.npz", "tile-001.npz", "tile-003.npz"]
    report, everything = read(some.folder), read(saved.folder)
    assert [tile["index"] for tile in report["tiles"] if tile["written"]] == [1, 3]
    for tile in (*report["tiles"], *everything["tiles"]):
        del tile["written"]
    assert report == everything
    none = save_inspection(inspector, image, tmp_path / "none", tiles=())
    assert [path.name for path in none.folder.glob("*.npz")] == ["picture.npz"]


def test_many_tiles_need_a_choice(inspector, photo, tmp_path):
    image = load(photo(height=40, width=440))
    count = len(inspector.grid(image))
    assert count > files.MOST_UNASKED
    with pytest.raises(ValueError, match=rf"photo.jpg: of its {count} tiles .* no more than 12 .* --tiles none"):
        save_inspection(inspector, image, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert save_inspection(inspector, image, tmp_path / "out", tiles=[count - 1]).folder.is_dir()


@pytest.mark.parametrize("number", [-1, 99])
def test_a_tile_that_is_not_there(inspector, photo, tmp_path, number):
    with pytest.raises(ValueError, match=f"there is no tile {number} among its"):
        save_inspection(inspector, load(photo()), tmp_path, tiles=[0, number])


def test_an_earlier_inspection_gives_way(first, inspector, photo, tmp_path):
    again = save_inspection(inspector, load(photo()), tmp_path / "out", tiles=[0])
    assert again.folder == first.folder
    assert not (again.folder / "tile-001.npz").exists()
    assert [path.name for path in again.folder.parent.iterdir()] == ["photo.jpg.inspect"]


@pytest.mark.parametrize("content", [None, "{}", "[]", "no json"])
def test_another_s_folder_is_left_alone(inspector, photo, tmp_path, content):
    folder = tmp_path / "out" / "photo.jpg.inspect"
    folder.mkdir(parents=True)
    (folder / ("diary.txt" if content is None else "inspect.json")).write_text(content or "dear diary")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ForeignFolder, match=r"photo\.jpg\.inspect: it exists and is no earlier inspection"):
        save_inspection(inspector, load(photo()), tmp_path / "out")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_failure_leaves_nothing_new(first, inspector, photo, tmp_path, monkeypatch):
    before = sorted(path.name for path in first.folder.rglob("*"))

    def fail(picture, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_png", fail)
    with pytest.raises(OSError, match="No space"):
        save_inspection(inspector, load(photo()), tmp_path / "out")
    assert sorted(path.name for path in first.folder.rglob("*")) == before
    assert [path.name for path in first.folder.parent.iterdir()] == ["photo.jpg.inspect"]


def test_a_folder_that_cannot_be_renamed_leaves_the_earlier_one(first, inspector, photo, tmp_path, monkeypatch):
    rename = Path.rename

    def fail(path, target):
        if (path / "tile-000.npz").exists():  # the new one
            raise PermissionError(13, "in use")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(PermissionError):
        save_inspection(inspector, load(photo()), tmp_path / "out", tiles=[0])
    assert (first.folder / "tile-001.npz").exists()
    assert [path.name for path in first.folder.parent.iterdir()] == ["photo.jpg.inspect"]


def test_names_and_callback(inspector, photo, tmp_path):
    seen = []
    image = replace(load(photo(height=40, width=40)), part=".p002")
    saved = save_inspection(inspector, image, tmp_path / "out", on_tile=seen.append)
    assert saved.folder.name == "photo.jpg.p002.inspect"
    assert seen == list(saved.picture.tiles)
    named = save_inspection(inspector, image, tmp_path / "out", name="../a:b.jpg", tiles=())
    assert named.folder == tmp_path / "out" / "a_b.jpg.inspect"


def test_a_turned_picture_is_shown_upright(inspector, photo, tmp_path):
    saved = save_inspection(inspector, load(photo(orientation=6)), tmp_path, tiles=[0])
    with Image.open(saved.folder / "picture.png") as picture:
        assert picture.size == (90, 130)
    report = read(saved.folder)
    assert (report["width"], report["height"], report["orientation"]) == (90, 130, 6)
    assert report["tiles"][0]["stored_box"] == [0, 0, 64, 64]
    assert report["tiles"][0]["box"] == [26, 0, 90, 64]


def test_a_long_thin_picture(inspector, monkeypatch):
    image = load(np.full((1, 60, 3), 90, np.uint8))
    gathering = Gathering(image, inspector)
    gathering.add(next(inspector.tiles(image)))
    monkeypatch.setattr(overview_module, "_LONGEST", 50)
    assert overview(gathering.finish()).size == (50, 1)


def test_what_is_absent_is_left_out_of_the_pictures(inspector, photo):
    image = load(photo(height=40, width=40))
    (tile,) = inspector.tiles(image)
    without = dict.fromkeys(("gate_logit", "fused", "coarse_rgb_logit", "e2_enhanced", "image_logit"))
    tile = replace(tile, values=replace(tile.values, **without, filters=()))
    gathering = Gathering(image, inspector)
    summary = gathering.add(tile)
    assert (summary.modality, summary.gate_probability, summary.mean_coarse_rgb) == (None, None, None)
    found = panels(tile)
    gone = {
        "coarse_rgb",
        "filters",
        *(f"{n}.{view}" for n in ("fused", "e2_enhanced") for view in ("deviation", "pca")),
    }
    assert set(found) == PANELS - gone
    picture = gathering.finish()
    assert (picture.score, picture.verdict, picture.modality, picture.activations) == (None, None, None, {})
    assert set(picture.absent) == {*without, "filters"}
    whole = contact_sheet("x", summary, panels(next(inspector.tiles(image))))
    assert contact_sheet("x", summary, found).height == whole.height


def test_mask_panel_shows_the_mask(inspector, photo):
    image = load(photo(height=64, width=64))
    (tile,) = inspector.tiles(image)
    from omni_iml.report.drawing import palette_rgb

    probability = 1 / (1 + np.exp(-tile.values.mask_logit[0, 0].astype(np.float64)))
    wanted = palette_rgb()[np.rint(255 * probability).astype(int)].astype(int)
    assert np.abs(panels(tile)["mask"].picture.astype(int) - wanted).max() <= 2
    assert np.array_equal(panels(tile)["image"].picture, image.pixels)
