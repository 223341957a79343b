from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_pictures import textured
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from omni_iml.data.sources import DOMAINS, TilePool, build_cache
from omni_iml.data.synthesis import Engine, Sample, SynthesisConfig, operations, shapes, text
from omni_iml.data.synthesis.crop import Crop
from omni_iml.data.synthesis.engine import _OPERATIONS, AUTHENTIC, text_box
from omni_iml.data.words import WordBox
from omni_iml.io import trace_of_pixels

MakeEngine = Callable[..., Engine]


def fingerprint(sample: Sample) -> tuple[Any, ...]:
    arrays = (sample.image, sample.coefficients, sample.table, sample.mask)
    return (*(a.tobytes() for a in arrays), sample.label, sample.domain, sample.operation)


def only(pool: TilePool, *origins: str) -> TilePool:
    """A pool of the tiles of some origins alone."""
    part = TilePool(pool.folder)
    part.entries = [entry for entry in part.entries if entry.origin in origins]
    return part


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
        assert sample.image.std() > 0
        assert sample.domain in range(len(DOMAINS))
        tampered = (sample.mask == 1).any()
        assert tampered == (sample.label == 1) == (sample.operation != AUTHENTIC)
        assert sample.label in (-1, 0, 1)


def test_every_operation_of_every_domain_is_drawn_and_no_other(engine: MakeEngine) -> None:
    for domain, shares in _OPERATIONS.items():
        draw = engine(size=64, domains={domain: 1.0}, pad=0.0)
        samples = [draw(index) for index in range(150)]
        assert {DOMAINS[s.domain] for s in samples} == {domain}
        assert {s.operation for s in samples} == {AUTHENTIC, *shares}
        assert sum(shares.values()) == pytest.approx(1)


def test_domains_are_drawn_by_their_shares(engine: MakeEngine) -> None:
    draw = engine(size=32, domains={"natural": 3, "face": 1, "document": 0})
    drawn = np.array([draw(index).domain for index in range(400)])
    assert set(drawn) == {DOMAINS.index("natural"), DOMAINS.index("face")}
    assert np.mean(drawn == DOMAINS.index("natural")) == pytest.approx(0.75, abs=0.08)


def test_coefficients_and_table_of_jpeg_samples_agree_with_their_pixels(engine: MakeEngine) -> None:
    draw = engine(last_png=0.0, last_quality=(60, 92), pad=0.0)
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
    draw = engine(last_png=1.0, pad=0.0)
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


def test_an_edit_that_padding_cut_away_is_no_tampering(pool: TilePool) -> None:
    for origin, label in (("face/portraits", 0.0), ("face/faker_ai_portraits_cc0", -1.0)):
        config = SynthesisConfig(size=96, authentic=0.0, pad=1.0, area=(0.01, 0.03), domains={"face": 1.0})
        draw = Engine(only(pool, origin, "natural/scenes"), "train", config, 1)
        samples = [draw(index) for index in range(80)]
        lost = [s for s in samples if not (s.mask == 1).any()]
        assert 0 < len(lost) < 80
        assert {(s.label, s.operation) for s in lost} == {(label, AUTHENTIC)}


def test_where_no_edit_shows_the_sample_is_authentic(engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, tries = engine(authentic=0.0, pad=0.0), []

    def nothing(self: Engine, rng: Any, operation: str, domain: str, crop: Any) -> Any:
        tries.append(operation)
        return crop.pixels, shapes.rectangle(rng, 96, 0.1)

    monkeypatch.setattr(Engine, "_apply", nothing)
    filtered = operations.local_filter
    assert draw(0).operation == "local_filter"
    assert len(tries) == 6
    for vain in (lambda rng, base, mask: (base, mask), lambda rng, base, mask: (base, mask * 0)):
        monkeypatch.setattr(operations, "local_filter", vain)
        for index in range(10):
            sample = draw(index)
            assert not (sample.mask == 1).any()
            assert sample.operation == AUTHENTIC
            assert sample.label in (0.0, -1.0)
    assert operations.local_filter is not filtered


def test_blank_pages_are_not_called_tampered_for_nothing(tmp_path: Path) -> None:
    for number in range(3):
        place = tmp_path / "source" / "document" / "blank"
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (160, 160), (245, 245, 245)).save(place / f"{number}.png")
    config = SynthesisConfig(size=96, authentic=0.0, pad=0.0, last_png=1.0, soften=0.0, domains={"document": 1.0})
    pool = build_cache(tmp_path, tmp_path / "tiles")
    draw = Engine(pool, pool.entries[0].split, config, 3)
    samples = [draw(index) for index in range(60)]
    assert {s.operation for s in samples} >= {"text"}
    for sample in samples:
        changed = np.abs(sample.image.astype(int) - 245).max(0) > 0
        if sample.label == 1:
            assert changed[sample.mask == 1].any()
        else:
            assert not changed.any()


def test_masks_are_exact(engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any later change, the difference between before and after lies in and around the mask."""
    draw, bases = engine(authentic=0.0, last_png=1.0, soften=0.0, pad=0.0), []
    tamper = Engine._tamper
    monkeypatch.setattr(
        Engine, "_tamper", lambda self, rng, domain, base: bases.append(base.pixels) or tamper(self, rng, domain, base)
    )
    for index in range(60):
        sample = draw(index)
        changed = (sample.image.transpose(1, 2, 0) != bases[-1]).any(2)
        rows, columns = np.nonzero(sample.mask)
        assert changed[rows, columns].mean() > 0.02
        around = np.zeros((96, 96), bool)
        for y, x in zip(rows, columns, strict=True):
            around[max(0, y - 9) : y + 10, max(0, x - 9) : x + 10] = True
        assert not changed[~around].any()


def test_small_sources_are_edited_where_they_are_and_not_beside(tmp_path: Path) -> None:
    place = tmp_path / "source" / "scene_text" / "small"
    place.mkdir(parents=True)
    for name, shape in (("tall", (400, 70)), ("wide", (66, 300)), ("tiny", (64, 64))):
        Image.fromarray(textured(np.random.default_rng(0), *shape)).save(place / f"{name}.png")
    pool = build_cache(tmp_path, tmp_path / "tiles")
    config = SynthesisConfig(size=256, authentic=0.0, pad=0.0, domains={"scene_text": 1.0})
    for split in sorted({entry.split for entry in pool.entries}):
        draw = Engine(pool, split, config, 2)
        samples = [draw(index) for index in range(40)]
        assert {s.label for s in samples} == {1.0}
        assert {s.operation for s in samples} >= {"splice", "text"}
        assert all((s.mask == 255).any() for s in samples)
        assert max((s.mask == 1).sum() / (s.mask != 255).sum() for s in samples) < 0.9


def test_donors_lie_on_any_grid(pool: TilePool, monkeypatch: pytest.MonkeyPatch) -> None:
    config = SynthesisConfig(
        size=96, authentic=0.0, first_jpeg=0.0, donor_jpeg=0.0, rescale=0.0, domains={"scene_text": 1.0}
    )
    draw, offsets = Engine(only(pool, "scene_text/signs"), "train", config, 1), []
    window = Crop.window

    def spied(self: Crop, y: int, x: int, height: int, width: int) -> Crop:
        if self.pixels.shape == (104, 104, 3):
            offsets.append((y, x))
        return window(self, y, x, height, width)

    monkeypatch.setattr(Crop, "window", spied)
    for index in range(300):
        draw(index)
    # The pictures themselves start at (0, 0), their donors anywhere.
    assert {y for y, _ in offsets} == {x for _, x in offsets} == set(range(8))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"size": 100}, "no positive multiple of 32"),
        ({"size": 0}, "no positive multiple of 32"),
        ({"domains": {"natural": 1.0, "scenetext": 1.0}}, "scenetext: is unknown; the domains are"),
        ({"domains": {"natural": 0.0}}, "none has a share above 0"),
        ({"domains": {}}, "none has a share above 0"),
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


@given(st.integers(0, 2**32 - 1), st.integers(32, 512), st.integers(32, 512), st.floats(0.01, 0.4))
def test_boxes_for_text_lie_inside(seed: int, height: int, width: int, area: float) -> None:
    x0, y0, x1, y1 = text_box(np.random.default_rng(seed), height, width, area, ())
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    assert 9 <= y1 - y0 <= 64
    assert 1 <= (x1 - x0) / (y1 - y0) <= 7


@st.composite
def known_words(draw: st.DrawFn) -> list[WordBox]:
    starts = draw(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=1, max_size=5))
    return [WordBox(x, y, x + draw(st.integers(1, 100 - x)), y + draw(st.integers(1, 100 - y))) for x, y in starts]


@given(st.integers(0, 2**32 - 1), known_words())
def test_boxes_for_text_are_parts_of_known_words(seed: int, words: list[WordBox]) -> None:
    box = text_box(np.random.default_rng(seed), 100, 100, 0.1, words)
    legible = [w for w in words if w.y1 - w.y0 >= 6 and w.x1 - w.x0 >= 6]
    if not legible:
        assert box == text_box(np.random.default_rng(seed), 100, 100, 0.1, ())
        return
    x0, y0, x1, y1 = box
    homes = [w for w in legible if w.x0 <= x0 < x1 <= w.x1 and (y0, y1) == (w.y0, w.y1)]
    assert homes
    assert any(min(w.x1 - w.x0, y1 - y0) <= x1 - x0 <= 7 * (y1 - y0) for w in homes)


@pytest.mark.parametrize("first_jpeg", [0.0, 1.0])
@pytest.mark.parametrize("edit", ["replace_text", "erase_text"])
def test_text_edits_of_receipts_hit_their_words(
    edit: str, first_jpeg: float, pool: TilePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited, hits = getattr(text, edit), []

    def spied(rng: Any, base: Any, box: Any) -> Any:
        x0, y0, x1, y1 = box
        inked = (base[y0:y1, x0:x1].mean(2) < 140).any(1)
        # Known boxes are tight: ink near their upper and their lower edge, and none of the line above or below.
        hits.append(inked[:6].any() and inked[-6:].any() and y1 - y0 < 24)
        return edited(rng, base, box)

    monkeypatch.setattr(text, edit, spied)
    config = SynthesisConfig(
        size=96, rescale=0.0, first_jpeg=first_jpeg, first_quality=(90, 98), crop_shift=1.0, domains={"document": 1.0}
    )
    receipts = Engine(only(pool, "document/receipts", "natural/scenes"), "train", config, 5)
    letters = Engine(only(pool, "document/letters", "natural/scenes"), "train", config, 5)
    for index in range(200):
        receipts(index)
    assert len(hits) > 10
    assert np.mean(hits) > 0.95
    hits.clear()
    for index in range(200):
        letters(index)
    assert np.mean(hits) < 0.5  # whose words nobody knows
