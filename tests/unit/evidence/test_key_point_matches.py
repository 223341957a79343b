"""Copy-move: which key points match, and how alike the next best place is."""

import numpy as np
import pytest

from omni_iml.evidence.copy_move import _NEIGHBOURS, _best_two


@pytest.mark.parametrize("points", [2, 5, 300])
def test_the_second_best_lies_elsewhere(points: int) -> None:
    rng = np.random.default_rng(points)
    alike = rng.random((40, points), np.float32)
    places = rng.uniform(0, 30, (points, 2)).astype(np.float32)  # so dense that the best often has neighbours
    best, first, second = _best_two(alike.copy(), places)
    skipped = 0
    for row in range(len(alike)):
        order = np.argsort(-alike[row])[:_NEIGHBOURS]
        far = [i for i in order if np.abs(places[i] - places[order[0]]).max() > 8]
        assert best[row] == order[0]
        assert first[row] == alike[row, order[0]]
        assert second[row] == (alike[row, far[0]] if far else -1)
        skipped += not far or far[0] != order[1]
    assert skipped > 0
