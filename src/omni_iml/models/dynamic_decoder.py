"""Dynamic weight decoder: encoder features -> mask logits (paper 3.3, C.3, Figure 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from omni_iml.models.coarse_prediction import CoarsePrediction
from omni_iml.models.dynamic_filter import DynamicWeightFilter
from omni_iml.models.layers import conv_norm_relu
from omni_iml.models.pyramid import FeaturePyramid, resize

GLOBAL_LEVELS = {"f1": 0, "f4": 3}
"""Which of F_1 .. F_4 the global vector V_g is averaged from: C's first, A's last."""


class DecoderOutput(NamedTuple):
    """What a decoder draws.

    Attributes:
        mask: ``(B, 1, H, W)`` logits.
        coarse: ``(B, 1, H/4, W/4)`` logits of A's P_co, where the decoder has it.
    """

    mask: Tensor
    coarse: Tensor | None = None


class DynamicWeightDecoder(nn.Module):
    """Pyramid, parallel dynamic weight filters of several dilations, two more, 1x1 to one logit.

    Args:
        channels: channels of the four inputs.
        width: channels inside.
        reduce_kernel: kernel of the convolution that reduces F_cat.
        pool_scales: grid sizes of the pyramid pooling on E4; none for a plain feature pyramid.
        dilations: dilation rates of the parallel filters.
        filters: static filters that one dynamic filter mixes.
        filter_weights: where their weights come from: "f1", "f4", "local" or "equal", see `OmniConfig`.
        coarse_prediction: predict P_co and let its features join F_cat.
    """

    def __init__(
        self,
        channels: Sequence[int],
        width: int,
        reduce_kernel: int,
        pool_scales: Sequence[int],
        dilations: Sequence[int],
        filters: int,
        filter_weights: str = "f1",
        coarse_prediction: bool = False,
    ) -> None:
        super().__init__()
        self.pyramid = FeaturePyramid(channels, width, pool_scales)
        self.coarse = CoarsePrediction(width) if coarse_prediction else None
        joined = 4 * width + (self.coarse.channels if self.coarse is not None else 0)
        self.reduce = conv_norm_relu(joined, width, reduce_kernel)
        self.global_level = GLOBAL_LEVELS.get(filter_weights)

        def dynamic_filter(dilation: int) -> DynamicWeightFilter:
            global_channels = 0 if self.global_level is None else width
            return DynamicWeightFilter(width, global_channels, dilation, filters, equal=filter_weights == "equal")

        self.parallel = nn.ModuleList([dynamic_filter(dilation) for dilation in dilations])
        self.merge = conv_norm_relu((len(dilations) + 2) * width, width, 1)
        self.serial = nn.ModuleList([dynamic_filter(2) for _ in range(2)])
        self.predict = nn.Conv2d(width, 1, 1)

    def forward(self, features: Sequence[Tensor]) -> DecoderOutput:
        """``(E1, E2', E3', E4)`` at 1/4, 1/8, 1/16, 1/32 of the input -> see `DecoderOutput`."""
        levels = self.pyramid(features)  # F1 .. F4
        size = levels[0].shape[2:]
        global_vector = None if self.global_level is None else levels[self.global_level].mean((2, 3))  # V_g, (B, width)
        parts = [levels[0], *(resize(level, size) for level in levels[1:])]
        coarse = None
        if self.coarse is not None:
            coarse, of_coarse = self.coarse(levels[0])  # P_co, F_co
            parts.append(of_coarse)
        concatenated = self.reduce(torch.cat(parts, 1))  # F_cat, (B, width, H/4, W/4)
        mean = concatenated.mean((2, 3), keepdim=True).expand_as(concatenated)
        dynamic = [dwf(concatenated, global_vector) for dwf in self.parallel]
        x = self.merge(torch.cat([mean, *dynamic, concatenated], 1))
        for dwf in self.serial:
            x = dwf(x, global_vector)
        return DecoderOutput(resize(self.predict(x), (4 * size[0], 4 * size[1])), coarse)
