from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from data_pictures import only

from omni_iml.data.sources import DOMAINS
from omni_iml.data.synthesis import Engine, SynthesisConfig
from omni_iml.data.synthesis.scene import Scene
from omni_iml.data.tile_cache import TilePool

MakeEngine = Callable[..., Engine]


def test_padding_meets_every_domain_alike(engine: MakeEngine) -> None:
    draw = engine(size=64, pad=0.5, channels={"saved": 1.0}, rescale=0.0, first_jpeg=0.0)
    padded: dict[str, list[bool]] = {}
    for index in range(400):
        forgery = draw.forgery(index)
        padded.setdefault(forgery.domain, []).append(forgery.mask.shape != (64, 64))
    assert set(padded) == set(DOMAINS)
    for domain, cut in padded.items():
        assert 0.2 < np.mean(cut) < 0.8, domain


def test_a_view_draws_what_the_composite_did_not(engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, firsts = engine(views=2), []

    def kept(name: str) -> None:
        whole = getattr(Engine, name)

        def spied(self: Engine, rng: Any, *rest: Any) -> Any:
            firsts.append(np.random.Generator(copy.deepcopy(rng.bit_generator)).random())
            return whole(self, rng, *rest)

        monkeypatch.setattr(Engine, name, spied)

    kept("_compose")
    kept("_view")
    for index in range(6):
        draw.forgery(index)
    assert len(firsts) == len(set(firsts)) == 9  # three composites of two views


def test_donors_are_of_something_else(pool: TilePool, monkeypatch: pytest.MonkeyPatch) -> None:
    config = SynthesisConfig(size=64, authentic=0.0, domains={"face": 1.0}, operations={"splice": 1.0})
    draw, crops = Engine(only(pool, "face/portraits"), "train", config, 2), []
    crop = Engine._crop

    def watched(self: Engine, rng: Any, entry: Any, side: int) -> Scene:
        crops.append(entry.identity)
        return crop(self, rng, entry, side)

    monkeypatch.setattr(Engine, "_crop", watched)
    for number in range(40):
        crops.clear()
        draw.composite(number)
        assert crops[0] not in crops[1:]
    alone = only(pool, "face/portraits")
    alone.entries = alone.entries[:1]
    lonely = Engine(alone, None, config, 2)
    assert {lonely.composite(number).operation for number in range(5)} == {"local_filter"}
