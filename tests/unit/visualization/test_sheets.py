import math

import numpy as np
import pytest

from omni_iml.inspection.drawing import colours
from omni_iml.visualization.contrast import Contrast
from omni_iml.visualization.looking import ENHANCEMENT, Look, Maps
from omni_iml.visualization.sheets import SIDE, Chosen, choose, draw_random, enhancement_row, grid_row


def look(key, iou=0.5, label=1, marked=0.0):
    contrast = {name: Contrast(1.5, 2.5) for name in ENHANCEMENT}
    return Look("d", "face", key, label, 1, 1, 0.9, "vision", {}, iou, iou, marked, contrast)


def maps(height=120, width=60):
    truth = np.zeros((height, width), bool)
    truth[20:60, 10:40] = True
    ramp = np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)
    blocks = ramp[::8, ::8].repeat(8, 0).repeat(8, 1)[:height, :width]
    pixels = np.full((height, width, 3), 90, np.uint8)
    return Maps(None, pixels, truth, ramp, {"P_rgb": blocks}, dict.fromkeys(ENHANCEMENT, blocks))


def test_worst_best_and_random_pictures_each_once():
    looks = [look(f"{i}", i / 10) for i in range(9)] + [look(f"a{i}", math.nan, 0, i / 10) for i in range(4)]
    found = choose(looks, 2, seed=0)
    by = {why: [one.look.key for one in found if one.why == why] for why in ("worst", "best", "random", "most marked")}
    assert by["worst"] == ["0", "1"]
    assert by["best"] == ["8", "7"]
    assert by["most marked"] == ["a3", "a2"]
    assert len(by["random"]) == 2
    assert len({one.look.key for one in found}) == len(found) == 8
    assert choose(looks[::-1], 2, seed=0) == found  # whatever the order of the pictures
    assert {tuple(one.look.key for one in choose(looks, 2, seed)[4:6]) for seed in range(9)} != {tuple(by["random"])}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_pictures_are_shown_once(count):
    found = choose([look(f"{i}", i / 10) for i in range(count)], 2, seed=0)
    assert sorted(one.look.key for one in found) == [f"{i}" for i in range(count)]
    assert [one.why for one in found].count("worst") == (count + 1) // 2


def test_the_enhancement_is_shown_on_random_tampered_pictures():
    looks = [look(f"{i}") for i in range(20)] + [look("a", label=0)]
    found = draw_random(looks, 3, seed=1)
    assert len({one.look.key for one in found}) == 3
    assert draw_random(looks[::-1], 3, seed=1) == found
    assert draw_random(looks, 3, seed=2) != found
    assert "a" not in {one.look.key for one in draw_random(looks, 20, seed=1)}


def test_panels_of_the_grid():
    other = np.ones((120, 60), np.float32)
    heading, panels = grid_row(Chosen("worst", look("k\u00e4", 0.25)), maps(), {"peer": other})
    assert heading == "face, worst: d/k?  IoU 0.250, F1 0.250, P(vision) 0.90"
    assert [caption for caption, _ in panels] == ["picture", "truth", "P_rgb", "mask", "peer"]
    found = dict(panels)
    for picture in found.values():
        assert picture.shape == (SIDE, SIDE // 2, 3)
    assert found["picture"].min() == found["picture"].max() == 90
    assert found["peer"].min() == 255
    middle = SIDE * 40 // 120, SIDE * 25 // 120
    assert found["truth"][middle].tolist() == [255] * 3
    assert found["truth"][SIDE - 1, 0].tolist() == [0] * 3
    assert abs(int(found["mask"][SIDE // 2, SIDE // 4, 0]) - 128) < 4
    heading, _ = grid_row(Chosen("most marked", look("k", math.nan, 0, 0.125)), maps(), {})
    assert heading == "face, most marked: d/k  authentic, marks 12.5%, P(vision) 0.90"


def test_panels_of_the_enhancement_carry_numbers_and_the_outline():
    heading, panels = enhancement_row(Chosen("random", look("k")), maps())
    assert heading == "face: d/k"
    assert [caption.split()[0] for caption, _ in panels] == ["picture", *ENHANCEMENT]
    assert panels[1][0].endswith("d +1.50 sep 2.50")
    outline = np.array([255, 0, 200])
    for _, picture in panels:
        assert picture.shape == (SIDE, SIDE // 2, 3)
        rows, columns = np.nonzero((picture == outline).all(2))
        scale = SIDE / 120
        assert abs(rows.min() - 20 * scale) < 3
        assert abs(rows.max() - 60 * scale) < 3
        assert abs(columns.min() - 10 * scale) < 3
        assert abs(columns.max() - 40 * scale) < 3
    darkest = colours(np.zeros((1, 1), np.float32), 0, 1)[0, 0]
    assert panels[1][1][0, 0].tolist() == darkest.tolist()
