"""Sources smaller than the sample: mirrored while they are worked on, padded as at inference in the end."""

from __future__ import annotations

import numpy as np

from omni_iml.data.synthesis import Engine, SynthesisConfig
from omni_iml.data.synthesis.crop import draw_crop
from omni_iml.data.synthesis.scene import Scene
from omni_iml.data.tile_cache import TileEntry


def test_a_crop_knows_which_part_is_the_source_s_own():
    tile = np.random.default_rng(0).integers(0, 255, (64, 100, 3), dtype=np.uint8)
    entry = TileEntry(0, 64, 100, "document/set", "set/a", "train")
    crop = draw_crop(np.random.default_rng(1), tile, entry, 136, 0.0, 136)
    # 1.25 is the most that a small tile is enlarged.
    assert crop.pixels.shape == (136, 136, 3)
    assert crop.extent == (80, 125)
    assert crop.filled == (56, 11)


def test_windows_keep_count_of_the_filled_part():
    crop = Scene(np.zeros((100, 100, 3), np.uint8), filled=(30, 0))
    assert crop.window(10, 5, 90, 90).extent == (60, 90)
    assert crop.window(0, 0, 50, 50).filled == (0, 0)
    assert crop.window(60, 0, 40, 40).extent == (10, 40)


class OneTile:
    """A pool of one picture of 64x100 pixels."""

    entry = TileEntry(0, 64, 100, "document/set", "set/a", "train")

    def select(self, split):
        return {"natural": [], "document": [self.entry], "face": [], "scene_text": []}

    def pixels(self, entry):
        return np.random.default_rng(0).integers(0, 255, (64, 100, 3), dtype=np.uint8)


def test_samples_of_small_sources_are_padded_not_mirrored():
    config = SynthesisConfig(
        size=256, domains={"document": 1.0}, pad=0.0, rescale=0.0, crop_shift=0.0, rendered=0.0, channels={"saved": 1.0}
    )
    engine = Engine(OneTile(), "train", config, 3)
    for index in range(12):
        sample = engine(index)
        assert (sample.mask[:80, :125] != 255).all()
        assert (sample.mask[80:] == 255).all()
        assert (sample.mask[:, 125:] == 255).all()
        assert (sample.image[:, 80:, :125] == sample.image[:, 79:80, :125]).all(), "padded with the last row"
        assert (sample.coefficients[80:] == 0).all()
        assert (sample.label == 1) == bool((sample.mask == 1).any())
