"""Each method without training finds what it is made for, and says nothing where there is nothing."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from omni_iml.evaluation.baselines import BASELINES
from omni_iml.io import load
from omni_iml.metrics import roc_auc


def scene(seed=3, size=(320, 320)):
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(30, 226, (10, 10, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    fine = rng.normal(0, 9, (*size[::-1], 1))
    return np.clip(np.asarray(coarse, np.float32) + fine, 0, 255).astype(np.uint8)


def jpeg(pixels, quality):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling="4:4:4")
    return buffer.getvalue()


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def mask(box, size=(320, 320)):
    truth = np.zeros(size[::-1], bool)
    truth[box] = True
    return truth


BOX = np.s_[96:208, 112:224]


@pytest.mark.parametrize("name", BASELINES)
def test_maps_are_probabilities_of_the_displayed_size(name):
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.fromarray(scene(size=(130, 90))).save(buffer, "JPEG", quality=80, exif=exif)
    map_ = BASELINES[name](load(buffer.getvalue()))
    assert map_.shape == (130, 90)
    assert map_.dtype == np.float32
    assert map_.min() >= 0
    assert map_.max() <= 1


@pytest.mark.parametrize("name", ["error-level", "double-quantization"])
def test_a_paste_into_a_jpeg_that_is_saved_again(name):
    host, guest = decoded(jpeg(scene(), 60)), scene(4)
    host = host.copy()
    host[BOX] = guest[BOX]
    map_ = BASELINES[name](load(jpeg(host, 92)))
    assert roc_auc(map_, mask(BOX)) > 0.75


def test_the_ghost_of_a_place_that_was_compressed_at_a_lower_quality():
    host, guest = scene().copy(), decoded(jpeg(scene(4), 60))
    host[BOX] = guest[BOX]
    map_ = BASELINES["jpeg-ghosts"](load(jpeg(host, 92)))
    assert roc_auc(map_, mask(BOX)) > 0.9


def test_a_blurred_place_has_another_noise():
    pixels = scene()
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(2)))
    pixels[BOX] = blurred[BOX]
    assert roc_auc(BASELINES["noise-level"](load(pixels)), mask(BOX)) > 0.9


def test_a_place_on_another_grid():
    host, guest = decoded(jpeg(scene(), 60)).copy(), decoded(jpeg(scene(4), 60))
    host[BOX] = guest[99:211, 117:229]  # moved by (3, 5) off the grid
    map_ = BASELINES["block-grid"](load(host))
    assert roc_auc(map_, mask(BOX)) > 0.9
    assert (BASELINES["block-grid"](load(decoded(jpeg(scene(), 60)))) > 0.5).mean() < 0.01


def test_a_copied_place_and_its_source():
    rng = np.random.default_rng(5)
    pixels = np.asarray(
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).resize((320, 320), Image.Resampling.BICUBIC)
    ).copy()
    assert BASELINES["keypoint-copy-move"](load(pixels)).max() == 0
    pixels[200:280, 200:280] = pixels[40:120, 30:110]
    both = mask(np.s_[200:280, 200:280]) | mask(np.s_[40:120, 30:110])
    map_ = BASELINES["keypoint-copy-move"](load(pixels)) > 0.5
    assert (map_ & both).sum() / (map_ | both).sum() > 0.5
