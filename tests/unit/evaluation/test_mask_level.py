"""The level of the mask against IoUs counted by hand."""

from __future__ import annotations

from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from omni_iml.data.sources import DOMAINS
from omni_iml.data.synthesis import Engine, SynthesisConfig
from omni_iml.data.tile_cache import build_cache
from omni_iml.evaluation.mask_level import SHIFTS, ShiftedIous, choose_shift, mean_ious, measure_shifts
from omni_iml.evaluation.synthetic import outputs
from omni_iml.inference.session import TileOutputs
from omni_iml.models.network import OmniIML
from omni_iml.models.variants import preset


class BrightIsTampered:
    """A session whose logits are the brightness, far too careful."""

    info = SimpleNamespace(free_size=False, tile=64)

    def __call__(self, image, coefficients, table):
        logits = (image.mean(1, keepdims=True) / 64 - 3).astype(np.float32)
        return TileOutputs(logits, np.zeros(len(image), np.float32), np.zeros(len(image), np.float32))


def test_ious_are_those_of_the_shifted_logits(held_out_root, tmp_path):
    pool, config = build_cache(held_out_root, tmp_path / "tiles"), SynthesisConfig(authentic=0.3)
    session = BrightIsTampered()
    answered = (outputs(session, pool, "validation", domain, config, count=5, seed=3) for domain in DOMAINS)
    results = measure_shifts(chain.from_iterable(answered))
    assert [result.domain for result in results] == [domain for domain in DOMAINS for _ in range(5)]
    assert {result.tampered for result in results} == {True, False}
    for at, domain in enumerate(DOMAINS):
        engine = Engine(pool, "validation", SynthesisConfig(size=64, authentic=0.3, domains={domain: 1.0}), 3)
        for index in range(5):
            sample, result = engine(index), results[5 * at + index]
            truth, counted = sample.mask == 1, sample.mask != 255
            for shift, iou, marked in zip(SHIFTS, result.ious, result.marked, strict=True):
                mask = (sample.image.mean(0) / 64 - 3 + shift > 0) & counted
                assert marked == pytest.approx(mask.mean())
                if result.tampered:
                    assert iou == pytest.approx((mask & truth).sum() / (mask | truth)[counted].sum())
                else:
                    assert not truth.any()
                    assert np.isnan(iou)


def test_the_best_mean_over_tampered_samples_is_chosen_and_the_smallest_of_equals():
    def result(tampered, *first):
        ious = (*first, *(0.0,) * (len(SHIFTS) - len(first)))
        return ShiftedIous("natural", tampered, ious if tampered else (float("nan"),) * len(SHIFTS), ious)

    results = [result(True, 0.2, 0.5, 0.5), result(True, 0.4, 0.3, 0.3), result(False, 0.9)]
    assert mean_ious(results)[:4] == pytest.approx([0.3, 0.4, 0.4, 0.0])
    assert choose_shift(results) == SHIFTS[1]
    with pytest.raises(ValueError, match="no tampered sample"):
        choose_shift(results[2:])


def test_the_last_bias_is_the_level_of_the_mask():
    network = OmniIML(preset("bundled")).eval()
    tile = torch.zeros(1, 3, 64, 64), torch.zeros(1, 64, 64, dtype=torch.uint8), torch.ones(1, 8, 8, dtype=torch.uint8)
    with torch.no_grad():
        before = network(*tile)
        network.decoder.predict.bias += 1.25
        after = network(*tile)
    torch.testing.assert_close(after.mask, before.mask + 1.25)
    torch.testing.assert_close(after.image, before.image)
