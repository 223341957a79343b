"""Fixed decoder: UPerNet's head, for C-T5's rows without the dynamic weight decoder (Xiao et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from omni_iml.models.dynamic_decoder import DecoderOutput
from omni_iml.models.layers import conv_norm_relu
from omni_iml.models.pyramid import FeaturePyramid, resize


class FixedDecoder(nn.Module):
    """Pyramid, its levels concatenated at 1/4, one convolution, 1x1 to one logit.

    Args:
        channels: channels of the four inputs.
        width: channels inside.
        kernel: kernel of the convolution over the concatenated levels.
        pool_scales: grid sizes of the pyramid pooling on E4; none for a plain feature pyramid.
    """

    def __init__(self, channels: Sequence[int], width: int, kernel: int, pool_scales: Sequence[int]) -> None:
        super().__init__()
        self.pyramid = FeaturePyramid(channels, width, pool_scales)
        self.reduce = conv_norm_relu(4 * width, width, kernel)
        self.predict = nn.Conv2d(width, 1, 1)

    def forward(self, features: Sequence[Tensor]) -> DecoderOutput:
        """``(E1, E2', E3', E4)`` at 1/4, 1/8, 1/16, 1/32 of the input -> see `DecoderOutput`."""
        levels = self.pyramid(features)  # F1 .. F4
        size = levels[0].shape[2:]
        spread = torch.cat([levels[0], *(resize(level, size) for level in levels[1:])], 1)  # (B, 4 width, H/4, W/4)
        return DecoderOutput(resize(self.predict(self.reduce(spread)), (4 * size[0], 4 * size[1])))
