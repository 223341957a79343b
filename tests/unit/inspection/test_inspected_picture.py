import numpy as np
import pytest
import torch
from PIL import Image

from omni_iml.inference.detector import Detector
from omni_iml.inference.tiles import cut
from omni_iml.inspection import Gathering, Inspector, inspect_tiles, save_inspection
from omni_iml.io import load
from omni_iml.models.checkpoint import load_network
from omni_iml.types import UnreadableModel


def gathered(inspector, image):
    gathering = Gathering(image, inspector)
    for tile in inspector.tiles(image):
        gathering.add(tile)
    return gathering.finish()


def test_tiles_of_any_size(free_weights, photo, tmp_path):
    inspector = Inspector(free_weights, device="cpu")
    path = photo(height=30, width=70)
    saved = save_inspection(inspector, load(path), tmp_path)
    wanted = Detector(free_weights, "torch").detect(path)
    np.testing.assert_allclose(saved.picture.probability, wanted.probability, atol=1e-6)
    assert [tile.box for tile in saved.picture.tiles] == [tile.box for tile in wanted.tiles]
    for path in (saved.folder / "tile-001").iterdir():
        if path.stem != "filters":
            with Image.open(path) as picture:
                assert picture.size == (64, 32)


@pytest.mark.parametrize(("height", "width", "orientation"), [(90, 130, 6), (40, 50, 3), (64, 150, 8)])
def test_the_picture_is_what_detection_says_of_it(inspector, weights, photo, height, width, orientation):
    path = photo(height=height, width=width, orientation=orientation)
    found = gathered(inspector, load(path))
    wanted = Detector(weights, "torch").detect(path)
    assert found.gate_probability == pytest.approx(wanted.gate_probability, abs=1e-6)
    assert found.modality == wanted.modality
    assert found.score == pytest.approx(wanted.score, abs=1e-6)
    assert found.verdict == wanted.verdict
    np.testing.assert_allclose(found.probability, wanted.probability, atol=1e-6)
    assert np.array_equal(found.pixels, wanted.pixels)
    assert [tile.box for tile in found.tiles] == [tile.box for tile in wanted.tiles]
    for tile, other in zip(found.tiles, wanted.tiles, strict=True):
        assert tile.gate_probability == pytest.approx(other.gate_probability, abs=1e-6)
        assert tile.image_logit == pytest.approx(other.image_logit, abs=1e-5)
    assert found.model == wanted.model


@pytest.mark.parametrize("orientation", [1, 6])
def test_of_a_file_that_was_cut_short_too(inspector, weights, photo, orientation):
    data = photo(height=200, width=130, orientation=orientation).read_bytes()
    data = data[: len(data) // 2]
    image = load(data)
    assert image.missing_rows
    found, wanted = gathered(inspector, image), Detector(weights, "torch").detect(data)
    np.testing.assert_allclose(found.probability, wanted.probability, atol=1e-6)
    assert found.score == pytest.approx(wanted.score, abs=1e-6)
    assert [tile.box for tile in found.tiles] == [tile.box for tile in wanted.tiles]


def test_tiles_are_cut_as_in_detection_and_numbered_row_by_row(inspector, weights, photo):
    image = load(photo())
    grid = inspector.grid(image)
    network, _ = load_network(weights)
    tiles = list(inspector.tiles(image))
    assert [tile.index for tile in tiles] == list(range(len(grid)))
    assert len(grid) == len(grid.rows) * len(grid.columns) > 4
    for tile in tiles:
        left, top, right, bottom = tile.box
        assert (top, left) == (grid.rows[tile.index // len(grid.columns)], grid.columns[tile.index % len(grid.columns)])
        inside = image.pixels[top:bottom, left:right].transpose(2, 0, 1)
        assert np.array_equal(tile.values.image[0, :, : bottom - top, : right - left], inside)
        inputs = cut(image, top, left, 64)
        alone = inspect_tiles(network, inputs.image, inputs.coefficients, inputs.table)
        np.testing.assert_allclose(tile.values.e3_enhanced, alone.e3_enhanced, atol=1e-5)


def test_activations_of_the_picture_are_means_by_area(inspector, photo):
    found = gathered(inspector, load(photo(height=70, width=130)))
    areas = np.array([(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (tile.stored_box for tile in found.tiles)])
    assert len(set(areas)) > 1
    for name, values in found.activations.items():
        each = np.array([tile.activations[name] for tile in found.tiles])  # (tiles, filters)
        np.testing.assert_allclose(values, (each * areas[:, None]).sum(0) / areas.sum())


def test_means_of_a_tile_leave_padding_out_of_the_mask(inspector, photo):
    image = load(photo(height=40, width=50))
    (tile,) = inspector.tiles(image)
    summary = Gathering(image, inspector).add(tile)
    mask = 1 / (1 + np.exp(-tile.values.mask_logit[0, 0, :40, :50].astype(np.float64)))
    assert summary.mean_probability == pytest.approx(mask.mean(), abs=1e-6)
    coarse = 1 / (1 + np.exp(-tile.values.coarse_rgb_logit.astype(np.float64)))
    assert summary.mean_coarse_rgb == pytest.approx(coarse.mean(), abs=1e-6)


def test_every_tile_must_be_there(inspector, photo):
    image = load(photo())
    gathering = Gathering(image, inspector)
    gathering.add(next(inspector.tiles(image)))
    with pytest.raises(ValueError, match=r"1 of \d+ tiles"):
        gathering.finish()


def test_an_onnx_file_has_no_values_in_between(tiny_model):
    with pytest.raises(UnreadableModel, match=r"tiny\.onnx: an ONNX graph .* name the weights \(\.safetensors\)"):
        Inspector(tiny_model)


@pytest.mark.parametrize("device", ["abacus", "cuda:77", "meta"])
def test_a_device_that_is_of_no_use(weights, device):
    if device.startswith("cuda") and torch.cuda.is_available():
        pytest.skip("this computer has CUDA")
    with pytest.raises(ValueError, match=f"device '{device}': torch cannot use it here .*; try cpu"):
        Inspector(weights, device=device)
