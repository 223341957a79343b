from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_iml.inference.tiles import axis_weights, clipped_table, cut, overlap_for, tile_side, tile_starts
from omni_iml.types import EvidenceImage, JpegTrace

geometries = st.tuples(
    st.integers(1, 3000), st.integers(1, 16).map(lambda n: 32 * n), st.integers(0, 40).map(lambda n: 8 * n)
).filter(lambda g: g[2] < g[1])


def picture(height: int, width: int, coefficient: int = 5) -> EvidenceImage:
    rng = np.random.default_rng(height * 10_000 + width)
    padded = (-(-height // 8) * 8, -(-width // 8) * 8)
    return EvidenceImage(
        pixels=rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        trace=JpegTrace(np.full(padded, coefficient, np.int16), np.arange(64, dtype=np.uint16).reshape(8, 8) + 1),
        format="JPEG",
        orientation=1,
        source="x.jpg",
        sha256="0" * 64,
    )


@pytest.mark.parametrize(
    ("length", "starts"),
    [
        (1, (0,)),
        (512, (0,)),
        (513, (0, 8)),
        (520, (0, 8)),
        (521, (0, 16)),
        (960, (0, 448)),
        (961, (0, 224, 456)),
        (1408, (0, 448, 896)),
    ],
)
def test_starts_at_known_lengths(length, starts):
    assert tile_starts(length, 512, 64) == starts


@given(geometries)
def test_starts_cover_the_axis_on_the_grid_with_enough_overlap(geometry):
    length, tile, overlap = geometry
    starts = tile_starts(length, tile, overlap)
    assert starts[0] == 0
    assert all(start % 8 == 0 for start in starts)
    assert all(8 <= right - left <= tile - overlap for left, right in pairwise(starts))
    if length > tile:
        assert starts[-1] + tile == -(-length // 8) * 8
    else:
        assert starts == (0,)


@given(geometries)
def test_starts_are_as_few_as_the_overlap_allows(geometry):
    length, tile, overlap = geometry
    count = len(tile_starts(length, tile, overlap))
    assert count == 1 or (count - 1) * (tile - overlap) + overlap < -(-length // 8) * 8


@pytest.mark.parametrize(
    ("length", "tile", "overlap"), [(0, 512, 64), (9, 510, 64), (9, 512, 60), (9, 64, 64), (9, 64, -8)]
)
def test_impossible_geometry_is_refused(length, tile, overlap):
    with pytest.raises(ValueError, match="must be"):
        tile_starts(length, tile, overlap)


@pytest.mark.parametrize(
    ("length", "free", "side"),
    [
        (1, True, 32),
        (32, True, 32),
        (33, True, 64),
        (479, True, 480),
        (768, True, 768),
        (769, True, 512),
        (960, True, 512),
        (961, True, 544),
        (1300, True, 704),
        (5000, True, 704),
        (1, False, 768),
    ],
)
def test_side_of_the_tiles_along_an_axis(make_info, length, free, side):
    assert tile_side(length, make_info(tile=768, free_size=free)) == side


@pytest.mark.parametrize("tile", [32, 96, 128, 512, 768])
def test_tiles_of_any_size_are_as_few_as_full_ones_and_no_larger_than_they_must(make_info, tile):
    info, overlap = make_info(tile=tile, free_size=True), overlap_for(tile)
    for length in range(1, 2500):
        side, count = tile_side(length, info), len(tile_starts(length, tile, overlap))
        assert side <= tile
        assert side % 32 == 0
        assert len(tile_starts(length, side, overlap_for(side))) == count
        if count > 1:
            assert side >= 2 / 3 * tile - 16
        if count == 1 or side > 2 / 3 * tile + 16:  # the next smaller side would not do
            assert count * (side - 32) - (count - 1) * overlap < length


@pytest.mark.parametrize(("tile", "overlap"), [(512, 64), (128, 64), (96, 48), (64, 32), (32, 16)])
def test_overlap_of_small_tiles(tile, overlap):
    assert overlap_for(tile) == overlap


@given(geometries)
def test_weights_are_positive_and_sum_to_one(geometry):
    length, tile, overlap = geometry
    starts = tile_starts(length, tile, overlap)
    total = np.zeros(length)
    for start, weight in zip(starts, axis_weights(starts, length, tile), strict=True):
        assert len(weight) == min(tile, length - start)
        assert (weight > 0).all()
        total[start : start + len(weight)] += weight
    np.testing.assert_allclose(total, 1, rtol=1e-12)


def test_weights_cross_over_linearly():
    first, second = axis_weights((0, 48), 112, 64)
    np.testing.assert_allclose(first[:48], 1)
    np.testing.assert_allclose(second[16:], 1)
    np.testing.assert_allclose(second[:16], (np.arange(16) + 0.5) / 16)
    np.testing.assert_allclose(first[48:], 1 - second[:16])


def test_inner_tile_is_the_picture_itself():
    image = picture(100, 200)
    tile = cut(image, 8, 64, 64)
    np.testing.assert_array_equal(tile.image[0], image.pixels[8:72, 64:128].transpose(2, 0, 1))
    assert tile.image.flags.c_contiguous
    assert (tile.coefficients == 5).all()
    assert tile.image.dtype == tile.coefficients.dtype == tile.table.dtype == np.uint8


def test_tiles_need_not_be_square():
    image = picture(40, 200)
    tile = cut(image, 0, 104, 64, 96)
    assert (tile.image.shape, tile.coefficients.shape) == ((1, 3, 64, 96), (1, 64, 96))
    np.testing.assert_array_equal(tile.image[0, :, :40], image.pixels[:, 104:200].transpose(2, 0, 1))
    assert (tile.coefficients[0, :40] == 5).all()
    assert not tile.coefficients[0, 40:].any()


def test_padding_repeats_the_edge_and_zeroes_the_coefficients():
    image = picture(9, 17)
    tile = cut(image, 0, 0, 64)
    np.testing.assert_array_equal(tile.image[0, :, :9, :17], image.pixels.transpose(2, 0, 1))
    np.testing.assert_array_equal(tile.image[0, :, 40, :17], image.pixels[8].T)
    np.testing.assert_array_equal(tile.image[0, :, 40, 50], image.pixels[8, 16])
    assert (tile.coefficients[0, :16, :24] == 5).all()  # the last blocks are whole: the file holds their coefficients
    assert not tile.coefficients[0, 16:].any()
    assert not tile.coefficients[0, :, 24:].any()


@pytest.mark.parametrize(
    ("value", "expected"), [(-32768, 20), (32767, 20), (-20, 20), (-21, 20), (-3, 3), (19, 19), (0, 0)]
)
def test_coefficients_are_clipped_magnitudes(value, expected):
    assert (cut(picture(64, 64, value), 0, 0, 64).coefficients == expected).all()


def test_steps_above_63_embed_as_63():
    trace = JpegTrace(np.zeros((8, 8), np.int16), np.array([[1, 62, 63, 64, 255, 256, 319, 65535]] * 8, np.uint16))
    assert clipped_table(trace)[0, 0].tolist() == [1, 62, 63, 63, 63, 63, 63, 63]
