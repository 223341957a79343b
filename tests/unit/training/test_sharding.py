"""Batch norms of several processes compute what they did, and what sharing out does not go with is refused."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from omni_iml.models.context_encoder import ContextEncoder
from omni_iml.training.recipe import OptimConfig, Recipe
from omni_iml.training.sharding import check_sharding, with_common_statistics


@torch.inference_mode()
def test_norms_with_common_statistics_keep_activations_weights_and_names():
    torch.manual_seed(0)
    context = ContextEncoder("tf_efficientnet_lite0", 6, 10)
    for projection in (context.low, *context.high):
        nn.init.normal_(projection.weight)
    network = nn.Sequential(context.eval(), nn.BatchNorm2d(10).eval())
    pixels = torch.randint(0, 256, (1, 3, 64, 64)).float()
    common = with_common_statistics(copy.deepcopy(network))
    for wanted, found in zip(network[0](pixels), common[0](pixels), strict=True):
        assert wanted.abs().max() > 0
        torch.testing.assert_close(found, wanted)
    norms = [part for part in common.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    assert norms
    assert all(isinstance(norm, nn.SyncBatchNorm) for norm in norms)
    assert common.state_dict().keys() == network.state_dict().keys()


@pytest.mark.parametrize(
    ("optim", "resume", "processes", "message"),
    [
        ({}, None, 1, "one process has nobody to share with"),
        ({"ema": 0.9}, None, 2, "neither optim.ema nor optim.compiled"),
        ({"compiled": True}, None, 2, "neither optim.ema nor optim.compiled"),
        ({}, Path("last.ckpt"), 2, "goes on from weights only"),
    ],
)
def test_what_does_not_go_with_shared_out_weights_is_refused(optim, resume, processes, message):
    with pytest.raises(ValueError, match=f"^--strategy fsdp: .*{message}"):
        check_sharding(Recipe("x", optim=OptimConfig(**optim)), resume, processes)
    check_sharding(Recipe("x"), Path("last.safetensors"), 2)
