from __future__ import annotations

import contextlib
import ctypes
import io
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from io_pictures import encode, exif, insert, picture, segment
from PIL import Image

from omni_iml.io import jpeg
from omni_iml.io.jpeg import read_trace
from omni_iml.types import JpegTrace, OmniError, UnreadableImage


def gray_decode(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        image.draft("L", image.size)
        assert image.mode == "L"
        return np.asarray(image)


def inverse(trace: JpegTrace, height: int, width: int) -> np.ndarray:
    samples = np.empty(trace.coefficients.shape)
    for y in range(0, samples.shape[0], 8):
        for x in range(0, samples.shape[1], 8):
            block = trace.coefficients[y : y + 8, x : x + 8] * trace.table.astype(np.float64)
            samples[y : y + 8, x : x + 8] = cv2.idct(block)
    return np.clip(samples + 128, 0, 255)[:height, :width]


def assert_is_the_picture(data: bytes) -> JpegTrace:
    trace = read_trace(data)
    gray = gray_decode(data)
    height, width = gray.shape
    assert trace.coefficients.dtype == np.int16
    assert trace.coefficients.shape == (-(-height // 8) * 8, -(-width // 8) * 8)
    assert np.abs(inverse(trace, height, width) - gray).max() <= 1
    with Image.open(io.BytesIO(data)) as image:
        assert trace.table.dtype == np.uint16
        assert trace.table.ravel().tolist() == list(image.quantization[0])
    return trace


@pytest.mark.parametrize("quality", [5, 30, 75, 90, 100])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"restart_marker_blocks": 3}])
def test_coefficients_times_table_are_the_gray_picture(quality: int, options: dict) -> None:
    assert_is_the_picture(encode(picture(), quality=quality, **options))


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (8, 8), (9, 7), (17, 64), (33, 129), (101, 53)])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_odd_sizes(size: tuple[int, int], subsampling: int) -> None:
    assert_is_the_picture(encode(picture(*size), subsampling=subsampling))


@pytest.mark.parametrize("factor", [0x111111, 0x211111, 0x221111, 0x411111, 0x121111])
@pytest.mark.parametrize("progressive", [0, 1])
def test_all_subsamplings(factor: int, progressive: int) -> None:
    options = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor, cv2.IMWRITE_JPEG_PROGRESSIVE, progressive]
    done, data = cv2.imencode(".jpg", picture(67, 93), options)
    assert done
    assert_is_the_picture(data.tobytes())


def test_gray_jpeg() -> None:
    assert_is_the_picture(encode(picture(50, 41, channels=1), quality=60))


def test_tables_above_63_at_quality_30() -> None:
    assert assert_is_the_picture(encode(picture(), quality=30)).table.max() > 63


def test_block_rows_are_vertical_frequencies() -> None:
    stripes = np.repeat((np.arange(32) % 2 * 255).astype(np.uint8)[:, None], 32, axis=1)
    block = read_trace(encode(stripes, quality=95)).coefficients[:8, :8]
    assert np.abs(block[1:, 0]).max() > 10
    assert not block[:, 1:].any()


def test_empty_comment_segment() -> None:
    data = encode(picture())
    expected = read_trace(data).coefficients
    assert np.array_equal(read_trace(insert(data, b"\xff\xfe\x00\x02")).coefficients, expected)


def test_more_than_fifty_markers() -> None:
    data = encode(picture())
    extra = b"".join(segment(0xFE, b"note") + segment(0xE5, b"vendor") for _ in range(60))
    assert np.array_equal(read_trace(insert(data, extra)).coefficients, read_trace(data).coefficients)


def test_eight_threads_over_files_with_exif() -> None:
    files = [encode(picture(64 + 8 * i, 80, seed=i), quality=60 + i, exif=exif(1 + i)) for i in range(8)]
    expected = [read_trace(data).coefficients for data in files]

    def read_all(start: int) -> bool:
        order = [(start + i) % 8 for i in range(8)] * 10
        return all(np.array_equal(read_trace(files[i]).coefficients, expected[i]) for i in order)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read_all, range(8)))


def test_truncated_file_keeps_what_came_before_the_cut() -> None:
    data = encode(picture(128, 128), quality=90)
    whole = read_trace(data).coefficients
    cut = read_trace(data[: len(data) * 2 // 3]).coefficients
    assert cut.shape == whole.shape
    assert np.array_equal(cut[:48], whole[:48])
    assert not cut[-8:].any()


def test_damaged_data_are_an_error_not_zeros() -> None:
    data = encode(picture())
    # Without Huffman tables nothing can be decoded.
    start = data.index(b"\xff\xc4")
    end = data.index(b"\xff\xda")
    with pytest.raises(UnreadableImage, match="damaged"):
        read_trace(data[:start] + data[end:], source="no-tables.jpg")


def test_error_in_the_header_does_not_crash() -> None:
    bogus = segment(0xC4, b"\x00" + b"\xff" * 16 + bytes(200))
    for keep_rgb in (False, True):
        with pytest.raises(UnreadableImage, match="damaged"):
            read_trace(insert(encode(picture(), keep_rgb=keep_rgb), bogus))


def test_failure_prints_nothing_on_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    data = encode(picture())
    start, end = data.index(b"\xff\xc4"), data.index(b"\xff\xda")
    with pytest.raises(UnreadableImage):
        read_trace(data[:start] + data[end:])
    assert capfd.readouterr().out == ""


def test_a_path_is_read_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where /dev/fd/N shares its offset (macOS), a second reader of one path finds the end of the file."""
    library = jpeg.CJpegLib.get()
    opened: list[bytes] = []

    class OnlyOnce:
        def __getattr__(self, function: str):
            def call(name: ctypes.c_char_p, *arguments: object) -> int:
                assert name.value not in opened, f"{function} opens the path a second time"
                opened.append(name.value)
                return getattr(library, function)(name, *arguments)

            return call

    data = encode(picture())
    expected = read_trace(data).coefficients
    monkeypatch.setattr(jpeg.CJpegLib, "get", staticmethod(OnlyOnce))
    assert np.array_equal(read_trace(data).coefficients, expected)
    assert len(opened) == 2


def at(path: Path, on_disk: bytes):
    """A `readable_path` that writes to ``on_disk`` and calls it ``path``."""

    @contextlib.contextmanager
    def readable(data: bytes) -> Iterator[str]:
        with open(on_disk, "wb") as file:  # noqa: PTH123 - bytes name
            file.write(data)
        yield str(path)

    return readable


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are not free bytes")
def test_names_reach_the_c_library_in_its_own_encoding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A code page for C's file names, as Windows has one."""
    data = encode(picture())
    expected = read_trace(data).coefficients
    monkeypatch.setattr(jpeg, "_C_ENCODING", "cp1252")
    monkeypatch.setattr(jpeg, "_C_ERRORS", "strict")
    monkeypatch.setattr(
        jpeg, "readable_path", at(tmp_path / "J\u00fcrgen.jpg", os.fsencode(tmp_path) + b"/J\xfcrgen.jpg")
    )
    assert np.array_equal(read_trace(data).coefficients, expected)


def test_name_outside_the_code_page_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jpeg, "_C_ENCODING", "cp1252")
    monkeypatch.setattr(jpeg, "_C_ERRORS", "strict")
    plain = tmp_path / "plain.jpg"
    monkeypatch.setattr(jpeg, "readable_path", at(tmp_path / "\u6f22.jpg", os.fsencode(plain)))
    with pytest.raises(OmniError, match="code page lacks '\u6f22'; set TMPDIR") as caught:
        read_trace(encode(picture()))
    assert not isinstance(caught.value, UnreadableImage)  # the picture is not to blame


def test_small_file_is_cheap() -> None:
    data = encode(picture(128, 128), quality=75)
    best = min(_seconds(data) for _ in range(30))
    assert best < 1.5e-3


def _seconds(data: bytes) -> float:
    start = time.perf_counter()
    read_trace(data)
    return time.perf_counter() - start
