"""Soft gate: both modalities weighed against each other, for C-T8's comparison with the hard one (C G.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from omni_iml.models.channel_spatial_attention import ChannelSpatialWeights
from omni_iml.models.modal_gate import GateOutput, auxiliary_head


class SoftGate(nn.Module):
    """``w * F_rgb + (1 - w) * F_fused``, w by channel and pixel from channel-spatial attention over both.

    The coarse predictions and their losses stay, so that only the switch differs from the hard gate.

    Args:
        fuse: F_rgb and F_freq, concatenated -> F_fused, of F_rgb's width.
        vision: channels of F_rgb.
    """

    def __init__(self, fuse: nn.Module, vision: int) -> None:
        super().__init__()
        self.fuse = fuse
        self.head_rgb = auxiliary_head(vision)
        self.head_fused = auxiliary_head(vision)
        self.weights = ChannelSpatialWeights(2 * vision, vision)

    def forward(self, rgb: Tensor, frequency: Tensor) -> GateOutput:
        """See `GateOutput`: its logit is that of vision's mean weight, which no classifier decided."""
        fused = self.fuse(torch.cat([rgb, frequency], 1))
        weights = self.weights(torch.cat([rgb, fused], 1))  # (B, vision, H/8, W/8)
        share = weights.float().mean((1, 2, 3)).clamp(1e-6, 1 - 1e-6)  # (B,)
        return GateOutput(
            weights * rgb + (1 - weights) * fused,
            (share / (1 - share)).log(),
            coarse_rgb=self.head_rgb(rgb),
            coarse_fused=self.head_fused(fused),
        )
