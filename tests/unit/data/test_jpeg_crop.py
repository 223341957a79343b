from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_pictures import textured
from PIL import Image

from omni_iml.data.jpeg_crop import crop_jpeg, grid_of
from omni_iml.data.jpeg_tiles import write_jpeg_tiles
from omni_iml.data.sources import find
from omni_iml.data.words import boxes_file, read_words, seen_through
from omni_iml.io import load
from omni_iml.io.segments import sanitise
from omni_iml.types import UnreadableImage


def jpeg(height: int, width: int, **save: object) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(textured(np.random.default_rng(0), height, width))
    (image.convert(str(save.pop("mode"))) if "mode" in save else image).save(buffer, "JPEG", **save)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("save", "grid"),
    [
        ({"subsampling": "4:4:4"}, 8),
        ({"subsampling": "4:2:2"}, 16),
        ({"subsampling": "4:2:0", "progressive": True}, 16),
        ({"mode": "L"}, 8),
    ],
)
@pytest.mark.parametrize(("height", "width"), [(101, 119), (96, 128), (7, 3)])
def test_a_crop_has_the_coefficients_of_its_place(save: dict[str, object], grid: int, height: int, width: int) -> None:
    data = jpeg(293, 389, quality=83, **save)
    assert grid_of(sanitise(data).frame) == grid
    y, x = 2 * grid, 5 * grid
    whole, piece = load(data), load(crop_jpeg(data, y, x, height, width))
    assert piece.pixels.shape == (height, width, 3)
    rows, columns = piece.trace.coefficients.shape
    np.testing.assert_array_equal(piece.trace.coefficients, whole.trace.coefficients[y : y + rows, x : x + columns])
    np.testing.assert_array_equal(piece.trace.table, whole.trace.table)
    # libjpeg smooths enlarged chroma across blocks, so the outermost pixels may differ.
    inner = slice(8, -8), slice(8, -8)
    np.testing.assert_array_equal(piece.pixels[inner], whole.pixels[y : y + height, x : x + width][inner])


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((8, 0, 32, 32), "crop at row 8, column 0: is not on the grid of 16 pixels; move it there"),
        ((0, 16, 32, 400), "crop of 400x32 at row 0, column 16: does not lie inside the picture of 389x293"),
        ((0, 0, 0, 8), "does not lie inside the picture"),
    ],
)
def test_crops_that_cannot_be_are_refused(place: tuple[int, int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        crop_jpeg(jpeg(293, 389), *place)


def test_what_is_no_such_jpeg_is_refused() -> None:
    with pytest.raises(UnreadableImage, match=r"four\.jpg: has 4 colour components"):
        grid_of(sanitise(jpeg(64, 64, mode="CMYK")).frame, source="four.jpg")
    with pytest.raises(UnreadableImage):
        crop_jpeg(b"\xff\xd8 nothing", 0, 0, 8, 8)


def test_tiles_keep_identity_split_words_and_coefficients(
    make_root: Callable[[Path], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = make_root(tmp_path / "root")
    broken = root / "source" / "natural" / "scenes" / "p000.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    whole = (root / "source" / "natural" / "scenes").glob("p*.jpg")
    data = next(path for path in sorted(whole) if path != broken).read_bytes()
    broken.with_name("q000.jpg").write_bytes(data[: 2 * len(data) // 3])
    sources = find(root)
    made = list(write_jpeg_tiles(sources, tmp_path / "out", side=96, per_source=2))
    assert "p000.jpg" in caplog.text
    assert "q000.jpg: the" in caplog.text
    tiles = find(tmp_path / "out")
    assert sorted(tile.path for tile in tiles) == sorted(set(made))
    by_identity = {source.identity: source for source in sources}
    assert {tile.identity for tile in tiles} == set(by_identity) - {"scenes/p000", "scenes/q000"}
    cut = [tile for tile in tiles if "@" in tile.path.stem]
    assert cut
    for tile in cut:
        source = by_identity[tile.identity]
        assert (tile.split, tile.origin) == (source.split, source.origin)
        y, x = (int(number) for number in tile.path.stem.split("@")[1].split("_"))
        piece, whole = load(tile.path), load(source.path)
        rows, columns = piece.trace.coefficients.shape
        np.testing.assert_array_equal(piece.trace.coefficients, whole.trace.coefficients[y : y + rows, x : x + columns])
        words = seen_through(read_words(boxes_file(source.path)), y, x, *piece.pixels.shape[:2])
        assert read_words(boxes_file(tile.path)) == words
    assert any(read_words(boxes_file(tile.path)) for tile in cut)
    before = {path: path.stat().st_mtime_ns for path in made}
    assert list(write_jpeg_tiles(sources, tmp_path / "out", side=96, per_source=2)) == made
    assert {path: path.read_bytes() for path in made}
    assert set(before) == set(made)
