from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from io_pictures import encode, exif, picture

from omni_iml.io import load
from omni_iml.io.fitness import POOR_MISSING_SHARE
from omni_iml.io.missing import completed, present
from omni_iml.types import EvidenceImage, UnreadableImage

HEIGHT, WIDTH = 268, 264
BASELINE: dict[str, dict[str, Any]] = {
    "4:4:4": {"subsampling": 0},
    "4:2:0": {"subsampling": 2},
    "restart": {"restart_marker_blocks": 3},
    "restart_rows": {"restart_marker_rows": 1},
    "turned": {"exif": exif(6)},
}
KINDS = BASELINE | {"progressive": {"progressive": True}}


def file(options: dict[str, Any]) -> bytes:
    return encode(picture(HEIGHT, WIDTH), quality=90, **options)


def cut(data: bytes, share: float) -> bytes:
    return data[: int(share * len(data))]


def same(one: EvidenceImage, other: EvidenceImage) -> bool:
    traces = np.array_equal(one.trace.coefficients, other.trace.coefficients)
    return traces and np.array_equal(one.pixels, other.pixels) and one.fitness == other.fitness


@pytest.mark.parametrize("name", BASELINE)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.85, 0.98])
def test_rows_after_a_cut_are_counted(name: str, share: float) -> None:
    data = file(BASELINE[name])
    whole, image = load(data), load(cut(data, share))
    kept = HEIGHT - image.missing_rows
    assert kept % 8 == 0
    assert 0 < kept < HEIGHT
    assert np.array_equal(image.pixels[:kept], whole.pixels[:kept])
    assert np.array_equal(image.trace.coefficients[:kept], whole.trace.coefficients[:kept])
    # No more is given up than the row of MCUs with the cut, and the block row above that takes colour from it.
    assert (image.pixels[kept : kept + 24] != whole.pixels[kept : kept + 24]).any()
    assert not image.missing_scans


@pytest.mark.parametrize("name", BASELINE)
def test_a_cut_in_the_last_row_is_noticed(name: str) -> None:
    image = load(file(BASELINE[name])[:-60])
    assert 0 < image.missing_rows <= 20
    assert image.fitness is not None
    assert image.fitness.grade == "limited"
    assert 0 < image.fitness.signs["missing_share"] < POOR_MISSING_SHARE


def test_a_cut_right_before_a_restart_marker_is_noticed() -> None:
    data = file({"restart_marker_rows": 1, "subsampling": 0})
    image = load(data[: data.index(b"\xff\xd4")])
    assert image.missing_rows == HEIGHT - 5 * 8


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("lost", [1, 2])
def test_a_file_that_lacks_its_end_marker_only_is_whole(name: str, lost: int) -> None:
    data = file(KINDS[name])
    whole, image = load(data), load(data[:-lost])
    assert any("cut short" in warning for warning in image.warnings)
    assert (image.missing_rows, image.missing_scans) == (0, False)
    assert same(image, whole)
    assert image.fitness is not None
    assert not {"missing_share", "missing_scans"} & set(image.fitness.signs)


def test_an_end_marker_put_after_a_cut_does_not_hide_it() -> None:
    data = cut(file({}), 0.5)
    bare, marked = load(data), load(data + b"\xff\xd9")
    assert bare.missing_rows == marked.missing_rows > 0
    assert any(f"the last {marked.missing_rows} rows of pixels hold no data" in note for note in marked.warnings)


def test_middle_gray_at_the_bottom_is_not_missing() -> None:
    pixels = picture(128, 128)
    pixels[64:] = 128
    data = encode(pixels)
    for image in (load(data), load(data[:-2])):
        assert image.missing_rows == 0
        assert not any("hold no data" in warning for warning in image.warnings)


@pytest.mark.parametrize("share", [0.4, 0.6, 0.9, 0.99])
def test_of_a_progressive_file_whole_scans_are_kept(share: float) -> None:
    data = file({"progressive": True})
    image = load(cut(data, share))
    assert image.missing_scans
    assert image.missing_rows == 0
    assert image.fitness is not None
    assert image.fitness.grade == "limited"
    assert any("scans" in reason for reason in image.fitness.reasons)
    starts = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda" and at < share * len(data)]
    # What the part of a scan would refine, and what it would not, look alike: as at the end of the scan before.
    assert same(image, load(data[: starts[-1]]))


def test_a_cut_in_the_first_progressive_scan_leaves_rows_missing() -> None:
    data = file({"progressive": True})
    scans = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
    image = load(data[: (scans[0] + scans[1]) // 2])
    assert image.missing_scans
    assert HEIGHT / 4 < image.missing_rows < HEIGHT
    assert image.fitness is not None
    assert image.fitness.grade == "poor"


@pytest.mark.parametrize("name", BASELINE)
def test_much_missing_is_poor(name: str) -> None:
    fitness = load(cut(file(BASELINE[name]), 0.7)).fitness
    assert fitness is not None
    assert fitness.grade == "poor"
    assert any("cut short" in reason for reason in fitness.reasons)


def test_gray_rows_are_not_measured() -> None:
    fitness = load(cut(file({}), 0.4)).fitness
    assert fitness is not None
    assert fitness.signs["flat_share"] == 0
    assert fitness.signs["short_side"] < HEIGHT / 2


@pytest.mark.parametrize("options", [{"subsampling": 0}, {"subsampling": 2}])
def test_a_picture_without_a_whole_row_of_blocks_is_refused(options: dict[str, Any]) -> None:
    data = file(options)
    begin = data.index(b"\xff\xda") + 14
    with pytest.raises(UnreadableImage, match="its data end in the first row of 8-pixel blocks; fetch or copy"):
        load(data[: begin + 100])


@pytest.mark.parametrize("name", KINDS)
def test_what_is_present_is_the_picture_above_the_cut(name: str) -> None:
    data = file(KINDS[name])
    whole = load(data)
    assert present(whole) is whole
    image = load(cut(data, 0.5))
    kept = HEIGHT - image.missing_rows
    there = present(image)
    assert there.pixels.shape == (kept, WIDTH, 3)
    assert there.trace.coefficients.shape[0] == -(-kept // 8) * 8
    assert there.missing_rows == 0
    back = completed(np.ones((kept, WIDTH), np.float32), image)
    assert back.shape == (HEIGHT, WIDTH)
    assert back.dtype == np.float32
    assert back[:kept].all()
    assert not back[kept:].any()
