import math

import numpy as np
import pytest

from omni_iml.visualization.contrast import ContrastCounter, energy, places


def test_energy_is_the_root_mean_square_over_channels():
    np.testing.assert_allclose(energy(np.array([[[3.0, 0]], [[4, 2]]], np.float32)), [[math.sqrt(12.5), math.sqrt(2)]])


def test_places_of_a_mask():
    mask = np.zeros((16, 24), bool)
    mask[:8, :8] = True  # all of the first place
    mask[:4, 8:16] = True  # half of the second
    mask[0, 16:18] = True  # a little of the third
    valid = np.ones_like(mask)
    valid[8:, 4:] = False  # the second row: half of the first place is in the picture, nothing of the others
    np.testing.assert_array_equal(places(mask, valid, 2, 3), [[1, 1, -1], [0, -1, -1]])


def test_padding_is_not_tampered():
    mask = np.ones((8, 16), bool)
    valid = np.zeros_like(mask)
    valid[:, :4] = True
    np.testing.assert_array_equal(places(mask, valid, 1, 2), [[1, -1]])


def test_contrast_of_known_places():
    """Two channels over four places. Tampered: 5 and 7, authentic: 1 and 3; the other channel is the same in both."""
    features = np.array([[[5, 7, 1, 3]], [[0, 2, 0, 2]]], np.float32)
    where = np.array([[1, 1, 0, 0]], np.int8)
    counter = ContrastCounter()
    counter.add(features, where)
    found = counter.finish()
    # Means 6 and 2, deviation 1 on either side: d = 4 in one channel, 0 in the other.
    assert found.separation == pytest.approx(math.sqrt((4**2 + 0) / 2))
    strength = np.sqrt((features.astype(float) ** 2).mean(0))[0]
    spread = math.sqrt((strength[:2].var() + strength[2:].var()) / 2)
    assert found.energy == pytest.approx((strength[:2].mean() - strength[2:].mean()) / spread)


def test_tiles_count_together_and_places_that_are_neither_do_not():
    rng = np.random.default_rng(1)
    features = rng.normal(2, 1, (3, 4, 6)).astype(np.float32)
    where = rng.integers(-1, 2, (4, 6)).astype(np.int8)
    whole, parts = ContrastCounter(), ContrastCounter()
    whole.add(features, where)
    for left in (0, 2, 4):
        parts.add(features[:, :, left : left + 2], where[:, left : left + 2])
    assert parts.finish().separation == pytest.approx(whole.finish().separation)
    changed = ContrastCounter()
    changed.add(np.where(where == -1, 1e6, features).astype(np.float32), where)
    assert changed.finish().energy == pytest.approx(whole.finish().energy)


@pytest.mark.parametrize("where", [[[0, 0, 0]], [[1, 1, 1]], [[1, 0, 0]]])
def test_fewer_than_two_places_on_a_side_say_nothing(where):
    counter = ContrastCounter()
    counter.add(np.ones((2, 1, 3), np.float32), np.array(where, np.int8))
    assert math.isnan(counter.finish().energy)
    assert math.isnan(counter.finish().separation)


def test_constant_channels_say_nothing():
    counter = ContrastCounter()
    counter.add(np.array([[[0.1, 0.1, 0.1, 0.1]]], np.float32), np.array([[1, 1, 0, 0]], np.int8))
    assert counter.finish().separation == 0
    assert math.isnan(ContrastCounter().finish().energy)  # nothing was added
