from __future__ import annotations

import math
import re

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score, roc_auc_score

from omni_iml.metrics import score_folders
from omni_iml.types import OmniError


@pytest.fixture
def folders(tmp_path):
    """Write {"pred/a.png": array, ...} and return the two folders."""

    def write(files):
        for name, levels in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(levels, bytes):
                path.write_bytes(levels)
            else:
                Image.fromarray(levels).save(path)
        return tmp_path / "pred", tmp_path / "truth"

    return write


def black(shape=(4, 5)):
    return np.zeros(shape, np.uint8)


def block(rows, columns, value=255, shape=(4, 5)):
    levels = black(shape)
    levels[:rows, :columns] = value
    return levels


GOLDEN = {
    # a: 2x2 tampered; 2x3 called. TP 4, FP 2, FN 0, TN 14: IoU 4/6, P 4/6, R 1, F1 8/10.
    "truth/a.png": block(2, 2),
    "pred/a.jpg.mask.png": block(2, 3),
    # Its heat map: 100 on the two leftmost columns, 0 elsewhere. Of the 4 x 16 pairs, each tampered pixel (100) beats
    # the 12 authentic ones at 0 and ties with the 4 at 100: AUC = (12 + 4 / 2) / 16.
    "pred/a.jpg.heatmap.png": block(4, 2, 100),
    # b: 1x4 tampered; 1x1 called, elsewhere. TP 0, FP 1, FN 4: all 0.
    "truth/b.png.png": block(1, 4),
    "pred/b.png.mask.png": np.roll(block(1, 1), 3, axis=0),
    # c: 4x5 all tampered, half of it (2 rows) at 128 > 127.5: IoU 1/2, P 1, R 1/2, F1 2/3; AUC undefined.
    "truth/c.jpg.png": block(4, 5),
    "pred/c.jpg.heatmap.png": np.maximum(block(2, 5, 128), block(4, 5, 127)),
    # d, e: authentic, 5 of 20 pixels called and none.
    "truth/d.png": black(),
    "pred/d.jpg.mask.png": block(1, 5),
    "truth/e.png": black(),
    "pred/e.jpg.mask.png": black(),
}


def test_golden_numbers(folders):
    result = score_folders(*folders(GOLDEN))
    assert (len(result.tampered), len(result.authentic)) == (3, 2)
    assert (result.problems, result.extra, result.missing) == ((), (), ())
    assert [picture.counts.table[0].tolist() for picture in result.pictures] == [
        [4, 2, 0, 14], [0, 1, 4, 15], [10, 0, 10, 0], [0, 5, 0, 15], [0, 0, 0, 20],
    ]  # fmt: skip
    assert result.iou.mean == pytest.approx((4 / 6 + 0 + 1 / 2) / 3)
    assert result.precision.mean == pytest.approx((4 / 6 + 0 + 1) / 3)
    assert result.recall.mean == pytest.approx((1 + 0 + 1 / 2) / 3)
    assert result.f1.mean == pytest.approx((8 / 10 + 0 + 2 / 3) / 3)
    assert result.auc.mean == pytest.approx(14 / 16)
    assert (result.auc.n, result.auc.skipped) == (1, 2)
    assert result.false_alarm_area.mean == pytest.approx((5 / 20 + 0) / 2)
    assert (result.iou.low, result.iou.high) == (pytest.approx(0.0), pytest.approx(4 / 6))


def test_authentic_pictures_do_not_lower_the_score(folders):
    perfect = {f"{folder}/{name}": block(2, 2) for folder in ("pred", "truth") for name in ("a.png", "b.png")}
    authentic = {f"{folder}/{name}": black() for folder in ("pred", "truth") for name in ("c.png", "d.png")}
    result = score_folders(*folders(perfect | authentic))
    assert (result.iou.mean, result.f1.mean, result.iou.n) == (1.0, 1.0, 2)
    assert len(result.authentic) == 2
    assert result.false_alarm_area.mean == 0.0


def test_agrees_with_scikit_learn_on_random_heat_maps(folders):
    generator = np.random.default_rng(7)
    truths = [(generator.random((12, 9)) < 0.3) for _ in range(6)]
    maps = [generator.integers(0, 256, (12, 9), dtype=np.uint8) // 16 * 16 for _ in truths]
    files = {f"truth/{i}.png": truth.astype(np.uint8) * 255 for i, truth in enumerate(truths)}
    files |= {f"pred/{i}.png": levels for i, levels in enumerate(maps)}
    result = score_folders(*folders(files), threshold=0.4)
    for name, theirs in (
        ("iou", jaccard_score),
        ("f1", f1_score),
        ("precision", precision_score),
        ("recall", recall_score),
    ):
        expected = np.mean([theirs(t.ravel(), (m / 255 > 0.4).ravel()) for t, m in zip(truths, maps, strict=True)])
        assert getattr(result, name).mean == pytest.approx(expected, abs=1e-9), name
    aucs = [roc_auc_score(t.ravel(), m.ravel()) for t, m in zip(truths, maps, strict=True)]
    assert result.auc.mean == pytest.approx(np.mean(aucs), abs=1e-9)


@pytest.mark.parametrize(("threshold", "level", "called"), [(0.2, 51, 0), (0.2, 52, 4), (0.5, 127, 0), (0.5, 128, 4)])
def test_the_threshold_is_strict(folders, threshold, level, called):
    result = score_folders(*folders({"truth/a.png": block(2, 2), "pred/a.png": block(2, 2, level)}), threshold)
    assert result.pictures[0].counts.tp[0] == called


def test_sixteen_bit_maps_keep_their_levels(folders):
    levels = np.full((2, 2), 32768, np.uint16)  # just above a half of 65535
    levels[0] = 32767
    files = {"truth/a.png": np.array([[0, 0], [255, 255]], np.uint8), "pred/a.png": levels}
    result = score_folders(*folders(files))
    assert (result.iou.mean, result.auc.mean) == (1.0, 1.0)


def test_the_mask_does_not_follow_the_threshold(folders):
    files = {
        "truth/a.png": block(2, 2),
        "pred/a.jpg.mask.png": block(2, 2),
        "pred/a.jpg.heatmap.png": block(4, 4, 200),
    }
    result = score_folders(*folders(files), threshold=0.9)
    assert result.iou.mean == 1.0
    assert result.auc.mean == pytest.approx((4 + 12 / 2) / 16)


def test_plain_masks_have_no_auc(folders):
    result = score_folders(*folders({"truth/a.png": block(2, 2), "pred/a.png": block(2, 3)}))
    assert result.iou.mean == pytest.approx(4 / 6)
    assert math.isnan(result.auc.mean)


def test_a_black_heat_map_among_others_stays_in_the_auc(folders):
    files = {
        "truth/a.png": block(2, 2),
        "truth/b.png": block(2, 2),
        "pred/a.png": block(2, 2, 90),
        "pred/b.png": black(),
    }
    result = score_folders(*folders(files))
    assert [picture.auc for picture in result.pictures] == [1.0, 0.5]


def good_and(files):
    return {"truth/z.png": block(2, 2), "pred/z.png": block(2, 2)} | files


@pytest.mark.parametrize(
    ("files", "kind", "path", "words"),
    [
        ({"truth/a.png": block(2, 2)}, "missing", "truth/a.png", "no prediction has this name"),
        (
            {"truth/a.png": block(2, 2), "pred/a.png": block(2, 2, shape=(5, 4))},
            "size",
            "pred/a.png",
            "4 x 5 pixels and its truth .*a.png 5 x 4",
        ),
        (
            {"truth/a.png": block(2, 2), "pred/a.jpg.mask.png": black(), "pred/a.jpg.heatmap.png": black((5, 4))},
            "size",
            "pred/a.jpg.heatmap.png",
            "4 x 5 pixels",
        ),
        (
            {"truth/a.png": block(2, 2), "pred/a.png": black(), "pred/a.bmp": black()},
            "ambiguous",
            "pred/a.bmp",
            "match one name",
        ),
        ({"truth/a.png": block(2, 2), "pred/a.png": b"junk"}, "unreadable", "pred/a.png", "not a picture"),
        ({"truth/a.png": b"", "pred/a.png": black()}, "unreadable", "truth/a.png", "not a picture"),
        (
            {"truth/a.png": np.full((4, 5, 3), [9, 0, 0], np.uint8), "pred/a.png": black()},
            "unreadable",
            "truth/a.png",
            "colour picture",
        ),
        ({"truth/a.png": block(2, 2, 1), "pred/a.png": black()}, "dark", "truth/a.png", "brightest pixel is 1 of 255"),
        (
            {"truth/a.png": block(2, 2), "pred/a.jpg.mask.png": block(2, 2, 1)},
            "dark",
            "pred/a.jpg.mask.png",
            "brightest pixel is 1 of 255",
        ),
    ],
)
def test_a_bad_input_is_named_and_the_others_are_scored(folders, tmp_path, files, kind, path, words):
    result = score_folders(*folders(good_and(files)))
    (problem,) = result.problems
    assert problem.kind == kind
    assert problem.path == tmp_path / path
    assert str(problem.path) in problem.message
    assert "\n" not in problem.message
    assert re.search(words, problem.message)
    assert [picture.name for picture in result.pictures] == ["z"]
    assert result.iou.mean == 1.0


def test_a_truth_with_gray_levels_is_scored_and_named(folders, tmp_path):
    truth = block(2, 2, 128)
    truth[3] = 127
    result = score_folders(*folders({"truth/a.png": truth, "pred/a.png": block(2, 2)}))
    assert result.iou.mean == 1.0
    (problem,) = result.problems
    assert (problem.kind, problem.path) == ("gray", tmp_path / "truth" / "a.png")
    assert "was thresholded at 127" in problem.message


def test_a_refused_picture_is_named_once(folders):
    files = {"truth/a.png": block(2, 2, 200), "pred/a.png": black((9, 9))}
    assert [problem.kind for problem in score_folders(*folders(files)).problems] == ["size"]


def test_every_kind_of_file_is_held_to_the_pixel_limit(folders):
    small = {"truth/a.png": block(2, 2), "pred/a.jpg.mask.png": block(2, 2), "pred/a.jpg.heatmap.png": block(2, 2)}
    place = folders(small)
    size = block(2, 2).size
    assert score_folders(*place, max_pixels=size).problems == ()
    for name in small:
        Image.fromarray(np.zeros((size, 2), np.uint8)).save(place[0].parent / name)
        (problem,) = score_folders(*place, max_pixels=size).problems
        assert (problem.kind, problem.path) == ("unreadable", place[0].parent / name)
        Image.fromarray(block(2, 2)).save(place[0].parent / name)


def test_plain_labels_of_0_and_1_are_refused_for_the_whole_folder(folders):
    files = {"truth/a.png": block(2, 2), "pred/a.png": block(2, 2, 1), "truth/b.png": black(), "pred/b.png": black()}
    result = score_folders(*folders(files))
    assert result.pictures == ()
    assert {problem.kind for problem in result.problems} == {"dark"}
    assert len(result.problems) == 2


def test_predictions_without_truth_are_told_and_not_scored(folders):
    result = score_folders(*folders(good_and({"pred/sub/x.jpg.mask.png": block(1, 1)})))
    assert result.extra == ("sub/x.jpg",)
    assert [picture.name for picture in result.pictures] == ["z"]
    assert result.problems == ()


def test_no_tampered_picture(folders):
    result = score_folders(*folders({"truth/a.png": black(), "pred/a.png": block(1, 2)}))
    assert math.isnan(result.iou.mean)
    assert (result.iou.n, result.false_alarm_area.mean) == (0, 0.1)


def test_no_picture_could_be_scored(folders):
    result = score_folders(*folders({"truth/a.png": black(), "pred/b.png": black()}))
    assert result.pictures == ()
    assert math.isnan(result.f1.mean)
    assert math.isnan(result.false_alarm_area.mean)


@pytest.mark.parametrize("threshold", [-0.1, 1.0, math.nan])
def test_thresholds_out_of_range_are_refused(folders, threshold):
    with pytest.raises(ValueError, match="threshold"):
        score_folders(*folders(good_and({})), threshold)


def test_an_empty_folder_is_an_error(folders, tmp_path):
    (tmp_path / "pred").mkdir()
    with pytest.raises(OmniError, match="no prediction is in this folder"):
        score_folders(*folders({"truth/a.png": black()}))
