import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from omni_iml.models import OmniOutput
from omni_iml.training.losses import (
    GATE_MARGIN,
    IGNORE,
    LossConfig,
    dice_loss,
    gate_target,
    iou,
    losses,
    mask_cross_entropy,
)

ARRAYS = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 2**16)


def _draw(seed: int, batch: int = 3, size: tuple[int, int] = (6, 5)) -> tuple[torch.Tensor, torch.Tensor]:
    source = np.random.default_rng(seed)
    logits = torch.from_numpy(source.normal(0, 3, (batch, 1, *size)).astype(np.float32))
    return logits, torch.from_numpy(source.choice([0, 1, IGNORE], (batch, *size), p=[0.5, 0.3, 0.2]).astype(np.uint8))


@ARRAYS
@given(SEEDS)
def test_cross_entropy_is_the_mean_over_the_pixels_that_count(seed):
    logits, mask = _draw(seed)
    total, count = 0.0, 0
    for z, label in zip(logits.flatten().tolist(), mask.flatten().tolist(), strict=True):
        if label != IGNORE:
            p = 1 / (1 + np.exp(-z))
            total -= np.log(p if label == 1 else 1 - p)
            count += 1
    assert mask_cross_entropy(logits, mask).item() == pytest.approx(total / max(count, 1), abs=1e-5)


@ARRAYS
@given(SEEDS)
def test_dice_is_the_mean_over_tampered_samples(seed):
    logits, mask = _draw(seed)
    mask[0] = torch.where(mask[0] == 1, 0, mask[0])  # an authentic sample
    expected = []
    for z, truth in zip(logits[:, 0].numpy(), mask.numpy(), strict=True):
        p = 1 / (1 + np.exp(-z[truth != IGNORE]))
        t = truth[truth != IGNORE] == 1
        if t.any():
            expected.append(1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1))
    assert dice_loss(logits, mask).item() == pytest.approx(np.mean(expected) if expected else 0, abs=1e-5)


@ARRAYS
@given(SEEDS)
def test_iou_is_counted_over_the_pixels_that_count(seed):
    logits, mask = _draw(seed)
    for value, z, truth in zip(iou(logits, mask).tolist(), logits[:, 0].numpy(), mask.numpy(), strict=True):
        predicted, tampered = (z > 0) & (truth != IGNORE), truth == 1
        union = (predicted | tampered).sum()
        assert value == pytest.approx((predicted & tampered).sum() / union if union else 1)


@ARRAYS
@given(SEEDS, st.floats(-50, 50))
def test_ignored_pixels_change_nothing(seed, value):
    logits, mask = _draw(seed)
    other = torch.where((mask == IGNORE)[:, None], torch.tensor(value), logits)
    for measure in (mask_cross_entropy, dice_loss, iou):
        torch.testing.assert_close(measure(other, mask), measure(logits, mask))


def test_where_everything_is_ignored_the_losses_are_zero_and_differentiable():
    logits = torch.randn(2, 1, 4, 4, requires_grad=True)
    mask = torch.full((2, 4, 4), IGNORE, dtype=torch.uint8)
    loss = mask_cross_entropy(logits, mask) + dice_loss(logits, mask)
    assert loss.item() == 0
    loss.backward()
    assert not logits.grad.any()
    assert iou(logits, mask).tolist() == [1, 1]


def test_iou_of_known_masks():
    mask = torch.zeros(4, 2, 2, dtype=torch.uint8)
    mask[1:3, 0] = 1
    logits = torch.full((4, 1, 2, 2), -1.0)
    logits[2, 0, :, 0] = 1
    logits[3, 0, 0, 0] = 1
    # both empty; missed; one of three; false alarm
    assert iou(logits, mask).tolist() == pytest.approx([1, 0, 1 / 3, 0])


def test_a_probability_of_one_half_is_not_tampered():
    assert iou(torch.zeros(1, 1, 2, 2), torch.ones(1, 2, 2, dtype=torch.uint8)).tolist() == [0]


@pytest.mark.parametrize("measure", [mask_cross_entropy, dice_loss, iou])
def test_coarse_maps_are_upsampled_to_the_mask(measure):
    torch.manual_seed(0)
    coarse, mask = torch.randn(2, 1, 4, 6), _draw(1, 2, (32, 48))[1]
    full = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bilinear", align_corners=False)
    torch.testing.assert_close(measure(coarse, mask), measure(full, mask))


def _with_iou(*tenths: int) -> torch.Tensor:
    """Logits of one row of ten tampered pixels a sample, of which so many are found."""
    logits = torch.full((len(tenths), 1, 1, 10), -1.0)
    for sample, found in enumerate(tenths):
        logits[sample, ..., :found] = 1
    return logits


def test_the_gate_wants_vision_only_beyond_the_margin():
    pairs = [(6, 5), (7, 5), (5, 5), (5, 7), (3, 2), (10, 9), (1, 0), (2, 0), (10, 0), (0, 10), (10, 8)]
    rgb, fused = (_with_iou(*column) for column in zip(*pairs, strict=True))
    target = gate_target(rgb, fused, torch.ones(len(pairs), 1, 10, dtype=torch.uint8))
    assert GATE_MARGIN == 0.1
    assert target.tolist() == [float(rgb - fused > 1) for rgb, fused in pairs]
    assert target.dtype == torch.float32


def test_the_gate_follows_false_alarms_on_authentic_pictures():
    mask = torch.zeros(2, 1, 10, dtype=torch.uint8)
    # Sample 0: only fusion cries wolf; sample 1: only vision does.
    assert gate_target(_with_iou(0, 3), _with_iou(3, 0), mask).tolist() == [1, 0]


def test_the_gates_target_leaves_ignored_pixels_out():
    mask = torch.ones(1, 1, 10, dtype=torch.uint8)
    rgb, fused = _with_iou(5), _with_iou(4)
    assert gate_target(rgb, fused, mask).tolist() == [0]
    mask[..., 6:] = IGNORE  # now 5/6 against 4/6
    assert gate_target(rgb, fused, mask).tolist() == [1]


@pytest.fixture
def output():
    torch.manual_seed(0)
    return OmniOutput(
        mask=torch.randn(3, 1, 16, 16),
        gate=torch.tensor([0.5, -1.0, 2.0]),
        decision=torch.tensor([0.5, -1.0, 2.0]),
        image=torch.tensor([3.0, -2.0, 1.0]),
        coarse_rgb=torch.randn(3, 1, 2, 2),
        coarse_fused=torch.randn(3, 1, 2, 2),
        detection={"loss_objectness": torch.tensor(0.7), "loss_box_reg": torch.tensor(0.2)},
    )


MASK = _draw(7, 3, (16, 16))[1]


def test_the_total_is_the_weighted_sum(output):
    config = LossConfig(mask=2, coarse=3, gate=5, detection=7, image=11)
    terms = losses(output, MASK, torch.tensor([1.0, 0.0, 1.0]), config)
    weights = {
        "mask": 2,
        "coarse_rgb": 3,
        "coarse_fused": 3,
        "gate": 5,
        "image": 11,
        "loss_objectness": 7,
        "loss_box_reg": 7,
    }
    assert set(terms) == {*weights, "total"}
    assert terms["total"].item() == pytest.approx(sum(w * terms[name].item() for name, w in weights.items()))
    torch.testing.assert_close(terms["mask"], mask_cross_entropy(output.mask, MASK))
    torch.testing.assert_close(terms["coarse_fused"], mask_cross_entropy(output.coarse_fused, MASK))


def test_the_papers_total_weighs_every_term_alike(output):
    terms = losses(output, MASK, torch.ones(3), LossConfig())
    total = terms.pop("total")
    assert total.item() == pytest.approx(sum(value.item() for value in terms.values()))


def test_dice_joins_the_masks(output):
    terms = losses(output, MASK, torch.ones(3), LossConfig(dice=0.25))
    for name in ("mask", "coarse_rgb", "coarse_fused"):
        logits = getattr(output, name)
        torch.testing.assert_close(terms[name], mask_cross_entropy(logits, MASK) + 0.25 * dice_loss(logits, MASK))


def test_the_image_loss_leaves_out_what_is_neither(output):
    label = torch.tensor([1.0, -1.0, 0.0])
    expected = (np.log1p(np.exp(-3.0)) + np.log1p(np.exp(1.0))) / 2
    assert losses(output, MASK, label, LossConfig())["image"].item() == pytest.approx(expected, rel=1e-5)
    assert losses(output, MASK, torch.full((3,), -1.0), LossConfig())["image"].item() == 0


def test_the_gates_loss_is_cross_entropy_with_its_target(output):
    output.coarse_rgb[:] = torch.tensor([5.0, -5.0, 5.0])[:, None, None, None]
    output.coarse_fused[:] = -output.coarse_rgb
    terms = losses(output, torch.ones(3, 16, 16, dtype=torch.uint8), torch.ones(3), LossConfig())
    # targets 1, 0, 1 for the logits 0.5, -1, 2
    expected = np.log1p(np.exp([-0.5, -1.0, -2.0])).mean()
    assert terms["gate"].item() == pytest.approx(expected, rel=1e-5)


def test_mixed_precision_is_measured_in_float32(output):
    names = ("mask", "gate", "decision", "image", "coarse_rgb", "coarse_fused")
    half = OmniOutput(**{name: getattr(output, name).bfloat16() for name in names})
    terms = losses(half, MASK, torch.ones(3), LossConfig(dice=0.1))
    assert {value.dtype for value in terms.values()} == {torch.float32}


def test_what_the_variant_does_not_have_has_no_term():
    bare = OmniOutput(mask=torch.randn(3, 1, 16, 16), gate=torch.full((3,), 20.0), image=torch.zeros(3))
    terms = losses(bare, MASK, torch.ones(3), LossConfig(mask=2, image=3))
    assert set(terms) == {"mask", "image", "total"}
    assert terms["total"].item() == pytest.approx(2 * terms["mask"].item() + 3 * terms["image"].item())


def test_a_logit_that_nothing_decided_has_no_loss(output):
    output.decision = None
    assert "gate" not in losses(output, MASK, torch.ones(3), LossConfig())


def test_the_first_versions_coarse_mask_is_part_of_the_decoders_loss(output):
    output.coarse = torch.randn(3, 1, 4, 4)
    terms = losses(output, MASK, torch.ones(3), LossConfig(mask=2, coarse=0, gate=0, detection=0, image=0))
    torch.testing.assert_close(terms["coarse"], mask_cross_entropy(output.coarse, MASK))
    assert terms["total"].item() == pytest.approx(2 * (terms["mask"] + terms["coarse"]).item())
