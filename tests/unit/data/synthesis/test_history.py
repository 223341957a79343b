from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pytest
from data_pictures import textured
from numpy.typing import NDArray
from PIL import Image

from omni_iml.data.synthesis import history
from omni_iml.io import load, trace_of_pixels

SHAPES = [(64, 96), (61, 35), (8, 8), (1, 1), (7, 130)]


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bytes of every JPEG file written, in order."""
    written: list[bytes] = []
    encode = history.encode

    def spied(*arguments: Any) -> bytes:
        written.append(encode(*arguments))
        return written[-1]

    monkeypatch.setattr(history, "encode", spied)
    return written


def luma_of(data: bytes) -> NDArray[np.uint8]:
    """The luma in a JPEG file, as libjpeg decodes it without a way through RGB."""
    image = Image.open(io.BytesIO(data))
    image.draft("L", image.size)
    return np.asarray(image)


def inverse(coefficients: NDArray[np.int16], table: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Luma from coefficients, by OpenCV's inverse DCT."""
    luma = np.empty(coefficients.shape)
    for y in range(0, coefficients.shape[0], 8):
        for x in range(0, coefficients.shape[1], 8):
            luma[y : y + 8, x : x + 8] = cv2.idct(coefficients[y : y + 8, x : x + 8].astype(np.float64) * table) + 128
    return np.clip(luma, 0, 255)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("quality", [40, 90, 100])
def test_recompress_gives_what_pillow_decodes(shape: tuple[int, int], quality: int, files: list[bytes]) -> None:
    pixels = textured(np.random.default_rng(0), *shape) if min(shape) > 7 else np.full((*shape, 3), 77, np.uint8)
    out = history.recompress(pixels, quality, np.random.default_rng(1))
    (data,) = files
    np.testing.assert_array_equal(out, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    assert out.shape == pixels.shape


@pytest.mark.parametrize("shape", [(64, 96), (61, 35)])
@pytest.mark.parametrize("quality", [30, 75, 95, 100])
def test_finish_as_jpeg_gives_what_is_in_the_file(shape: tuple[int, int], quality: int, files: list[bytes]) -> None:
    pixels = textured(np.random.default_rng(0), *shape)
    out, trace = history.finish_as_jpeg(pixels, quality, np.random.default_rng(1))
    (data,) = files
    np.testing.assert_array_equal(out, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    evidence = load(data)
    np.testing.assert_array_equal(out, evidence.pixels)
    np.testing.assert_array_equal(trace.coefficients, evidence.trace.coefficients)
    table = np.array(Image.open(io.BytesIO(data)).quantization[0]).reshape(8, 8)
    np.testing.assert_array_equal(trace.table, table)
    restored = inverse(trace.coefficients, trace.table)[: shape[0], : shape[1]]
    np.testing.assert_allclose(restored, luma_of(data), atol=2)


def test_finish_as_png_keeps_the_pixels() -> None:
    pixels = textured(np.random.default_rng(0), 45, 62)
    out, trace = history.finish_as_png(pixels)
    np.testing.assert_array_equal(out, pixels)
    np.testing.assert_array_equal(trace.coefficients, trace_of_pixels(pixels).coefficients)
    assert (trace.table == 1).all()


def test_three_of_four_files_have_subsampled_chroma() -> None:
    rng = np.random.default_rng(0)
    drawn = [history.any_subsampling(rng) for _ in range(2000)]
    assert set(drawn) == {0, 2}
    assert np.mean(np.array(drawn) == 2) == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize(("subsampling", "factors"), [(0, (1, 1)), (2, (2, 2))])
def test_subsampling_is_what_the_file_says(subsampling: int, factors: tuple[int, int]) -> None:
    image = Image.open(io.BytesIO(history.encode(textured(np.random.default_rng(0), 32, 32), 80, subsampling)))
    assert image.layer[0][1:3] == factors  # type: ignore[attr-defined]
