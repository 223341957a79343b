"""Weights, gradients and moments shared out among processes (FSDP), for networks that one GPU does not hold."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard

from omni_iml.models import Network, OmniIML
from omni_iml.training.recipe import Recipe


def shard(network: Network, mesh: DeviceMesh) -> None:
    """Share a network's weights out, in place; nothing happens to one that is already shared out.

    The network's parts are units of their own, so that only one of them is whole at a time; a peer is one unit. On
    CUDA, batch norm's statistics become those of all processes, as under DDP.

    Args:
        network: on every process, with the same weights.
        mesh: of the processes, one-dimensional.
    """
    if isinstance(network, FSDPModule):
        return
    if mesh.device_type == "cuda":
        torch.nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    if isinstance(network, OmniIML):
        stages = (*network.vision_head.stages, *network.backbone.stages)
        for part in (*stages, *network.children()):
            if any(p.requires_grad for p in part.parameters()):
                fully_shard(part, mesh=mesh)
    fully_shard(network, mesh=mesh)


def gathered(network: Network) -> dict[str, Tensor] | None:
    """The whole state of a network that is shared out, on the first process's CPU; None of one that is not.

    Every process must call it at the same time.
    """
    if not isinstance(network, FSDPModule):
        return None
    whole = get_model_state_dict(network, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    return cast(dict[str, Tensor], whole)


def check_sharding(recipe: Recipe, resume: Path | None, processes: int) -> None:
    """Refuse what needs the network whole in each process.

    Raises:
        ValueError: a moving average, compilation, an optimiser's state to go on from, or one process alone.
    """
    if processes == 1:
        raise ValueError("--strategy fsdp: one process has nobody to share with; leave it out, or say --devices N.")
    if recipe.optim.ema or recipe.optim.compiled:
        raise ValueError("--strategy fsdp: goes with neither optim.ema nor optim.compiled; set both off, or take ddp.")
    if resume is not None and resume.suffix == ".ckpt":
        raise ValueError("--strategy fsdp: goes on from weights only; give --resume the last.safetensors.")
