"""Our figures against scikit-learn, torchmetrics and the evaluators of the imdlbenco wheel, on the same arrays."""

import importlib
import importlib.util
import sys
import types
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from omni_iml.evaluation.counting import Truth, count_picture
from omni_iml.evaluation.formulas import picture_values
from omni_iml.evaluation.protocol import PROTOCOLS
from omni_iml.metrics import image_level

torch = pytest.importorskip("torch")
metrics = pytest.importorskip("sklearn.metrics")


def made():
    """Maps of every kind: graded, of 8 bits, constant, exactly half, perfect; masks small, large and full."""
    rng = np.random.default_rng(11)
    for index in range(24):
        height, width = (int(v) for v in rng.integers(20, 70, 2))
        mask = np.zeros((height, width), bool)
        y, x = int(rng.integers(0, height - 8)), int(rng.integers(0, width - 8))
        mask[y : y + int(rng.integers(1, height - y + 1)), x : x + int(rng.integers(1, width - x + 1))] = True
        map_ = rng.beta(0.4, 0.9, (height, width)).astype(np.float32)
        map_ = np.clip(map_ + np.float32(0.2) * mask, 0, 1).astype(np.float32)
        if index % 4 == 1:
            map_ = np.round(map_ * 255).astype(np.float32) / np.float32(255)
        if index % 4 == 2:
            map_[rng.random(map_.shape) < 0.3] = 0.5
        if index == 7:
            map_ = np.full(map_.shape, 0.5, np.float32)
        if index == 11:
            map_ = mask.astype(np.float32)
        if index == 15:
            map_ = np.zeros(map_.shape, np.float32)
        yield map_, mask


CASES = list(made())
ROWS = [count_picture(map_, Truth.of(mask), label=1) for map_, mask in CASES]


def ours(protocol, formula):
    return picture_values(ROWS, PROTOCOLS[protocol], formula)


@pytest.mark.parametrize(
    ("formula", "theirs"),
    [
        ("iou", lambda t, p: metrics.jaccard_score(t, p > 0.5, zero_division=0)),
        ("precision", lambda t, p: metrics.precision_score(t, p > 0.5, zero_division=0)),
        ("recall", lambda t, p: metrics.recall_score(t, p > 0.5, zero_division=0)),
        ("dice", lambda t, p: metrics.f1_score(t, p > 0.5, zero_division=0)),
        ("auc", lambda t, p: metrics.roc_auc_score(t, p) if 0 < t.mean() < 1 else np.nan),
    ],
)
def test_clean_is_scikit_learn(formula, theirs):
    wanted = [theirs(mask.ravel(), map_.ravel()) for map_, mask in CASES]
    np.testing.assert_allclose(ours("clean", formula), wanted, atol=1e-6)


def test_image_level_is_scikit_learn():
    rng = np.random.default_rng(12)
    labels = rng.random(200) < 0.4
    scores = np.clip(np.round(rng.normal(0.4 + 0.2 * labels, 0.25), 2), 0, 1)
    found = image_level.image_figures(scores, labels)
    called = scores > 0.5
    assert found["image AUC"] == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-9)
    assert found["image accuracy"] == pytest.approx(metrics.accuracy_score(labels, called), abs=1e-9)
    assert found["image balanced accuracy"] == pytest.approx(metrics.balanced_accuracy_score(labels, called), abs=1e-9)
    assert found["image F1"] == pytest.approx(metrics.f1_score(labels, called), abs=1e-6)
    false, true, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    assert found["recall at 5% false alarms"] == pytest.approx(true[false <= 0.05].max(), abs=1e-9)
    crossing = np.interp(0, false - (1 - true), false)
    assert found["equal error rate"] == pytest.approx(crossing, abs=1e-9)


def test_per_image_and_pooled_figures_are_torchmetrics():
    classification = pytest.importorskip("torchmetrics.functional.classification")
    for row, (map_, mask) in zip(ROWS, CASES, strict=True):
        p, t = torch.from_numpy(map_.ravel().copy()), torch.from_numpy(mask.ravel().astype(np.int64))
        wanted = classification.binary_f1_score(p, t, threshold=0.5)
        found = picture_values([row], PROTOCOLS["clean"], "dice")[0]
        assert found == pytest.approx(float(wanted), abs=1e-6)
        if 0 < mask.mean() < 1:
            assert row.auc == pytest.approx(float(classification.binary_auroc(p, t)), abs=1e-6)
    labels = np.arange(200) % 3 == 0
    scores = np.clip(np.random.default_rng(13).normal(0.4 + 0.1 * labels, 0.2), 0, 1)
    wanted = classification.binary_calibration_error(
        torch.from_numpy(scores), torch.from_numpy(labels.astype(np.int64)), n_bins=image_level.CALIBRATION_BINS
    )
    # torchmetrics rates the certainty of the class that is called where we rate P(tampered): the same where both agree.
    found = image_level.calibration_error(np.maximum(scores, 1 - scores), (scores > 0.5) == labels)
    reference = classification.binary_calibration_error(
        torch.from_numpy(np.maximum(scores, 1 - scores)),
        torch.from_numpy(((scores > 0.5) == labels).astype(np.int64)),
        n_bins=image_level.CALIBRATION_BINS,
    )
    assert found == pytest.approx(float(reference), abs=1e-6)
    assert image_level.calibration_error(scores, labels) == pytest.approx(float(wanted), abs=1e-6)


@pytest.fixture(scope="module")
def benco():
    """The evaluator modules of the wheel as they are; its package's own __init__ would import the whole zoo."""
    spec = importlib.util.find_spec("IMDLBenCo")
    if spec is None:
        pytest.skip("imdlbenco is not installed (pip install --no-deps imdlbenco==0.1.45)")
    root = Path(next(iter(spec.submodule_search_locations)))
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "IMDLBenCo"}
    for name in ("", ".evaluation", ".training_scripts", ".training_scripts.utils"):
        bare = types.ModuleType(f"IMDLBenCo{name}")
        bare.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[f"IMDLBenCo{name}"] = bare
    with redirect_stdout(StringIO()):  # one of them prints torch's version
        modules = {
            name: importlib.import_module(f"IMDLBenCo.evaluation.{name}") for name in ("F1", "IOU", "AUC", "Accuracy")
        }
    yield types.SimpleNamespace(**modules)
    for name in [name for name in sys.modules if name.split(".")[0] == "IMDLBenCo"]:
        del sys.modules[name]
    sys.modules.update(before)


def theirs(evaluator, cases=CASES):
    values = []
    for map_, mask in cases:
        p, t = (torch.from_numpy(x.astype(np.float32))[None, None] for x in (map_, mask))
        values.append(float(evaluator.batch_update(p, t)[0]))
    return np.array(values)


@pytest.mark.parametrize(("mode", "protocol"), [("origin", "benco"), ("double", "benco-permute")])
def test_benco_is_the_wheels_evaluators(benco, mode, protocol):
    evaluators = {
        "f1": benco.F1.PixelF1(mode=mode),
        "iou": benco.IOU.PixelIOU(mode=mode),
        "accuracy": benco.Accuracy.PixelAccuracy(mode=mode),
    }
    for formula, evaluator in evaluators.items():
        np.testing.assert_allclose(ours(protocol, formula), theirs(evaluator), atol=1e-6, err_msg=formula)
    found = ours(protocol, "auc of benco")
    for (map_, mask), peer, value in zip(CASES, theirs(benco.AUC.PixelAUC(mode=mode)), found, strict=True):
        low, high = tie_bounds(map_, mask)
        if mode == "double":
            low, high = max(low, 1 - high), max(high, 1 - low)
        # float32 steps, one a pixel, are what it sums; the float32 of 1 - map may merge values, hence ties.
        assert low - 2e-5 <= peer <= high + 2e-5
        assert value == pytest.approx(peer, abs=(high - low) / 2 + 2e-5)


def tie_bounds(map_, mask):
    """The AUC when every tie is lost, and when every tie is won."""
    ours_, theirs_ = map_[mask], np.sort(map_[~mask])
    pairs = len(ours_) * len(theirs_)
    return tuple(np.searchsorted(theirs_, ours_, side=side).sum() / pairs for side in ("left", "right"))


def test_bencos_auc_is_not_tie_aware_and_the_test_shows_it(benco):
    """A constant map says nothing; its figure says where torch's sort happened to leave the mask."""
    peers = []
    for top in (0, 8, 16, 24):
        mask = np.zeros((32, 32), bool)
        mask[top : top + 8, 8:24] = True
        constant = np.full((32, 32), 0.5, np.float32)
        peers.append(theirs(benco.AUC.PixelAUC(), [(constant, mask)])[0])
        row = count_picture(constant, Truth.of(mask))
        assert row.auc == metrics.roc_auc_score(mask.ravel(), constant.ravel()) == 0.5
    assert max(peers) - min(peers) > 0.2


def test_benco_counts_an_authentic_picture_as_nothing(benco):
    empty = np.zeros((16, 16))
    row = count_picture(empty.astype(np.float32), Truth.of(empty > 0), label=1)
    for formula, evaluator in (
        ("f1", benco.F1.PixelF1()),
        ("iou", benco.IOU.PixelIOU()),
        ("auc of benco", benco.AUC.PixelAUC()),
    ):
        peer = theirs(evaluator, [(empty, empty)])[0]
        assert peer == 0.0
        assert picture_values([row], PROTOCOLS["benco"], formula)[0] == 0.0
    assert np.isnan(picture_values([row], PROTOCOLS["clean"], "dice")[0])


def test_bencos_image_level_figures(benco):
    rng = np.random.default_rng(14)
    labels = rng.random(60) < 0.5
    scores = rng.random(60)
    found = image_level.image_figures(scores, labels)
    p, t = torch.from_numpy(scores), torch.from_numpy(labels.astype(np.float64))
    for name, evaluator in (
        ("image F1", benco.F1.ImageF1()),
        ("image AUC", benco.AUC.ImageAUC()),
        ("image accuracy", benco.Accuracy.ImageAccuracy()),
    ):
        evaluator.remain_update(p, t)
        assert found[name] == pytest.approx(float(evaluator.epoch_update()), abs=1e-6)
