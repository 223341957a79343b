"""Mask conventions: 0 and 1, 0 and 255, inverted, coloured, arrays, outlines; a mask of another size is refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omni_iml.data.readers.masks import (
    NoMask,
    NpzMask,
    PictureMask,
    Polygons,
    above_half,
    any_non_zero,
    black,
    greenish,
)
from omni_iml.types import UnreadableImage

TRUTH = np.zeros((12, 20), np.uint8)
TRUTH[3:7, 5:15] = 1


def written(folder: Path, image: Image.Image, suffix: str = ".png") -> Path:
    path = folder / f"mask{suffix}"
    image.save(path)
    return path


@pytest.mark.parametrize("rule", [any_non_zero, above_half])
@pytest.mark.parametrize("white", [1, 255])
@pytest.mark.parametrize("mode", ["L", "RGB", "1", "P", "I;16"])
def test_white_is_tampered(tmp_path, rule, white, mode):
    if mode == "RGB" and white == 1 and rule is above_half:
        pytest.skip("nobody writes that")
    values = TRUTH * np.uint8(white)
    if mode == "RGB":
        image = Image.fromarray(np.repeat(values[..., None], 3, 2))
    elif mode == "P":
        image = Image.fromarray(TRUTH, "P")
        image.putpalette([0, 0, 0] + [white] * 3 if white == 255 else [0] * 6)
    elif mode == "I;16":
        image = Image.fromarray(values.astype(np.uint16))
    else:
        image = (
            Image.fromarray(values * np.uint8(1 if white == 255 else 255)).convert(mode)
            if mode == "1"
            else (Image.fromarray(values))
        )
    np.testing.assert_array_equal(PictureMask(written(tmp_path, image), rule).read(12, 20), TRUTH)


def test_black_is_tampered_where_the_set_says_so(tmp_path):
    path = written(tmp_path, Image.fromarray((1 - TRUTH) * np.uint8(255)))
    np.testing.assert_array_equal(PictureMask(path, black).read(12, 20), TRUTH)


def test_soft_values(tmp_path):
    path = written(tmp_path, Image.fromarray(np.array([[0, 3, 127, 128, 255]], np.uint8)))
    assert PictureMask(path, any_non_zero).read(1, 5).tolist() == [[0, 1, 1, 1, 1]]
    assert PictureMask(path, above_half).read(1, 5).tolist() == [[0, 0, 0, 1, 1]]


def test_green_is_the_spliced_part(tmp_path):
    colours = np.array([[[255, 0, 0], [200, 0, 0], [0, 255, 0], [0, 200, 0], [0, 0, 0]]], np.uint8)
    path = written(tmp_path, Image.fromarray(colours))
    assert PictureMask(path, greenish).read(1, 5).tolist() == [[0, 0, 1, 1, 0]]


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
@pytest.mark.parametrize("extra", [False, True])
def test_arrays(tmp_path, suffix, extra):
    path = tmp_path / f"mask{suffix}"
    array = TRUTH[..., None] * 255 if extra else TRUTH.astype(bool)
    np.savez_compressed(path, array) if suffix == ".npz" else np.save(path, array)
    np.testing.assert_array_equal(NpzMask(path).read(12, 20), TRUTH)


def test_an_array_of_objects_is_refused(tmp_path):
    path = tmp_path / "mask.npy"
    np.save(path, np.array([print], object), allow_pickle=True)
    with pytest.raises(UnreadableImage, match="cannot be read"):
        NpzMask(path).read(12, 20)


def test_outlines_that_overlap_leave_no_hole():
    both = Polygons("x", ((5, 3, 10, 3, 10, 6, 5, 6), (8, 3, 14, 3, 14, 6, 8, 6)))
    np.testing.assert_array_equal(both.read(12, 20), TRUTH)
    np.testing.assert_array_equal(Polygons.of_boxes("x", [(5, 3, 14, 6)]).read(12, 20), TRUTH)
    with pytest.raises(UnreadableImage, match="3 numbers"):
        Polygons("x", ((1, 2, 3),)).read(12, 20)


@pytest.mark.parametrize("kind", ["picture", "array", "outline"])
def test_another_size_is_refused(tmp_path, kind):
    if kind == "picture":
        mask = PictureMask(written(tmp_path, Image.fromarray(TRUTH)))
    elif kind == "array":
        np.savez(tmp_path / "mask.npz", TRUTH)
        mask = NpzMask(tmp_path / "mask.npz")
    else:
        mask = Polygons("here", (), (12, 20))
    with pytest.raises(UnreadableImage, match="the mask has 20x12 pixels, its picture 12x20"):
        mask.read(20, 12)


def test_a_damaged_mask_is_named(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(TRUTH).save(stream, "PNG")
    path = tmp_path / "mask.png"
    path.write_bytes(stream.getvalue()[:-30])
    with pytest.raises(UnreadableImage, match=r"mask\.png: the mask cannot be read"):
        PictureMask(path).read(12, 20)


def test_no_mask():
    assert not NoMask().read(3, 4).any()
