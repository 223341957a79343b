"""Scores on a development benchmark in miniature, with the tiny model whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from omni_iml.evaluation.card import BEGIN, END, write_tables
from omni_iml.evaluation.card_tables import alarms_table, devbench_table, robustness_table
from omni_iml.evaluation.devbench import SETS, read_mask, score_devbench
from omni_iml.evaluation.distortions import Distortion
from omni_iml.inference.detector import Detector


@pytest.fixture
def root(tmp_path):
    """Every set: one picture whose left half is green (what the tiny model calls tampered), one gray authentic one."""
    for dataset in SETS:
        folder = tmp_path / "devbench" / dataset
        for name in ("images", "masks", "authentic"):
            (folder / name).mkdir(parents=True)
        pixels = np.full((64, 64, 3), 60, np.uint8)
        Image.fromarray(pixels).save(folder / "authentic" / "clean.png")
        pixels[:, :32, 1] = 250
        Image.fromarray(pixels).save(folder / "images" / "edited.png")
        mask = np.zeros((64, 64), np.uint8)
        mask[:, :16] = 255
        Image.fromarray(mask).save(folder / "masks" / "edited.png")
    return tmp_path


def test_each_picture_is_scored_against_its_mask(root, tiny_model):
    results = list(score_devbench(Detector(tiny_model), root))
    assert len(results) == 2 * len(SETS)
    edited, clean = results[0], results[1]
    # The model marks the left half, the truth is the left quarter.
    assert edited.iou == pytest.approx(0.5)
    assert edited.f1 == pytest.approx(2 / 3)
    assert edited.auc == pytest.approx(1 - 0.5 * (32 - 16) / 48)
    assert edited.area == pytest.approx(0.5)
    assert edited.tampered
    assert not clean.tampered
    assert math.isnan(clean.iou)
    assert clean.area == 0


def test_tables_name_every_set_and_pool_the_real_edits(root, tiny_model):
    results = list(score_devbench(Detector(tiny_model), root))
    table = devbench_table(results)
    for dataset in SETS:
        assert f"| {dataset} | 1 | 0.500" in table
    assert "| pooled real edits | 3 | 0.500" in table
    alarms = alarms_table(results)
    assert "| imd2020 | 1 / 1 | 1.000 |" in alarms
    assert "| facemask | 1 / 1 | not comparable |" in alarms


def test_a_distorted_picture_is_scored_against_its_distorted_mask(root, tiny_model):
    half = Distortion("resize", 0.5)
    results = list(score_devbench(Detector(tiny_model), root, sets=["comofod"], distortion=half, authentic=False))
    assert [r.dataset for r in results] == ["comofod"]
    assert results[0].iou == pytest.approx(0.5, abs=0.05)
    table = robustness_table({"resize-0.5": list(score_devbench(Detector(tiny_model), root, distortion=half))})
    assert "| resize-0.5 | 3 | 0.5" in table


def test_missing_set_is_named(tmp_path, tiny_model):
    with pytest.raises(FileNotFoundError, match="imd2020"):
        list(score_devbench(Detector(tiny_model), tmp_path))


def test_mask_of_another_size_is_refused(root, tiny_model):
    path = root / "devbench" / "imd2020" / "masks" / "edited.png"
    Image.new("L", (32, 64)).save(path)
    with pytest.raises(ValueError, match=r"edited\.png.*size"):
        list(score_devbench(Detector(tiny_model), root))


def test_mask_rule_is_the_mean_of_the_colours_above_half(tmp_path):
    pixels = np.array([[[127, 127, 127], [128, 128, 128], [255, 255, 0], [255, 0, 0]]], np.uint8)
    path = tmp_path / "mask.png"
    Image.fromarray(pixels).save(path)
    assert read_mask(path).tolist() == [[False, True, True, False]]


def test_tables_go_between_the_markers_and_nowhere_else(tmp_path):
    card = tmp_path / "CARD.md"
    card.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_tables(card, "new")
    assert card.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    card.write_text("no markers")
    with pytest.raises(ValueError, match="has no lines"):
        write_tables(card, "new")
