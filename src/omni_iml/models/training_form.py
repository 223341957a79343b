"""The same network, arranged for speed where it learns on a processor.

Three changes, none of which changes what is computed by more than rounding:

* Depthwise convolutions in float32 even under autocast: oneDNN's gradient of one is several times slower in bfloat16.
* A dynamic weight filter sums its static filters first and convolves once (`DynamicWeightFilter.summed`).
* Channels last, the order in which convolutions are fastest.

docs/training-log.md has what they are worth.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from omni_iml.models.context_encoder import PaddedConv2d
from omni_iml.models.dynamic_filter import DynamicWeightFilter


class _Float32Conv2d(nn.Conv2d):
    """A convolution that autocast passes over."""

    def forward(self, x: Tensor) -> Tensor:
        """As that of the class it stands for, in the weights' own type."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.to(self.weight.dtype))


class _Float32PaddedConv2d(_Float32Conv2d, PaddedConv2d):
    pass


_IN_FLOAT32: dict[type[nn.Conv2d], type[nn.Conv2d]] = {
    nn.Conv2d: _Float32Conv2d,
    PaddedConv2d: _Float32PaddedConv2d,
}


def arrange_for_training(network: nn.Module) -> None:
    """Arrange a network in place, before it is copied for an average; names and values of its weights stay.

    Args:
        network: ours or a peer's.
    """
    for module in network.modules():
        if isinstance(module, DynamicWeightFilter):
            module.summed = True
        elif isinstance(module, nn.Conv2d) and 1 < module.groups == module.in_channels:
            # By class, not by a wrapper: the weights keep their names, and a copy of the network has its own.
            module.__class__ = _IN_FLOAT32.get(type(module), type(module))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
