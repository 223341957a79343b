from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from omni_iml.explain.refine.areas import areas_of, painted
from omni_iml.explain.refine.labelled import Labelled

SHAPE = (30, 45)


def specks(seed: int, share: float) -> NDArray[np.bool_]:
    return np.asarray(np.random.default_rng(seed).random(SHAPE) < share)


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 999), st.sampled_from([0.0, 0.05, 0.2, 0.5]), st.sampled_from([0.0, 0.02, 0.3]))
def test_all_regions_at_once_are_what_they_are_one_by_one(seed: int, share: float, other: float) -> None:
    mask, found = specks(seed, share), areas_of(specks(seed + 1000, other))[:8]
    probability = np.random.default_rng(seed).random(SHAPE).astype(np.float32)
    regions, plain = Labelled(mask), areas_of(mask)
    assert regions.boxes == [area.box for area in plain]
    assert regions.sizes.tolist() == [area.size for area in plain]
    means = [probability[area.where][area.pixels].mean() for area in plain]
    assert regions.means(probability) == pytest.approx(np.array(means), abs=1e-6)
    assert [regions.position(at) for at in range(len(plain))] == [area.position(*SHAPE) for area in plain]

    alone = [painted([area], *SHAPE) for area in found]
    own = [painted([area], *SHAPE) for area in plain]
    expected = np.array([[(one & two).sum() for two in alone] for one in own], int).reshape(len(own), len(alone))
    touched, shared = regions.overlaps(found)
    assert touched.tolist() == np.flatnonzero(expected.any(1)).tolist()
    assert (shared == expected[touched]).all()
    chosen = np.random.default_rng(seed).random(len(plain)) < 0.5
    for at, area in enumerate(found):
        assert regions.shared(np.flatnonzero(chosen), area) == expected[chosen, at].sum()
    kept = [area for area, here in zip(plain, chosen, strict=True) if here]
    assert (regions.painted(chosen) == painted(kept, *SHAPE)).all()
