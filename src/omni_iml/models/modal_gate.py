"""Modal gate: per sample, go on with vision features alone or with vision and frequency (paper 3.1, C.1)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from omni_iml.models.layers import conv_norm_relu


class GateOutput(NamedTuple):
    """What the gate saw and decided.

    Attributes:
        selected: ``(B, C, H/8, W/8)``, F_rgb or F_fused, sample by sample.
        coarse_rgb: ``(B, 1, H/8, W/8)`` logits of P_rgb.
        coarse_fused: ``(B, 1, H/8, W/8)`` logits of P_fused.
        logit: ``(B,)``; sigmoid >= 0.5 chose vision alone.
    """

    selected: Tensor
    coarse_rgb: Tensor
    coarse_fused: Tensor
    logit: Tensor


class ModalGate(nn.Module):
    """Fusion of the two modalities, their coarse predictions, and the hard choice between them.

    The choice is a comparison, so the gate learns from its own classification loss only.

    Args:
        vision: channels of F_rgb; the fused features get as many, because the backbone reads either.
        frequency: channels of F_freq.
        repeat: channels that each coarse probability map is repeated to.
        width: channels of the classifier's convolutions.
    """

    def __init__(self, vision: int, frequency: int, repeat: int, width: int) -> None:
        super().__init__()
        self.repeat = repeat
        self.fuse = conv_norm_relu(vision + frequency, vision)
        self.head_rgb = _auxiliary_head(vision)
        self.head_fused = _auxiliary_head(vision)
        self.classifier = nn.Sequential(
            conv_norm_relu(2 * vision + 2 * repeat, width),
            conv_norm_relu(width, width, stride=2),
            conv_norm_relu(width, width, stride=2),
        )
        self.linear = nn.Linear(width, 1)

    def forward(self, rgb: Tensor, frequency: Tensor) -> GateOutput:
        """See `GateOutput`; ``rgb (B, vision, H/8, W/8)`` and ``frequency (B, frequency, H/8, W/8)``."""
        fused = self.fuse(torch.cat([rgb, frequency], 1))
        coarse_rgb, coarse_fused = self.head_rgb(rgb), self.head_fused(fused)
        maps = [coarse.sigmoid().expand(-1, self.repeat, -1, -1) for coarse in (coarse_rgb, coarse_fused)]
        seen = self.classifier(torch.cat([rgb, fused, *maps], 1))
        logit = self.linear(seen.mean((2, 3)))[:, 0]  # (B,)
        selected = torch.where((logit >= 0)[:, None, None, None], rgb, fused)
        return GateOutput(selected, coarse_rgb, coarse_fused, logit)


def _auxiliary_head(channels: int) -> nn.Sequential:
    """Two convolutions to one logit (paper C.1: AuxHead)."""
    hidden = max(8, channels // 2)
    return nn.Sequential(conv_norm_relu(channels, hidden), nn.Conv2d(hidden, 1, 1))
