import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omni_iml.evaluation.counting import Truth, count_picture
from omni_iml.evaluation.formulas import picture_values
from omni_iml.evaluation.protocol import PROTOCOLS, STANDARD_COUNTINGS, Geometry
from omni_iml.evaluation.scores import domain_means, pooled_auc, score_set
from omni_iml.evaluation.table import read_parquet, write_parquet
from omni_iml.metrics import roc_auc

SIDES = st.integers(1, 24)


@st.composite
def pictures(draw):
    height, width, seed = draw(SIDES), draw(SIDES), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    levels = draw(st.sampled_from([1, 2, 3, 255, 2**24]))
    map_ = (rng.integers(0, levels + 1, (height, width)) / levels).astype(np.float32)
    kind = draw(st.sampled_from(["empty", "full", "pixel", "random"]))
    mask = np.zeros((height, width), bool)
    if kind == "full":
        mask[:] = True
    elif kind == "pixel":
        mask[rng.integers(height), rng.integers(width)] = True
    elif kind == "random":
        mask = rng.random((height, width)) < 0.3
    return map_, mask


@given(pictures())
@settings(max_examples=60, deadline=None)
def test_figures_stay_in_range_and_counts_add_up(picture):
    map_, mask = picture
    row = count_picture(map_, Truth.of(mask), label=1)
    for counting in STANDARD_COUNTINGS:
        total = sum(row.counts[counting.name])
        assert total == mask.size if counting.band is None else total <= mask.size
    for protocol in PROTOCOLS.values():
        for estimate in score_set([row], protocol, resamples=0).pixel.values():
            assert np.isnan(estimate.mean) or 0 <= estimate.mean <= 1 + 1e-9
    assert int(row.tampered.sum()) == mask.sum()
    assert int((row.tampered + row.authentic).sum()) == mask.size


@given(pictures())
@settings(max_examples=60, deadline=None)
def test_permuting_never_lowers_a_score_and_does_not_care_which_way_round(picture):
    map_, mask = picture
    row, other = (count_picture(m, Truth.of(mask), label=1) for m in (map_, np.float32(1) - map_))
    for figure, formula in PROTOCOLS["benco"].figures.items():
        if figure == "AUC":
            continue
        plain = picture_values([row], PROTOCOLS["benco"], formula)[0]
        assert picture_values([row], PROTOCOLS["benco-permute"], formula)[0] >= plain
    if not (map_ == 0.5).any():
        values = [picture_values([r], PROTOCOLS["benco-permute"], "f1")[0] for r in (row, other)]
        assert values[0] == pytest.approx(values[1])


@given(pictures())
@settings(max_examples=60, deadline=None)
def test_the_tie_aware_auc_is_the_exact_one_and_the_pooled_one_is_as_near_as_it_says(picture):
    map_, mask = picture
    row = count_picture(map_, Truth.of(mask))
    exact = roc_auc(map_, mask)
    assert row.auc == pytest.approx(exact, nan_ok=True, abs=1e-12)
    pooled, error = pooled_auc([row])
    assert np.isnan(exact) or abs(pooled - exact) <= error + 1e-12


def test_maps_of_8_bits_pool_exactly():
    rng = np.random.default_rng(3)
    maps = [(rng.integers(0, 256, (30, 20)) / np.float32(255)).astype(np.float32) for _ in range(3)]
    masks = [rng.random((30, 20)) < 0.2 for _ in range(3)]
    pooled, _ = pooled_auc(count_picture(m, Truth.of(t)) for m, t in zip(maps, masks, strict=True))
    assert pooled == pytest.approx(roc_auc(np.stack(maps), np.stack(masks)), abs=1e-12)


def test_a_picture_of_12_megapixels_takes_half_a_gigabyte_and_leaves_two_histograms():
    map_ = np.random.default_rng(0).random((3000, 4000), np.float32)
    mask = np.zeros(map_.shape, bool)
    mask[100:900, 100:900] = True
    tracemalloc.start()
    row = count_picture(map_, Truth.of(mask))
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 48 * map_.size
    assert kept < 100_000
    assert row.auc == pytest.approx(0.5, abs=0.002)


def test_padding_is_in_no_count():
    rng = np.random.default_rng(4)
    map_, mask = rng.random((12, 9)).astype(np.float32), rng.random((12, 9)) < 0.4
    padded = [np.pad(x, ((0, 4), (0, 7)), constant_values=v) for x, v in ((map_, 0.9), (mask, False))]
    valid = np.pad(np.ones((12, 9), bool), ((0, 4), (0, 7)))
    whole, row = count_picture(map_, Truth.of(mask)), count_picture(padded[0], Truth(padded[1], padded[1], valid))
    name = PROTOCOLS["benco"].counting.name
    assert row.counts[name] == whole.counts[name]
    assert row.auc == whole.auc


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.1])
def test_values_that_are_no_probabilities_are_refused(bad):
    map_ = np.zeros((4, 4), np.float32)
    map_[1, 1] = bad
    with pytest.raises(ValueError, match="nan or values outside"):
        count_picture(map_, Truth.of(np.zeros((4, 4), bool)))


def test_sizes_that_differ_are_refused():
    with pytest.raises(ValueError, match="one size"):
        count_picture(np.zeros((4, 4), np.float32), Truth.of(np.zeros((4, 5), bool)))


def test_a_geometry_has_a_side_or_is_the_original():
    for mode, side in (("original", 512), ("resize", 0), ("pad", -8)):
        with pytest.raises(ValueError, match="geometry"):
            Geometry(mode, side)


def test_domains_weigh_alike_whatever_they_hold():
    perfect, poor = np.ones((8, 8), np.float32), np.zeros((8, 8), np.float32)
    mask = np.zeros((8, 8), bool)
    mask[:4] = True
    maps = {("a", "natural"): mask.astype(np.float32), ("b", "natural"): poor, ("c", "face"): perfect}
    protocol = PROTOCOLS["clean"]
    scores = [
        score_set([count_picture(m, Truth.of(mask), data=d, domain=domain)], protocol)
        for (d, domain), m in maps.items()
    ]
    assert domain_means(scores, "IoU") == {"natural": 0.5, "face": 0.5, "average": 0.5}
    assert domain_means(scores[:2] + scores[:1], "IoU")["natural"] == pytest.approx(2 / 3)


def test_a_table_comes_back_from_parquet_as_it_was(tmp_path):
    rng = np.random.default_rng(5)
    rows = [
        count_picture(
            rng.random((9, 7)).astype(np.float32), Truth.of(rng.random((9, 7)) < t), data="d", key=str(i), score=s
        )
        for i, (t, s) in enumerate([(0.3, 0.5), (0.0, float("nan"))])
    ]
    write_parquet(tmp_path / "counts.parquet", rows, {"model": "x"})
    back = read_parquet(tmp_path / "counts.parquet")
    for before, after in zip(rows, back, strict=True):
        for name in before.__dataclass_fields__:
            np.testing.assert_equal(getattr(after, name), getattr(before, name))
