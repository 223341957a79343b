"""The same network, arranged for speed where nothing is learnt any more.

Three changes, none of which changes what is computed by more than float32's rounding:

* Batch norms are folded into the convolutions before them: fewer passes over the large maps.
* A dynamic weight filter sums its static filters first and convolves once (`DynamicWeightFilter.summed`).
* Channels last, the order in which convolutions are fastest.

docs/benchmarks.md has what each is worth.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from omni_iml.models.dynamic_filter import DynamicWeightFilter

Network = TypeVar("Network", bound=nn.Module)


def inference_form(network: Network) -> Network:
    """A copy of ``network``, in evaluation mode and without gradients, that gives the same outputs sooner.

    Parts keep their names, so hooks on them see what they saw before; a folded norm is an identity.
    """
    fast = copy.deepcopy(network).eval().requires_grad_(False)
    for module in list(fast.modules()):
        if isinstance(module, nn.Sequential):
            _fold_norms(module)
        elif isinstance(module, DynamicWeightFilter):
            module.summed = True
    return fast.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _fold_norms(sequence: nn.Sequential) -> None:
    names = list(sequence._modules)
    for first, second in pairwise(names):
        convolution, norm = sequence._modules[first], sequence._modules[second]
        # Not timm's subclass, which holds an activation too.
        if isinstance(convolution, nn.Conv2d) and type(norm) is nn.BatchNorm2d:
            sequence._modules[first] = fuse_conv_bn_eval(convolution, norm)
            sequence._modules[second] = nn.Identity()
