"""No gate: one modality for every sample (C-T5, "w.o. MG" and "w.o. MG*"). No coarse predictions, no loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from omni_iml.models.modal_gate import GateOutput

CERTAIN = 20.0
"""The logit that stands for always: its sigmoid is 1 within float32's precision."""


class AlwaysFused(nn.Module):
    """Vision and frequency, fused, for every sample.

    Args:
        fuse: F_rgb and F_freq, concatenated -> F_fused, of F_rgb's width.
    """

    def __init__(self, fuse: nn.Module) -> None:
        super().__init__()
        self.fuse = fuse

    def forward(self, rgb: Tensor, frequency: Tensor) -> GateOutput:
        """See `GateOutput`."""
        return GateOutput(self.fuse(torch.cat([rgb, frequency], 1)), rgb.new_full((rgb.shape[0],), -CERTAIN))


class AlwaysVision(nn.Module):
    """Vision alone for every sample; there is no second modality."""

    def forward(self, rgb: Tensor, frequency: Tensor | None) -> GateOutput:
        """See `GateOutput`."""
        return GateOutput(rgb, rgb.new_full((rgb.shape[0],), CERTAIN))
