"""Frequency Perception Head: quantized DCT coefficients and their table -> features at 1/8 (paper C.1, DTD's FPH)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from omni_iml.models.config import FrequencyHeadConfig
from omni_iml.models.layers import InvertedResidual, blocks_to_pixels, coordinate_channels

COEFFICIENT_LEVELS = 21
"""|coefficient| is clipped to 0..20."""
TABLE_LEVELS = 64
"""Quantization steps are clipped to 0..63."""


class FrequencyPerceptionHead(nn.Module):
    """One-hot coefficients, a convolution over one frequency in neighbouring blocks, the table's embedding."""

    def __init__(self, config: FrequencyHeadConfig) -> None:
        super().__init__()
        # Dilation 8 steps from block to block, so each output mixes one frequency of 3x3 blocks.
        self.embed = nn.Sequential(
            nn.Conv2d(COEFFICIENT_LEVELS, config.embed, 3, padding=8, dilation=8),
            nn.BatchNorm2d(config.embed, momentum=0.01),
            nn.ReLU(inplace=True),
        )
        self.reduce = nn.Sequential(
            nn.Conv2d(config.embed, config.reduce, 1, bias=False),
            nn.BatchNorm2d(config.reduce, momentum=0.01),
            nn.ReLU(inplace=True),
        )
        self.table_embedding = nn.Embedding(TABLE_LEVELS, config.reduce)
        self.blocks_to_pixels = blocks_to_pixels(2 * config.reduce + 3, config.out)
        self.mix = nn.Sequential(
            *(InvertedResidual(config.out, config.expansion, config.residual) for _ in range(config.blocks))
        )

    def forward(self, coefficients: Tensor, table: Tensor, pixels: Tensor | None = None) -> Tensor:
        """Features of the picture's compression.

        Args:
            coefficients: integer ``(B, H, W)``, absolute values clipped to 0..20; H and W multiples of 8.
            table: integer ``(B, 8, 8)``, steps clipped to 0..63.
            pixels: not read; the heads that take this one's place read them alone.

        Returns:
            ``(B, out, H/8, W/8)``.
        """
        levels = torch.arange(COEFFICIENT_LEVELS, device=coefficients.device, dtype=torch.int32)
        one_hot = coefficients[:, None].to(torch.int32) == levels.view(1, -1, 1, 1)  # (B, 21, H, W)
        x = self.reduce(self.embed(one_hot.to(self.table_embedding.weight.dtype)))  # (B, C, H, W)
        x = torch.cat([self._times_table(x, table), x], 1)  # (B, 2C, H, W)
        x = torch.cat([x, coordinate_channels(x)], 1)  # (B, 2C + 3, H, W)
        return self.mix(self.blocks_to_pixels(x))

    def _times_table(self, x: Tensor, table: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        steps = self.table_embedding(table.to(torch.int32)).permute(0, 3, 1, 2)  # (B, C, 8, 8)
        blocks = x.reshape(batch, channels, height // 8, 8, width // 8, 8)  # (B, C, H/8, 8, W/8, 8)
        scaled = blocks * steps[:, :, None, :, None, :]  # (B, C, H/8, 8, W/8, 8)
        return scaled.reshape(batch, channels, height, width)  # (B, C, H, W)
