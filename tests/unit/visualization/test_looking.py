import math
from dataclasses import replace

import numpy as np
import pytest

from omni_iml.evaluation.data_sets import data_sets
from omni_iml.inference.detector import Detector
from omni_iml.inspection import Inspector
from omni_iml.io.orientation import to_stored
from omni_iml.models import OmniIML
from omni_iml.models.checkpoint import save_weights
from omni_iml.models.export import UNCALIBRATED
from omni_iml.visualization import look_at, maps_of
from omni_iml.visualization.contrast import ContrastCounter, energy, places

KNOWN = (0.1, 0.4, 0.6, 0.9)


def picture(root, name="document", label=1, number=0):
    (data,) = (data for data in data_sets(f"d={root}") if data.name == f"d/{name}")
    return data, [entry for entry in data.reader if entry.label == label][number]


def test_known_gate_and_filters(inspector, data_root):
    look = look_at(inspector, *picture(data_root))
    assert (look.data, look.domain, look.key, look.label) == ("d/document", "document", "0", 1)
    assert look.gate_probability == pytest.approx(0.75)
    assert (look.modality, look.tiles, look.vision_tiles) == ("vision", 6, 6)
    assert list(look.activations) == ["DWF_2", "DWF_3", "DWF_6", "DWF_2#2", "DWF_2#3"]
    for values in look.activations.values():
        np.testing.assert_allclose(values, KNOWN, atol=1e-6)


@pytest.mark.parametrize("number", [0, 1])
def test_mask_and_score_are_those_of_detection(inspector, known_weights, data_root, number):
    data, entry = picture(data_root, number=number)
    look, (maps, _) = look_at(inspector, data, entry), maps_of(inspector, entry)
    found = Detector(known_weights, "torch").detect(entry.data())
    np.testing.assert_allclose(maps.probability, found.probability, atol=1e-6)
    assert np.array_equal(maps.pixels, found.pixels)
    assert maps.truth.shape == found.probability.shape == ((72, 100) if number == 0 else (100, 72))
    called = found.probability > 0.5
    assert look.iou == pytest.approx((called & maps.truth).sum() / (called | maps.truth).sum())
    assert look.marked == pytest.approx(called.mean())


def test_maps_lie_where_the_picture_is(inspector, data_root):
    """A turned picture's maps are turned with it; they have a value for each block of the stored picture."""
    for number, shape in ((0, (72, 100)), (1, (100, 72))):
        maps, found = maps_of(inspector, picture(data_root, number=number)[1])
        assert list(maps.coarse) == ["P_rgb", "P_fused"]
        assert {map_.shape for map_ in (*maps.coarse.values(), *maps.energy.values())} == {shape}
        assert len(found.tiles) == 6
        for map_ in maps.coarse.values():
            assert 0 <= map_.min() <= map_.max() <= 1
            stored = to_stored(map_, maps.image.orientation)
            blocks = stored[:, :96].reshape(9, 8, 12, 8)
            assert np.array_equal(blocks.min((1, 3)), blocks.max((1, 3)))
            assert len(np.unique(blocks)) > 50


def test_energy_and_contrast_of_one_tile(inspector, data_root, tmp_path):
    """A picture of one tile: its maps and contrast by hand."""
    from PIL import Image

    folder = tmp_path / "one"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(3)
    Image.fromarray(rng.integers(0, 255, (48, 64, 3), np.uint8)).save(folder / "images" / "p.png")
    mask = np.zeros((48, 64), np.uint8)
    mask[:24, :32] = 255
    Image.fromarray(mask).save(folder / "masks" / "p.png")
    (data,) = data_sets(f"one={folder}")
    entry = data.reader[0]
    maps, _ = maps_of(inspector, entry)
    (tile,) = inspector.tiles(maps.image)
    strength = energy(tile.values.e2[0])
    np.testing.assert_allclose(maps.energy["E2"][::8, ::8], strength[:6], rtol=1e-5)
    half = energy(tile.values.e3_enhanced[0])
    np.testing.assert_allclose(maps.energy["E3'"][::8, ::8], np.repeat(np.repeat(half, 2, 0), 2, 1)[:6], rtol=1e-5)
    padded, valid = np.zeros((64, 64), bool), np.zeros((64, 64), bool)
    padded[:24, :32], valid[:48] = True, True
    counter = ContrastCounter()
    counter.add(tile.values.e2_enhanced[0], places(padded, valid, 8, 8))
    assert look_at(inspector, data, entry).contrast["E2'"] == counter.finish()


def test_an_authentic_picture_has_no_iou_and_no_contrast(inspector, data_root):
    look = look_at(inspector, *picture(data_root, label=0))
    assert math.isnan(look.iou)
    assert look.contrast == {}
    assert look.label == 0


def test_a_network_without_the_parts(small_config, data_root, tmp_path):
    network = OmniIML(replace(small_config, gate="vision", anomaly_enhancement=False, decoder="fixed"))
    path = tmp_path / "less.safetensors"
    save_weights(network, path, {"model_file": {**UNCALIBRATED, "name": "less", "tile": 64}})
    inspector = Inspector(path, device="cpu")
    data, entry = picture(data_root)
    look, (maps, _) = look_at(inspector, data, entry), maps_of(inspector, entry)
    assert (look.gate_probability, look.modality, look.vision_tiles, look.activations) == (None, None, None, {})
    assert (look.contrast, maps.coarse, maps.energy) == ({}, {}, {})
    assert inspector.samples is None
