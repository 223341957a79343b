from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from omni_iml.evidence import double_quantization, error_level, noise_level
from omni_iml.evidence.blocks import block_means
from omni_iml.evidence.double_quantization import comb_period
from omni_iml.io import load
from omni_iml.metrics import roc_auc
from omni_iml.types import EvidenceImage

MAPS = [error_level, noise_level, double_quantization]


def photograph(seed: int, grain: float = 5) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    field = cv2.resize(rng.uniform(40, 215, (40, 50, 3)).astype(np.float32), (400, 320), interpolation=cv2.INTER_CUBIC)
    return np.clip(field + rng.normal(0, grain, field.shape), 0, 255).astype(np.uint8)


def saved(pixels: NDArray[np.uint8], quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def region() -> NDArray[np.uint8]:
    mask = np.zeros((320, 400), np.uint8)
    mask[99:211, 140:290] = 1
    return mask


def pasted(base: NDArray[np.uint8], patch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.where(region()[..., None] > 0, patch, base)


def spliced_into_a_coarse_picture() -> EvidenceImage:
    """A picture compressed at 60, a piece that never was, both saved at 92."""
    return load(saved(pasted(load(saved(photograph(0), 60)).pixels, photograph(1)), 92))


def coarse_piece() -> EvidenceImage:
    """A piece compressed at 50 in a picture that never was, both saved at 98."""
    return load(saved(pasted(photograph(0), load(saved(photograph(1), 50)).pixels), 98))


def smoother_piece() -> EvidenceImage:
    return load(saved(pasted(photograph(0), photograph(1, grain=1)), 98))


@pytest.mark.parametrize(
    ("measure", "picture"),
    [
        (double_quantization, spliced_into_a_coarse_picture),
        (error_level, coarse_piece),
        (noise_level, smoother_piece),
    ],
)
def test_each_map_finds_what_it_is_made_for(
    measure: Callable[[EvidenceImage], NDArray[np.float32]], picture: Callable[[], EvidenceImage]
) -> None:
    assert roc_auc(measure(picture()), region()) > 0.85


@pytest.mark.parametrize("measure", MAPS)
@pytest.mark.parametrize("shape", [(64, 64), (61, 83), (1, 1), (9, 200)])
def test_maps_have_the_pictures_size_and_are_finite(
    measure: Callable[[EvidenceImage], NDArray[np.float32]], shape: tuple[int, int]
) -> None:
    pixels = cv2.resize(photograph(2), shape[::-1])
    for evidence in (load(pixels), load(saved(pixels, 80)), load(np.full((*shape, 3), 9, np.uint8))):
        found = measure(evidence)
        assert found.shape == shape
        assert found.dtype == np.float32
        assert np.isfinite(found).all()


def test_a_picture_compressed_once_has_no_comb() -> None:
    assert not double_quantization(load(saved(photograph(3), 85))).any()
    assert not double_quantization(load(photograph(3))).any()


@pytest.mark.parametrize(("first", "last"), [(12, 4), (9, 3), (10, 5)])
def test_the_period_of_a_comb(first: int, last: int) -> None:
    rng = np.random.default_rng(0)
    values = np.rint(np.rint(rng.laplace(0, 60, 40_000) / first) * first / last).astype(int)
    histogram = np.bincount(np.clip(values, -40, 40) + 40, minlength=81).astype(float)
    histogram[[0, -1]] = 0
    assert comb_period(histogram) == first // last


def test_a_smooth_histogram_has_no_period() -> None:
    values = np.rint(np.random.default_rng(0).laplace(0, 8, 40_000)).astype(int)
    histogram = np.bincount(np.clip(values, -40, 40) + 40, minlength=81).astype(float)
    histogram[[0, -1]] = 0
    assert comb_period(histogram) == 1


@pytest.mark.parametrize("shape", [(16, 24), (17, 30), (3, 5)])
def test_block_means(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random(shape)
    found = block_means(values)
    assert found.shape == (-(-shape[0] // 8), -(-shape[1] // 8))
    for row, column in np.ndindex(found.shape):
        expected = values[8 * row : 8 * row + 8, 8 * column : 8 * column + 8].mean()
        assert found[row, column] == pytest.approx(expected)
