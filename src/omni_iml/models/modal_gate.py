"""Modal gate: per sample, go on with vision features alone or with vision and frequency (paper 3.1, C.1)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from omni_iml.models.layers import conv_norm_relu


class GateOutput(NamedTuple):
    """What a gate saw and decided.

    Attributes:
        selected: ``(B, C, H/8, W/8)``, what the backbone reads: F_rgb or F_fused, sample by sample, or a mixture.
        logit: ``(B,)``; sigmoid >= 0.5: vision alone, or the larger share of it. A constant where it never changes.
        decision: ``logit`` where a classifier made it, which the gate's loss trains; None otherwise.
        coarse_rgb: ``(B, 1, H/8, W/8)`` logits of P_rgb, where the gate has it.
        coarse_fused: ``(B, 1, H/8, W/8)`` logits of P_fused, where the gate has it.
    """

    selected: Tensor
    logit: Tensor
    decision: Tensor | None = None
    coarse_rgb: Tensor | None = None
    coarse_fused: Tensor | None = None


class ModalGate(nn.Module):
    """Fusion of the two modalities, their coarse predictions, and the hard choice between them.

    The choice is a comparison, so the gate learns from its own classification loss only.

    Args:
        fuse: F_rgb and F_freq, concatenated -> F_fused, of F_rgb's width, because the backbone reads either.
        vision: channels of F_rgb.
        repeat: channels that each coarse probability map is repeated to; 0 shows the classifier none (C-T21).
        width: channels of the classifier's convolutions.
    """

    def __init__(self, fuse: nn.Module, vision: int, repeat: int, width: int) -> None:
        super().__init__()
        self.repeat = repeat
        self.fuse = fuse
        self.head_rgb = auxiliary_head(vision)
        self.head_fused = auxiliary_head(vision)
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
        shown = (coarse_rgb, coarse_fused) if self.repeat else ()
        maps = [coarse.sigmoid().expand(-1, self.repeat, -1, -1) for coarse in shown]
        seen = self.classifier(torch.cat([rgb, fused, *maps], 1))
        logit = self.linear(seen.mean((2, 3)))[:, 0]  # (B,)
        selected = torch.where((logit >= 0)[:, None, None, None], rgb, fused)
        return GateOutput(selected, logit, logit, coarse_rgb, coarse_fused)


def auxiliary_head(channels: int) -> nn.Sequential:
    """Two convolutions to one logit, ``(B, channels, H, W) -> (B, 1, H, W)`` (paper C.1: AuxHead)."""
    hidden = max(8, channels // 2)
    return nn.Sequential(conv_norm_relu(channels, hidden), nn.Conv2d(hidden, 1, 1))
