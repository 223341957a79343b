from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from data_pictures import textured
from PIL import Image

from omni_iml.data.synthesis import Forgery
from omni_iml.data.synthesis.history import Jpeg, Png
from omni_iml.data.synthesis.sample import IGNORE, assemble, sample_of
from omni_iml.inference.tiles import cut
from omni_iml.io import load
from omni_iml.types import JpegTrace


@pytest.mark.parametrize("shape", [(96, 96), (96, 40), (61, 83), (17, 9)])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_training_sees_a_picture_as_inference_does(shape: tuple[int, int], form: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(textured(np.random.default_rng(0), *shape)).save(buffer, form)
    evidence = load(buffer.getvalue())
    tile = cut(evidence, 0, 0, 96)
    sample = assemble(
        evidence.pixels, evidence.trace, np.zeros(shape, np.uint8), 96, label=0.0, domain=1, operation="authentic"
    )
    np.testing.assert_array_equal(sample.image, tile.image[0])
    np.testing.assert_array_equal(sample.coefficients, tile.coefficients[0])
    np.testing.assert_array_equal(sample.table, tile.table[0])


def test_padding() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (19, 26, 3)).astype(np.uint8)
    mask = (rng.random((19, 26)) < 0.5).astype(np.uint8)
    trace = JpegTrace(np.full((24, 32), 5, np.int16), np.ones((8, 8), np.uint16))
    sample = assemble(pixels, trace, mask, 64, label=1.0, domain=2, operation="splice")
    np.testing.assert_array_equal(sample.mask[:19, :26], mask)
    assert (sample.mask[19:] == IGNORE).all()
    assert (sample.mask[:, 26:] == IGNORE).all()
    np.testing.assert_array_equal(sample.image[:, :19, :26], pixels.transpose(2, 0, 1))
    assert (sample.image[:, 19:] == sample.image[:, 18:19]).all()
    assert (sample.image[:, :, 26:] == sample.image[:, :, 25:26]).all()
    assert (sample.coefficients[:24, :32] == 5).all()
    assert not sample.coefficients[24:].any()
    assert not sample.coefficients[:, 32:].any()


def test_coefficients_and_table_are_clipped_to_what_the_network_embeds() -> None:
    coefficients = np.zeros((8, 8), np.int16)
    coefficients[0, :6] = [-32768, 32767, -21, 20, -19, 0]
    table = np.full((8, 8), 65535, np.uint16)
    table[0, :3] = [1, 63, 64]
    sample = assemble(
        np.zeros((8, 8, 3), np.uint8),
        JpegTrace(coefficients, table),
        np.zeros((8, 8), np.uint8),
        8,
        label=0.0,
        domain=0,
        operation="",
    )
    assert sample.coefficients[0, :6].tolist() == [20, 20, 20, 20, 19, 0]
    assert sample.table[0].tolist() == [1, *[63] * 7]
    assert sample.coefficients.dtype == sample.table.dtype == sample.image.dtype == sample.mask.dtype == np.uint8


def test_what_goes_in_is_not_changed(tmp_path: Path) -> None:
    pixels, mask = textured(np.random.default_rng(0), 30, 30), np.ones((30, 30), np.uint8)
    trace = JpegTrace(np.full((32, 32), -40, np.int16), np.full((8, 8), 99, np.uint16))
    assemble(pixels, trace, mask, 64, label=1.0, domain=0, operation="splice")
    assert (trace.coefficients == -40).all()
    assert (trace.table == 99).all()
    assert mask.all()


@pytest.mark.parametrize("save", [Jpeg(83), Jpeg(50, table="NIKON E950", subsampling="4:2:2"), Png()])
def test_a_forgery_becomes_what_its_file_is(save: Jpeg | Png) -> None:
    pixels, mask = textured(np.random.default_rng(0), 61, 83), np.ones((61, 83), np.uint8)
    forgery = Forgery(pixels, mask, save, 1.0, "face", "splice", {"seed": 3})
    sample = sample_of(forgery, 96)
    tile = cut(load(forgery.data()), 0, 0, 96)
    np.testing.assert_array_equal(sample.image, tile.image[0])
    np.testing.assert_array_equal(sample.coefficients, tile.coefficients[0])
    np.testing.assert_array_equal(sample.table, tile.table[0])
    assert (sample.label, sample.domain, sample.operation, sample.recipe) == (1.0, 2, "splice", {"seed": 3})
    assert forgery.suffix == (".png" if save == Png() else ".jpg")
