"""Channel-spatial attention, and the fusion that A makes with it (A 3.1; DTD CVPR 2023, perception-heads spec E4)."""

from __future__ import annotations

from torch import Tensor, nn

REDUCTION = 16
"""Channels / channels of the squeezed vector."""


class ChannelSpatialAttention(nn.Module):
    """Concurrent spatial and channel squeeze and excitation, scSE (Roy et al. 2018): ``x * channel + x * spatial``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel = channel_logits(channels, channels)
        self.spatial = nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C, H, W)``."""
        channel = self.channel(x.mean((2, 3), keepdim=True)).sigmoid()  # (B, C, 1, 1)
        return x * channel + x * self.spatial(x).sigmoid()


class ChannelSpatialFusion(nn.Module):
    """A's Attn: channel-spatial attention over both modalities, then one convolution to vision's width."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.attention = ChannelSpatialAttention(channels)
        self.project = nn.Sequential(
            nn.Conv2d(channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)
        )

    def forward(self, both: Tensor) -> Tensor:
        """F_rgb and F_freq, concatenated ``(B, channels, H, W)`` -> ``(B, out_channels, H, W)``."""
        return self.project(self.attention(both))


class ChannelSpatialWeights(nn.Module):
    """Weights in 0..1 by channel and pixel: the sigmoid of channel and spatial logits' sum (BAM, Park et al. 2018)."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.channel = channel_logits(channels, out_channels)
        self.spatial = nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, H, W) -> (B, out_channels, H, W)``."""
        return (self.channel(x.mean((2, 3), keepdim=True)) + self.spatial(x)).sigmoid()


def channel_logits(channels: int, out_channels: int) -> nn.Sequential:
    """Two 1x1 convolutions around a squeezed vector: ``(B, channels, 1, 1) -> (B, out_channels, 1, 1)``."""
    squeezed = max(1, channels // REDUCTION)
    return nn.Sequential(nn.Conv2d(channels, squeezed, 1), nn.ReLU(inplace=True), nn.Conv2d(squeezed, out_channels, 1))
