"""Dynamic weight decoder: encoder features -> mask logits (paper 3.3, C.3, Figure 6)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from omni_iml.models.dynamic_filter import DynamicWeightFilter
from omni_iml.models.layers import conv_norm_relu
from omni_iml.models.pyramid import FeaturePyramid, resize


class DynamicWeightDecoder(nn.Module):
    """Pyramid, parallel dynamic weight filters of several dilations, two more, 1x1 to one logit.

    Args:
        channels: channels of the four inputs.
        width: channels inside.
        reduce_kernel: kernel of the convolution that reduces F_cat.
        pool_scales: grid sizes of the pyramid pooling on E4.
        dilations: dilation rates of the parallel filters.
        filters: static filters that one dynamic filter mixes.
    """

    def __init__(
        self,
        channels: Sequence[int],
        width: int,
        reduce_kernel: int,
        pool_scales: Sequence[int],
        dilations: Sequence[int],
        filters: int,
    ) -> None:
        super().__init__()
        self.pyramid = FeaturePyramid(channels, width, pool_scales)
        self.reduce = conv_norm_relu(4 * width, width, reduce_kernel)
        self.parallel = nn.ModuleList([DynamicWeightFilter(width, width, d, filters) for d in dilations])
        self.merge = conv_norm_relu((len(dilations) + 2) * width, width, 1)
        self.serial = nn.ModuleList([DynamicWeightFilter(width, width, 2, filters) for _ in range(2)])
        self.predict = nn.Conv2d(width, 1, 1)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """``(E1, E2', E3', E4)`` at 1/4, 1/8, 1/16, 1/32 of the input -> ``(B, 1, H, W)`` logits."""
        levels = self.pyramid(features)  # F1 .. F4
        size = levels[0].shape[2:]
        global_vector = levels[0].mean((2, 3))  # V_g, (B, width)
        spread = torch.cat([levels[0], *(resize(level, size) for level in levels[1:])], 1)  # (B, 4 width, H/4, W/4)
        concatenated = self.reduce(spread)  # F_cat, (B, width, H/4, W/4)
        mean = concatenated.mean((2, 3), keepdim=True).expand_as(concatenated)
        dynamic = [dwf(concatenated, global_vector) for dwf in self.parallel]
        x = self.merge(torch.cat([mean, *dynamic, concatenated], 1))
        for dwf in self.serial:
            x = dwf(x, global_vector)
        return resize(self.predict(x), (4 * size[0], 4 * size[1]))
