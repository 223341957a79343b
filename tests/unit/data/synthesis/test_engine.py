from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_pictures import only, textured
from PIL import Image

from omni_iml.data.sources import DOMAINS
from omni_iml.data.synthesis import AUTHENTIC, Engine, Sample, SynthesisConfig, shapes
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.operations import Entry, catalogue
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.tile_cache import TilePool, build_cache
from omni_iml.io import trace_of_pixels

MakeEngine = Callable[..., Engine]


def fingerprint(sample: Sample) -> tuple[Any, ...]:
    arrays = (sample.image, sample.coefficients, sample.table, sample.mask)
    return (*(a.tobytes() for a in arrays), sample.label, sample.domain, sample.operation)


def test_a_sample_depends_on_seed_and_index_alone(engine: MakeEngine) -> None:
    first = engine()
    drawn = {index: fingerprint(first(index)) for index in range(40)}
    for other in (first, engine(), pickle.loads(pickle.dumps(first))):
        assert {index: fingerprint(other(index)) for index in reversed(range(40))} == drawn
    assert len(set(drawn.values())) == 40
    for seed in (8, 7_000):
        assert not set(drawn.values()) & {fingerprint(engine(seed=seed)(index)) for index in range(40)}


@pytest.mark.parametrize("size", [32, 64, 128, 256])
def test_samples_are_what_they_say(size: int, engine: MakeEngine) -> None:
    draw = engine(size=size, pad=0.3)
    for index in range(40):
        sample = draw(index)
        assert (sample.image.shape, sample.image.dtype) == ((3, size, size), np.uint8)
        assert (sample.coefficients.shape, sample.coefficients.dtype) == ((size, size), np.uint8)
        assert (sample.table.shape, sample.table.dtype) == ((8, 8), np.uint8)
        assert (sample.mask.shape, sample.mask.dtype) == ((size, size), np.uint8)
        assert sample.coefficients.max() <= 20
        assert 1 <= sample.table.min() <= sample.table.max() <= 63
        assert set(np.unique(sample.mask)) <= {0, 1, 255}
        assert sample.image.std() > 0 or sample.label == 0  # blank paper is what small pieces of pages are at times
        assert sample.domain in range(len(DOMAINS))
        tampered = (sample.mask == 1).any()
        assert tampered == (sample.label == 1) == (sample.operation != AUTHENTIC)
        assert sample.label in (-1, 0, 1)


def test_every_operation_of_every_domain_is_drawn_and_no_other(engine: MakeEngine) -> None:
    for domain, entries in catalogue((0.01, 0.4)).items():
        draw = engine(size=64, domains={domain: 1.0}, pad=0.0)
        # Those that need a face or a word of the picture find none in some of these pictures.
        samples = [draw(index) for index in range(150)]
        assert {DOMAINS[s.domain] for s in samples} == {domain}
        assert {AUTHENTIC} < {s.operation for s in samples} <= {AUTHENTIC, "local_filter", *entries}
        assert sum(entry.share for entry in entries.values()) == pytest.approx(1)
        assert min(entry.share for entry in entries.values()) > 0


def test_domains_are_drawn_by_their_shares(engine: MakeEngine) -> None:
    draw = engine(size=32, domains={"natural": 3, "face": 1, "document": 0})
    drawn = np.array([draw(index).domain for index in range(400)])
    assert set(drawn) == {DOMAINS.index("natural"), DOMAINS.index("face")}
    assert np.mean(drawn == DOMAINS.index("natural")) == pytest.approx(0.75, abs=0.08)


def test_coefficients_and_table_of_jpeg_samples_agree_with_their_pixels(engine: MakeEngine) -> None:
    draw = engine(last_png=0.0, last_quality=(60, 92), pad=0.0, channels={"saved": 1.0})
    samples = [draw(index) for index in range(24)]
    own, others = [], []
    for place, sample in enumerate(samples):
        assert sample.table.max() > 1
        dct = trace_of_pixels(np.ascontiguousarray(sample.image.transpose(1, 2, 0))).coefficients
        steps = np.tile(sample.table.astype(float), (12, 12))
        level = np.abs(dct / steps)  # in quantization steps
        fair = (sample.coefficients < 20) & (steps < 63) & (level < 20)
        own.append(np.abs(level - sample.coefficients)[fair].mean())
        others.append(np.abs(level - samples[place - 1].coefficients)[fair].mean())
    assert np.median(own) < 0.1
    assert max(own) < 0.25
    assert min(others) > 2 * max(own)


def test_coefficients_of_png_samples_are_the_dct_of_their_pixels(engine: MakeEngine) -> None:
    draw = engine(last_png=1.0, pad=0.0, channels={"saved": 1.0})
    for index in range(12):
        sample = draw(index)
        trace = trace_of_pixels(np.ascontiguousarray(sample.image.transpose(1, 2, 0)))
        np.testing.assert_array_equal(sample.coefficients, np.minimum(np.abs(trace.coefficients), 20))
        assert (sample.table == 1).all()


def test_padding_lies_right_and_below(engine: MakeEngine) -> None:
    draw = engine(pad=1.0)
    padded = 0
    for index in range(30):
        sample = draw(index)
        inside = sample.mask != 255
        height, width = int(inside.any(1).sum()), int(inside.any(0).sum())
        assert inside[:height, :width].all()
        assert inside.sum() == height * width
        assert 38 <= min(height, width) <= max(height, width) <= 96
        padded += inside.sum() < 96 * 96
        assert not sample.coefficients[-(-height // 8) * 8 :].any()
        assert not sample.coefficients[:, -(-width // 8) * 8 :].any()
        assert (sample.image[:, height:] == sample.image[:, height - 1 : height]).all()
        assert (sample.image[:, :, width:] == sample.image[:, :, width - 1 : width]).all()
    assert padded > 25


def test_authentic_samples_have_empty_masks_and_generated_portraits_no_label(pool: TilePool) -> None:
    for origin, label in (("face/portraits", 0.0), ("face/faker_ai_portraits_cc0", -1.0)):
        config = SynthesisConfig(size=64, authentic=1.0, domains={"face": 1.0})
        draw = Engine(only(pool, origin), "train", config, 1)
        for index in range(20):
            sample = draw(index)
            assert not (sample.mask == 1).any()
            assert (sample.label, sample.operation) == (label, AUTHENTIC)


def test_a_generated_portrait_that_was_edited_is_tampered(pool: TilePool) -> None:
    config = SynthesisConfig(size=64, authentic=0.0, pad=0.0, domains={"face": 0.5})
    draw = Engine(only(pool, "face/faker_ai_portraits_cc0", "natural/scenes"), "train", config, 1)
    assert {draw(index).label for index in range(20)} == {1.0}


def test_padding_never_cuts_the_edit_away(pool: TilePool) -> None:
    """Were it so, small pictures would be authentic more often than others."""
    config = SynthesisConfig(size=96, authentic=0.0, pad=1.0, area=(0.01, 0.03), domains={"face": 1.0})
    draw = Engine(only(pool, "face/portraits", "natural/scenes"), "train", config, 1)
    for sample in map(draw, range(80)):
        assert (sample.mask == 1).any() == (sample.operation != AUTHENTIC)
        assert sample.operation != AUTHENTIC


def test_shares_of_operations_can_be_chosen(engine: MakeEngine) -> None:
    draw = engine(operations={"remove": 1, "copy_move": 3}, domains={"natural": 1.0}, authentic=0.0, size=64)
    drawn = [draw(index).operation for index in range(120)]
    assert set(drawn) <= {"remove", "copy_move", "local_filter"}
    assert np.mean([name == "copy_move" for name in drawn]) == pytest.approx(0.75, abs=0.15)


def test_where_no_edit_shows_the_sample_is_authentic(engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, tries = engine(authentic=0.0, pad=0.0), []

    def changes_nothing(rng: Any, scene: Scene, donor: Donor) -> Edit:
        tries.append("in vain")
        mask = shapes.fitted(shapes.rectangle(rng, 96, 0.1), *scene.pixels.shape[:2])
        return Edit(scene.pixels, mask)

    def marks_nothing(rng: Any, scene: Scene, donor: Donor) -> Edit:
        return Edit(255 - scene.pixels, np.zeros(scene.pixels.shape[:2], np.uint8))

    def finds_nothing(rng: Any, scene: Scene, donor: Donor) -> Edit:
        raise NothingToEdit

    def only_has(operation: Any) -> None:
        draw._latest = None
        draw._catalogue = {domain: {"vain": Entry(operation, 1.0)} for domain in DOMAINS}

    only_has(changes_nothing)
    assert draw(0).operation == "local_filter"
    assert len(tries) == 6
    for operation in (changes_nothing, marks_nothing, finds_nothing):
        only_has(operation)
        monkeypatch.setattr("omni_iml.data.synthesis.engine.LocalFilter", lambda area: operation)  # noqa: B023
        for index in range(10):
            sample = draw(index)
            assert not (sample.mask == 1).any()
            assert sample.operation == AUTHENTIC
            assert sample.label in (0.0, -1.0)


def test_blank_pages_are_not_called_tampered_for_nothing(tmp_path: Path) -> None:
    for number in range(3):
        place = tmp_path / "source" / "document" / "blank"
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (160, 160), (245, 245, 245)).save(place / f"{number}.png")
    config = SynthesisConfig(
        size=96,
        authentic=0.0,
        rendered=0.0,
        first_jpeg=0.0,
        pad=0.0,
        last_png=1.0,
        soften=0.0,
        channels={"saved": 1.0},
        domains={"document": 1.0},
    )
    pool = build_cache(tmp_path, tmp_path / "tiles")
    draw = Engine(pool, pool.entries[0].split, config, 3)
    samples = [draw(index) for index in range(60)]
    assert {s.label for s in samples} == {0.0, 1.0}
    for sample in samples:
        changed = np.abs(sample.image.astype(int) - 245).max(0) > 0
        if sample.label == 1:
            assert changed[sample.mask == 1].any()
        else:
            assert not changed.any()


@pytest.mark.parametrize("domain", DOMAINS)
def test_masks_are_exact(domain: str, engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any later change, every pixel that differs from the source lies inside the mask."""
    draw, scenes = engine(authentic=0.0, last_png=1.0, soften=0.0, pad=0.0, channels={"saved": 1.0}), []
    tamper = Engine._tamper

    def spied(self: Engine, rng: Any, domain: Any, scene: Scene, identity: str) -> Any:
        scenes.append(scene.pixels.copy())
        result = tamper(self, rng, domain, scene, identity)
        np.testing.assert_array_equal(scene.pixels, scenes[-1])  # an operation leaves its scene alone
        return result

    monkeypatch.setattr(Engine, "_tamper", spied)
    draw = engine(authentic=0.0, last_png=1.0, soften=0.0, pad=0.0, channels={"saved": 1.0}, domains={domain: 1.0})
    for index in range(40):
        sample = draw(index)
        height, width = (min(96, side) for side in scenes[-1].shape[:2])
        changed = (sample.image.transpose(1, 2, 0)[:height, :width] != scenes[-1][:height, :width]).any(2)
        inside = sample.mask[:height, :width] == 1
        assert not changed[~inside].any(), sample.recipe
        assert not inside.any() or changed[inside].mean() > 0.02


def test_a_second_edit_comes_upon_the_first(engine: MakeEngine) -> None:
    once, again = engine(authentic=0.0), engine(authentic=0.0, again=1.0)
    larger, told = 0, 0
    for number in range(40):
        first, both = once.composite(number), again.composite(number)
        assert both.operation == first.operation
        assert (both.edit.mask >= first.edit.mask).all()
        assert not (both.edit.pixels != both.scene.pixels).any(2)[both.edit.mask == 0].any()
        larger += int(both.edit.mask.sum() > first.edit.mask.sum())
        second = both.edit.did.get("again")
        assert second is None or second["operation"] in catalogue((0.01, 0.4))[both.domain]
        told += second is not None
    assert told > 30
    assert larger > 20
    some = engine(authentic=0.0, again=0.4)
    assert 10 < sum("again" in some.composite(number).edit.did for number in range(60)) < 38


def test_nobody_edits_what_is_authentic_a_second_time(engine: MakeEngine) -> None:
    draw = engine(authentic=1.0, again=1.0)
    assert not any(draw.composite(number).edit.mask.any() for number in range(20))


@pytest.mark.parametrize("views", [2, 3])
def test_views_show_the_same_edit_in_crops_and_histories_of_their_own(views: int, engine: MakeEngine) -> None:
    draw = engine(authentic=0.0, views=views, size=64)
    samples = [draw(index) for index in range(20 * views)]
    assert fingerprint(engine(authentic=0.0, views=views, size=64)(7)) == fingerprint(samples[7])
    groups = [samples[start : start + views] for start in range(0, len(samples), views)]
    for group in groups:
        assert len({sample.recipe["source"]["identity"] for sample in group}) == 1
        assert len({sample.operation for sample in group} - {AUTHENTIC}) <= 1
    assert len({sample.image.tobytes() for sample in samples}) > 0.9 * len(samples)
    assert np.mean([sample.label == 1 for sample in samples]) > 0.9  # crops go to the edit
    assert len({tuple(sample.recipe["crop"][:2]) for sample in samples}) > 5
    assert len({sample.recipe["history"]["channel"] for sample in groups[0] + groups[1] + groups[2]}) > 1


def test_histories_are_drawn_before_the_edit(engine: MakeEngine) -> None:
    """Whatever share is authentic, the histories and sources of a seed are the same: they cannot tell the label."""
    told = []
    for authentic in (0.0, 0.5, 1.0):
        draw = engine(authentic=authentic, size=64)
        told.append([(r["source"], r["history"]) for r in (draw(index).recipe for index in range(40))])
    assert told[0] == told[1] == told[2]


def test_a_recipe_is_plain_and_names_everything(engine: MakeEngine) -> None:
    draw = engine(seed=11)
    for index in range(30):
        sample = draw(index)
        recipe = json.loads(json.dumps(sample.recipe))
        assert json.dumps(recipe) == json.dumps(sample.recipe)
        assert (recipe["seed"], recipe["index"], recipe["operation"]) == (11, index, sample.operation)
        assert recipe["source"]["origin"].startswith(DOMAINS[sample.domain])


def test_small_sources_are_edited_where_they_are_and_not_beside(tmp_path: Path) -> None:
    place = tmp_path / "source" / "scene_text" / "small"
    place.mkdir(parents=True)
    for name, shape in (("tall", (400, 70)), ("wide", (66, 300)), ("tiny", (64, 64))):
        Image.fromarray(textured(np.random.default_rng(0), *shape)).save(place / f"{name}.png")
    pool = build_cache(tmp_path, tmp_path / "tiles")
    config = SynthesisConfig(
        size=256, authentic=0.0, pad=0.0, domains={"scene_text": 1.0}, channels={"saved": 1.0}, crop_shift=0.0
    )
    for split in sorted({entry.split for entry in pool.entries}):
        draw = Engine(pool, split, config, 2)
        samples = [draw(index) for index in range(40)]
        assert {s.label for s in samples} == {1.0}
        assert all((s.mask == 255).any() for s in samples)
        assert max((s.mask == 1).sum() / (s.mask != 255).sum() for s in samples) < 0.9


def test_donors_lie_on_any_grid(pool: TilePool, monkeypatch: pytest.MonkeyPatch) -> None:
    config = SynthesisConfig(
        size=96, authentic=0.0, first_jpeg=0.0, donor_jpeg=0.0, rescale=0.0, domains={"scene_text": 1.0}
    )
    draw, offsets = Engine(only(pool, "scene_text/signs"), "train", config, 1), []
    donor, window = Engine._donor, Scene.window

    def spied(self: Scene, y: int, x: int, height: int, width: int) -> Scene:
        offsets.append((y, x))
        return window(self, y, x, height, width)

    def watched(self: Engine, rng: Any, domain: Any, scene: Scene, identity: str) -> Scene:
        monkeypatch.setattr(Scene, "window", spied)
        drawn = donor(self, rng, domain, scene, identity)
        monkeypatch.setattr(Scene, "window", window)
        del offsets[:-1]
        ends.append(offsets.pop())
        assert drawn.pixels.shape == scene.pixels.shape
        return drawn

    ends: list[tuple[int, int]] = []
    monkeypatch.setattr(Engine, "_donor", watched)
    for index in range(300):
        draw(index)
    assert {y for y, _ in ends} == {x for _, x in ends} == set(range(8))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"size": 100}, "no positive multiple of 32"),
        ({"size": 0}, "no positive multiple of 32"),
        ({"again": 1.5}, "synthesis again 1.5: is no probability"),
        ({"domains": {"natural": 1.0, "scenetext": 1.0}}, "scenetext: is unknown; the domains are"),
        ({"domains": {"natural": 0.0}}, "none has a share above 0"),
        ({"domains": {}}, "none has a share above 0"),
        ({"channels": {"pigeon": 1.0}}, "channel pigeon: is unknown; the channels are saved, resaved"),
        ({"channels": {"saved": 0.0}}, "synthesis channels: none has a share above 0"),
        ({"views": 0}, "needs one view at least"),
        ({"operations": {"paint": 1.0}}, "operation paint: is unknown; the operations are change_digits, copy_move"),
        ({"operations": {"remove": 0.0}}, "none that natural has is given a share"),
        ({"operations": {"splice": -1.0, "copy_move": 2.0}}, "operations: the share of splice is negative"),
        ({"channels": {"saved": -1.0, "resized": 2.0}}, "channels: the share of saved is negative"),
        ({"domains": {"natural": float("nan")}}, "domains: the share of natural is negative"),
        ({"authentic": 5.0}, "authentic 5.0: is no probability"),
        ({"last_quality": (0, 200)}, "last_quality 0, 200: is no range of JPEG qualities"),
        ({"first_quality": (98, 55)}, "first_quality 98, 55: is no range"),
        ({"area": (0.5, 2.0)}, "area 0.5, 2.0: is no range of shares"),
    ],
)
def test_configurations_that_cannot_be_drawn_from_are_refused(
    config: dict[str, Any], message: str, engine: MakeEngine
) -> None:
    with pytest.raises(ValueError, match=message):
        engine(**config)


def test_domains_without_tiles_are_refused(pool: TilePool) -> None:
    with pytest.raises(ValueError, match="'test' has no source tile of document, scene_text; give it no share"):
        Engine(only(pool, "natural/scenes", "face/portraits"), "test", SynthesisConfig(), 1)


def test_sets_that_are_named_are_the_only_ones_drawn_from(pool: TilePool) -> None:
    sets = ("natural/scenes", "face/portraits")
    config = SynthesisConfig(size=96, domains={"natural": 1.0, "face": 1.0}, sets=sets)
    named, alone = Engine(pool, "train", config, 7), Engine(only(pool, *sets), "train", config, 7)
    for index in range(30):
        assert fingerprint(named(index)) == fingerprint(alone(index))


def test_sets_that_are_not_there_are_refused(engine: MakeEngine) -> None:
    with pytest.raises(ValueError, match=r"split 'train' has none of natural/nowhere; it has .*natural/scenes"):
        engine(sets=("natural/nowhere", "natural/scenes"))
