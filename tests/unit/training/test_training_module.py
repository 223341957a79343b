from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from omni_iml.data.dataset import Batch
from omni_iml.data.sources import DOMAINS
from omni_iml.models import OmniOutput
from omni_iml.training.losses import LossConfig
from omni_iml.training.module import Localisation, averaged, learning_rate
from omni_iml.training.recipe import OptimConfig, Recipe

COSINE = OptimConfig(lr=1.0, final_lr=0.1, warmup=10, decay="cosine")
LINEAR = OptimConfig(lr=1.0, final_lr=0.1, warmup=0, decay="linear")


def test_warm_up_is_linear():
    rates = [learning_rate(0, step, COSINE) for step in range(12)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1, 1])
    assert learning_rate(0, 0, LINEAR) == 1  # none


@pytest.mark.parametrize(("config", "quarter"), [(COSINE, 0.1 + 0.9 * 0.5 * (1 + 2**-0.5)), (LINEAR, 0.1 + 0.9 * 0.75)])
def test_decay(config, quarter):
    assert [learning_rate(p, 100, config) for p in (0, 0.25, 0.5, 1, 1.7)] == pytest.approx(
        [1, quarter, 0.55, 0.1, 0.1]
    )


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([COSINE, LINEAR]))
def test_the_rate_never_rises_after_the_warm_up(one, other, config):
    first, second = sorted((one, other))
    assert learning_rate(first, 50, config) >= learning_rate(second, 50, config) >= config.final_lr * (1 - 1e-9)


class _Network(nn.Module):
    """Answers what it is told, and notes the boxes it gets."""

    def __init__(self, output: OmniOutput) -> None:
        super().__init__()
        self.output, self.boxes = output, []
        self.scale = nn.Linear(1, 1)

    def forward(self, image, coefficients, table, boxes=None):
        self.boxes.append(boxes)
        return self.output


def _batch(labels: list[float], domains: list[int], masks: torch.Tensor) -> Batch:
    count, size = len(labels), masks.shape[-1]
    return Batch(
        image=torch.zeros(count, 3, size, size, dtype=torch.uint8),
        coefficients=torch.zeros(count, size, size, dtype=torch.uint8),
        table=torch.ones(count, 8, 8, dtype=torch.uint8),
        mask=masks,
        label=torch.tensor(labels, dtype=torch.float32),
        domain=torch.tensor(domains),
        skipped=torch.zeros(count, dtype=torch.int64),
    )


@pytest.fixture
def seen():
    """Five samples of 8x8: three tampered in rows 0-3, an authentic one, a generated one that counts as neither."""
    masks = torch.zeros(5, 8, 8, dtype=torch.uint8)
    masks[:3, :4] = 1

    def rows(*found: int) -> torch.Tensor:
        logits = torch.full((5, 1, 8, 8), -3.0)
        for sample, count in enumerate(found):
            logits[sample, 0, :count] = 3
        return logits

    output = OmniOutput(
        mask=rows(4, 2, 8, 0, 0),
        gate=torch.tensor([1.0, -1.0, 0.0, -1.0, -1.0]),
        image=torch.tensor([2.0, 1.0, -1.0, -1.0, 5.0]),
        coarse_rgb=rows(4, 4, 4, 0, 0),
        coarse_fused=rows(0, 0, 4, 0, 0),
    )
    return _batch([1, 1, 1, 0, -1], [0, 1, 1, 0, 2], masks), output


def _module(output: OmniOutput, **options) -> Localisation:
    return Localisation(_Network(output), Recipe("test"), **options)


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
def test_validation_scores(seen):
    batch, output = seen
    module = _module(output)
    module.validation_step(batch, 0)
    module.on_validation_epoch_end()
    assert module.scores == {
        "iou": pytest.approx((1 + 0.5 + 0.5) / 3, abs=1e-4),
        "iou_rgb": 1.0,
        "iou_fused": pytest.approx(1 / 3, abs=1e-4),
        "gate_vision": 0.4,
        "image_accuracy": pytest.approx((2 / 3 + 1) / 2, abs=1e-4),  # the generated picture is left out
        "iou_natural": 1.0,
        "iou_document": 0.5,
    }
    assert DOMAINS[:2] == ("natural", "document")
    module.validation_step(batch, 0)
    module.on_validation_epoch_end()
    assert module.scores["iou"] == pytest.approx(2 / 3, abs=1e-4)  # nothing is left of the round before


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
def test_masks_that_the_variant_does_not_predict_have_no_score(seen):
    batch, output = seen
    module = _module(replace(output, coarse_rgb=None, coarse=output.coarse_fused, coarse_fused=None))
    module.validation_step(batch, 0)
    module.on_validation_epoch_end()
    assert "iou" in module.scores
    assert not {"iou_rgb", "iou_fused"} & set(module.scores)
    assert module.scores["iou_coarse"] == pytest.approx(1 / 3, abs=1e-4)


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
def test_scores_that_nothing_measures_are_left_out(seen):
    batch, output = seen
    batch.mask[:] = 0
    batch.label[:] = 0
    module = _module(output)
    module.validation_step(batch, 0)
    module.on_validation_epoch_end()
    assert set(module.scores) == {"gate_vision"}


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
@pytest.mark.parametrize(("weight", "wanted"), [(1.0, True), (0.0, False)])
def test_boxes_are_made_only_where_the_detector_counts(seen, weight, wanted):
    batch, output = seen
    module = Localisation(_Network(output), Recipe("test", loss=LossConfig(detection=weight)))
    module.training_step(batch, 0)
    (boxes,) = module.network.boxes
    if wanted:
        assert [b.tolist() for b in boxes] == [[[0, 0, 8, 4]]] * 3 + [[]] * 2
    else:
        assert boxes is None
    assert module.samples_seen == 5


def test_progress_is_by_steps_or_by_time_whichever_is_further(seen, monkeypatch):
    now = [0.0]  # a clock may well start at zero
    monkeypatch.setattr(Localisation, "global_step", 0)
    module = _module(seen[1], max_minutes=2, clock=lambda: now[0])
    assert module.progress() == 0
    now[0] = 30
    assert module.progress() == 0.25
    monkeypatch.setattr(Localisation, "global_step", 200_000)
    assert module.progress() == 0.5
    now[0] = 120
    assert module.progress() == 1
    assert _module(seen[1]).progress() == 0.5


def test_the_average_follows_the_weights_with_a_memory_that_grows():
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    follower, expected = averaged(network, 0.5), None
    for step, value in enumerate([2.0, 4.0, -1.0, 3.0, 3.0, 8.0]):
        network[0].weight.data.fill_(value)
        network[1].running_mean.fill_(10 * value)
        network[1].num_batches_tracked.fill_(step)
        follower.update_parameters(network)
        keep = min(0.5, (1 + step) / (10 + step))
        expected = value if expected is None else keep * expected + (1 - keep) * value
        assert follower.module[0].weight.item() == pytest.approx(expected)
        assert follower.module[1].running_mean.item() == pytest.approx(10 * expected)
        assert follower.module[1].num_batches_tracked.item() == step


def test_weight_decay_spares_biases_and_norms(network_of_all_parts):
    recipe = Recipe("test", optim=OptimConfig(weight_decay=0.3, betas=(0.8, 0.9)))
    optimiser = Localisation(network_of_all_parts, recipe).configure_optimizers()
    decayed = {id(p) for group in optimiser.param_groups if group["weight_decay"] == 0.3 for p in group["params"]}
    every = {id(p) for group in optimiser.param_groups for p in group["params"]}
    for name, parameter in network_of_all_parts.named_parameters():
        assert id(parameter) in every, name
        assert (id(parameter) in decayed) == (parameter.ndim > 1), name
    assert {group["betas"] for group in optimiser.param_groups} == {(0.8, 0.9)}


@pytest.fixture
def network_of_all_parts(small_config):
    from omni_iml.models import OmniIML

    with torch.device("meta"):
        return OmniIML(small_config)
