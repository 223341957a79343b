"""A's coarse mask P_co: predicted from F_1, read again by a light network that joins its features to F_cat (A 3.3)."""

from __future__ import annotations

from torch import Tensor, nn

from omni_iml.models.layers import conv_norm_relu


class CoarsePrediction(nn.Module):
    """1x1 convolution to P_co, two convolutions from its probability to F_co.

    Args:
        width: channels of F_1.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.channels = max(8, width // 8)
        self.predict = nn.Conv2d(width, 1, 1)
        self.features = nn.Sequential(conv_norm_relu(1, self.channels), conv_norm_relu(self.channels, self.channels))

    def forward(self, first: Tensor) -> tuple[Tensor, Tensor]:
        """F_1 ``(B, width, H/4, W/4)`` -> logits of P_co ``(B, 1, H/4, W/4)``, F_co ``(B, channels, H/4, W/4)``."""
        logits = self.predict(first)
        return logits, self.features(logits.sigmoid())
