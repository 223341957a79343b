"""Pixels, coefficients and table of a view are those of one file, whatever was done to the picture."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import jpeglib
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from omni_iml.data.augmentation import NONE, AugmentConfig, CompressConfig, Plan, draw_plan, view_of
from omni_iml.data.jpeg_turns import mirrored, transposed, upside_down
from omni_iml.data.readers.decoding import Decoded, decode
from omni_iml.io.jpeg import read_trace
from omni_iml.io.jpeg_quality import scaled_tables
from omni_iml.io.pixels import dct_matrix
from omni_iml.types import JpegTrace
from reader_layouts import picture


def jpeg(pixels: NDArray[np.uint8], quality: int = 80, subsampling: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=subsampling)
    return stream.getvalue()


def luma_of(trace: JpegTrace) -> NDArray[np.float64]:
    """What a decoder makes of a trace, before it clips and rounds: the oracle, written from the standard."""
    height, width = trace.coefficients.shape
    blocks = trace.coefficients.reshape(height // 8, 8, width // 8, 8).transpose(0, 2, 1, 3)
    matrix = dct_matrix()
    samples = matrix.T @ (blocks * trace.table.astype(np.float64)) @ matrix + 128
    return samples.transpose(0, 2, 1, 3).reshape(height, width)


def difference(pixels: NDArray[np.uint8], trace: JpegTrace) -> NDArray[np.float64]:
    """Luma of the pixels against that of the trace."""
    luma = pixels.astype(np.float64) @ [0.299, 0.587, 0.114]
    return np.abs(luma - np.clip(luma_of(trace), 0, 255)[: luma.shape[0], : luma.shape[1]])


def numbered(height: int = 96, width: int = 120, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    pixels, mask = picture(np.random.default_rng(seed), height, width), np.zeros((height, width), np.uint8)
    mask[20:50, 60:100] = 1
    return pixels, mask


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (mirrored, lambda pixels: pixels[:, ::-1]),
        (upside_down, lambda pixels: pixels[::-1]),
        (transposed, lambda pixels: pixels.transpose(1, 0, 2)),
        (lambda trace: transposed(mirrored(trace)), lambda pixels: np.rot90(pixels)),
    ],
)
def test_a_turned_trace_is_that_of_the_turned_file(
    turn: Callable[[JpegTrace], JpegTrace], expected: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], tmp_path: Path
) -> None:
    """Written as a gray JPEG file by jpeglib and decoded by libjpeg, the trace shows the turned picture."""
    pixels, _ = numbered()
    gray = np.asarray(Image.open(io.BytesIO(jpeg(pixels))).convert("L"))
    (tmp_path / "gray.jpg").write_bytes(jpeg(gray))
    trace = turn(read_trace((tmp_path / "gray.jpg").read_bytes()))
    height, width = trace.coefficients.shape
    (tmp_path / "frame.jpg").write_bytes(jpeg(np.zeros((height, width), np.uint8)))
    file = jpeglib.read_dct(str(tmp_path / "frame.jpg"))
    file.load()
    file.Y = np.ascontiguousarray(trace.coefficients.reshape(height // 8, 8, width // 8, 8).transpose(0, 2, 1, 3))
    file.qt = np.ascontiguousarray(trace.table[None])
    file.write_dct(str(tmp_path / "turned.jpg"))
    shown = np.asarray(Image.open(tmp_path / "turned.jpg"))
    before = np.asarray(Image.open(tmp_path / "gray.jpg"))
    wanted = expected(np.repeat(before[..., None], 3, 2))[..., 0]
    assert np.abs(shown.astype(int) - wanted).max() <= 1


PLANS = st.builds(
    Plan,
    aim=st.booleans(),
    mirror=st.booleans(),
    upside_down=st.booleans(),
    turn=st.booleans(),
    scale=st.sampled_from([1.0, 1.0, 0.7, 1.6]),
    colours=st.sampled_from([(0, 0, 0), (0, 0, 0), (12, -5, 20)]),
    qualities=st.lists(st.integers(60, 100), max_size=3).map(tuple),
)


@settings(max_examples=80, deadline=None)
@example(Plan(mirror=True, upside_down=True, turn=True), 0, (5, 300), True)
@given(
    PLANS, st.integers(0, 1000), st.sampled_from([(96, 120), (75, 101), (64, 64), (40, 200), (5, 300)]), st.booleans()
)
def test_pixels_coefficients_and_table_agree(plan: Plan, seed: int, size: tuple[int, int], is_jpeg: bool) -> None:
    pixels, mask = numbered(*size, seed=seed)
    found = decode(jpeg(pixels), "x.jpg") if is_jpeg else Decoded(pixels, None, "PNG")
    view = view_of(np.random.default_rng(seed), found, mask, plan, 64)
    height, width = view.mask.shape
    assert view.pixels.shape == (height, width, 3)
    assert max(height, width) <= 64
    assert view.trace.coefficients.shape == (-(-height // 8) * 8, -(-width // 8) * 8)
    error = difference(view.pixels, view.trace)
    # Rounding of the colours; at 4:2:0 the chroma's interpolation takes part of the clipped colours along.
    assert error.mean() < 0.6
    assert np.percentile(error, 99) < 4
    if plan.qualities:
        np.testing.assert_array_equal(view.trace.table, scaled_tables(plan.qualities[-1])[0])
    elif is_jpeg and plan.keeps_trace:
        table = scaled_tables(80)[0]
        np.testing.assert_array_equal(view.trace.table, table.T if plan.turn else table)
    else:
        assert (view.trace.table == 1).all()


@pytest.mark.parametrize("is_jpeg", [False, True])
def test_the_last_file_written_again_is_the_same(is_jpeg: bool) -> None:
    """A file that Pillow writes of the picture before the last compression has the view's coefficients and pixels."""
    pixels, mask = numbered(64, 64)
    found = decode(jpeg(pixels), "x") if is_jpeg else Decoded(pixels, None, "PNG")
    view = view_of(np.random.default_rng(0), found, mask, Plan(mirror=True, qualities=(90, 77)), 64)
    stream, again = io.BytesIO(), found.pixels[:, ::-1]
    for quality in (90, 77):
        stream = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(again)).save(stream, "JPEG", quality=quality)
        again = np.asarray(Image.open(stream).convert("RGB"))
    np.testing.assert_array_equal(view.pixels, again)
    np.testing.assert_array_equal(view.trace.coefficients, read_trace(stream.getvalue()).coefficients)


def test_the_mask_moves_with_the_pixels() -> None:
    marked, mask = np.zeros((96, 120, 3), np.uint8), np.zeros((96, 120), np.uint8)
    mask[20:50, 60:100] = 1
    marked[mask == 1] = 255
    rng = np.random.default_rng(0)
    for number in range(64):
        plan = Plan(*(bool(number >> bit & 1) for bit in range(4)), scale=(1.0, 0.7, 1.6)[number % 3])
        view = view_of(rng, Decoded(marked, None, "PNG"), mask, plan, 64)
        assert ((view.pixels[..., 0] > 127) == view.mask).mean() > 0.99


def test_crops_lie_on_the_grid_and_show_what_they_aim_at() -> None:
    pixels, mask = numbered(512, 640)
    mask[:] = 0
    mask[300:340, 500:560] = 1
    found = decode(jpeg(pixels), "x")
    trace = found.trace
    assert trace is not None
    rng = np.random.default_rng(0)
    seen = 0
    for _ in range(40):
        view = view_of(rng, found, mask, Plan(aim=True), 128)
        assert view.mask.sum() == 40 * 60
        places = np.argwhere(found.pixels[:, :, 0][:385:8, :513:8] == view.pixels[0, 0, 0])
        hit = [
            (8 * y, 8 * x)
            for y, x in places
            if (found.pixels[8 * y : 8 * y + 128, 8 * x : 8 * x + 128] == view.pixels).all()
        ]
        assert len(hit) == 1
        y, x = hit[0]
        np.testing.assert_array_equal(view.trace.coefficients, trace.coefficients[y : y + 128, x : x + 128])
        seen += bool(view_of(rng, found, mask, Plan(aim=False), 128).mask.any())
    assert seen < 20


def test_doctampers_compression_is_drawn_as_configured() -> None:
    config = AugmentConfig(compress={"document": CompressConfig(times=(1, 3), quality=(75, 100))})
    rng = np.random.default_rng(0)
    plans = [draw_plan(rng, config, "document") for _ in range(600)]
    counts = np.bincount([len(plan.qualities) for plan in plans], minlength=4)
    assert counts[0] == 0
    assert (counts[1:] > 150).all()
    qualities = [quality for plan in plans for quality in plan.qualities]
    assert (min(qualities), max(qualities)) == (75, 100)
    assert not any(draw_plan(rng, config, "natural").qualities for _ in range(50))


def test_the_curriculum_begins_with_the_best_quality() -> None:
    config = AugmentConfig(compress={"document": CompressConfig(quality=(75, 100), anneal=1000)})
    rng = np.random.default_rng(0)

    def least(index: int) -> int:
        return min(q for _ in range(200) for q in draw_plan(rng, config, "document", index).qualities)

    assert [least(index) for index in (0, 400, 1000, 9000)] == [100, 90, 75, 75]


def test_validation_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    assert {draw_plan(rng, NONE, domain) for domain in ("natural", "document")} == {Plan(aim=True)}
