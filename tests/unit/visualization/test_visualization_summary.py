import math

import numpy as np
import pytest

from omni_iml.visualization.contrast import Contrast
from omni_iml.visualization.looking import Look
from omni_iml.visualization.summary import (
    activations,
    cells,
    components,
    contrast_rows,
    explained,
    filter_rows,
    gate_rows,
    groups,
    shown,
    wilson,
)


def look(data="a", domain="natural", label=1, vision=True, a=(0.2, 0.4), before=1.0, after=2.0, **changes):
    values = {
        "data": data, "domain": domain, "key": "k", "label": label, "tiles": 4, "vision_tiles": 3 if vision else 1,
        "gate_probability": 0.75 if vision else 0.25, "modality": "vision" if vision else "vision+frequency",
        "activations": {"DWF_2": a, "DWF_2#2": a[::-1]}, "iou": 0.5, "f1": 0.6, "marked": 0.1,
        "contrast": {name: Contrast(v, 2 * v) for m in ("E2", "E3") for name, v in ((m, before), (f"{m}'", after))},
    }  # fmt: skip
    return Look(**{**values, **changes})


def test_groups_by_domain_and_set_with_labels_apart():
    found = groups([look("f", "face"), look("b"), look("a"), look("a", label=0)])
    named = [(group.kind, group.name, group.label, len(group.looks)) for group in found]
    assert named == [
        ("domain", "natural", "tampered", 2),
        ("domain", "face", "tampered", 1),
        ("domain", "natural", "authentic", 1),
        ("data set", "f", "tampered", 1),
        ("data set", "b", "tampered", 1),
        ("data set", "a", "tampered", 1),
        ("data set", "a", "authentic", 1),
    ]
    assert [group.label for group in shown(found)] == ["tampered"] * 5
    only = groups([look(label=0)])
    assert shown(only) == only


def test_gate_rates():
    (row, _) = gate_rows(groups([look(), look(), look(vision=False), look(modality=None, gate_probability=None)]))
    assert (row.pictures, row.vision, row.share) == (3, 2, pytest.approx(2 / 3))
    assert (row.tiles, row.vision_tiles, row.share_of_tiles) == (12, 7, pytest.approx(7 / 12))
    assert row.mean_probability == pytest.approx((0.75 + 0.75 + 0.25) / 3)
    assert gate_rows(groups([look(modality=None)])) == []


def test_wilsons_interval():
    """Newcombe 1998, table I: 81 of 263 and 0 of 20."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)
    assert wilson(20, 20) == pytest.approx((0.8389, 1), abs=1e-4)


def test_filters_have_mean_and_spread_of_each_cell():
    rows = filter_rows(groups([look(a=(0.2, 0.4)), look(a=(0.4, 0.8))]))[:4]
    found = [(row.filter, row.weight, round(row.mean, 6), round(row.spread, 6), row.pictures) for row in rows]
    assert found == [
        ("DWF_2", 1, 0.3, 0.1, 2),
        ("DWF_2", 2, 0.6, 0.2, 2),
        ("DWF_2#2", 1, 0.6, 0.2, 2),
        ("DWF_2#2", 2, 0.3, 0.1, 2),
    ]
    assert filter_rows(groups([look(activations={})])) == []


def test_what_the_domain_explains():
    looks = [look(domain="natural", a=(0.2, 0.2)), look(domain="face", a=(0.6, 0.6))]
    assert explained(looks * 2, lambda k: k.domain) == pytest.approx(1)
    assert math.isnan(explained([look()] * 3, lambda k: k.domain))
    mixed = [look(domain=d, a=(v, v)) for d in ("natural", "face") for v in (0.2, 0.6)]
    assert explained(mixed, lambda k: k.domain) == pytest.approx(0)
    # Group means 0.3 and 0.5 around 0.4; 0.1 away from them on either side: half of the variance is between.
    half = [look(domain="natural", a=(v, v)) for v in (0.2, 0.4)] + [look(domain="face", a=(v, v)) for v in (0.4, 0.6)]
    assert explained(half, lambda k: k.domain) == pytest.approx(0.5)


def test_components_of_activations():
    looks = [look(a=(0.1 * i, 0.5)) for i in range(4)]
    assert cells(looks) == [("DWF_2", 1), ("DWF_2", 2), ("DWF_2#2", 1), ("DWF_2#2", 2)]
    scores, shares = components(activations(looks))
    assert scores.shape == (4, 2)
    np.testing.assert_allclose(shares, [1, 0], atol=1e-9)
    np.testing.assert_allclose(np.diff(scores[:, 0]), math.sqrt(2) * 0.1)


def test_contrast_before_and_after():
    found = groups([look(before=1, after=3), look(before=2, after=1), look(contrast={}), look(before=math.nan)])
    rows = [row for row in contrast_rows(found) if row.group.kind == "domain"]
    assert [(row.map, row.measure) for row in rows] == [(m, k) for m in ("E2", "E3") for k in ("separation", "energy")]
    energy = rows[1]
    assert (energy.before, energy.after, energy.change.mean, energy.change.n) == (1.5, 2, 0.5, 2)
    assert energy.grew == 0.5
    assert rows[0].before == 3
    assert contrast_rows(groups([look(contrast={})])) == []
