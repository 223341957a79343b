"""What several processes share: batch norms' statistics, and weights, gradients and moments (FSDP)."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from timm.layers import convert_sync_batchnorm
from torch import Tensor
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard

from omni_iml.models import Network, OmniIML
from omni_iml.training.recipe import Recipe


def with_common_statistics(network: Network) -> Network:
    """The network with batch norms that take the statistics of all processes, which torch has for CUDA only."""
    # Not torch's conversion, nor Lightning's: both lose the activation that timm's norms hold.
    return cast(Network, convert_sync_batchnorm(network))  # type: ignore[no-untyped-call]


def shard(network: Network, mesh: DeviceMesh) -> None:
    """Share a network's weights out, in place; nothing happens to one that is already shared out.

    The network's parts are units of their own, so that only one of them is whole at a time; a peer is one unit.

    Args:
        network: on every process, with the same weights.
        mesh: of the processes, one-dimensional.
    """
    if isinstance(network, FSDPModule):
        return
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
