"""Noise residuals of the picture -> features at 1/8, in the Frequency Perception Head's place (C-T9, C G.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from omni_iml.models.config import FrequencyHeadConfig
from omni_iml.models.high_pass import convolve_5x5, srm_kernels
from omni_iml.models.layers import InvertedResidual, blocks_to_pixels, coordinate_channels
from omni_iml.models.noiseprint import Noiseprint


class SrmResiduals(nn.Module):
    """Three fixed SRM filters over all colours (Zhou et al. 2018), truncated as in Fridrich and Kodovsky 2012."""

    channels = 3
    limit = 2.0
    kernels: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernels", srm_kernels()[:, None].repeat(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """RGB ``(B, 3, H, W)`` in 0..255 -> ``(B, 3, H, W)`` in [-2, 2]."""
        return convolve_5x5(pixels, self.kernels).clamp(-self.limit, self.limit)


class BayarResiduals(nn.Module):
    """Learnt prediction errors: kernels of centre -1 whose other weights sum to 1 (Bayar and Stamm 2018).

    The constraint is part of the forward pass, so that the gradient knows of it.
    """

    channels = 3

    def __init__(self) -> None:
        super().__init__()
        # Far from a sum of 0, which has no such kernel.
        self.neighbours = nn.Parameter(torch.rand(self.channels, 3, 24))

    def kernels(self) -> Tensor:
        """``(3, 3, 5, 5)``, an output and input channel's kernel each."""
        predicted = self.neighbours / self.neighbours.sum(2, keepdim=True)  # (3, 3, 24)
        centre = -torch.ones_like(predicted[:, :, :1])
        return torch.cat([predicted[:, :, :12], centre, predicted[:, :, 12:]], 2).unflatten(2, (5, 5))  # (3, 3, 5, 5)

    def forward(self, pixels: Tensor) -> Tensor:
        """RGB ``(B, 3, H, W)`` in 0..255 -> ``(B, 3, H, W)``, errors in units of the whole range."""
        return convolve_5x5(pixels / 255, self.kernels())


class NoiseHead(nn.Module):
    """Two convolutions over the residuals, then the frequency head's own way from pixels to blocks.

    Args:
        residuals: RGB ``(B, 3, H, W)`` in 0..255 -> ``(B, residuals.channels, H, W)``.
        config: widths.
    """

    def __init__(self, residuals: SrmResiduals | BayarResiduals | Noiseprint, config: FrequencyHeadConfig) -> None:
        super().__init__()
        self.residuals = residuals
        self.embed = nn.Sequential(
            nn.Conv2d(residuals.channels, config.embed, 3, padding=1),
            nn.BatchNorm2d(config.embed, momentum=0.01),
            nn.ReLU(inplace=True),
        )
        self.reduce = nn.Sequential(
            nn.Conv2d(config.embed, 2 * config.reduce, 1, bias=False),
            nn.BatchNorm2d(2 * config.reduce, momentum=0.01),
            nn.ReLU(inplace=True),
        )
        self.blocks_to_pixels = blocks_to_pixels(2 * config.reduce + 3, config.out)
        self.mix = nn.Sequential(
            *(InvertedResidual(config.out, config.expansion, config.residual) for _ in range(config.blocks))
        )

    def forward(self, coefficients: Tensor, table: Tensor, pixels: Tensor) -> Tensor:
        """Features of the picture's noise.

        Args:
            coefficients: not read; one signature serves every second modality.
            table: not read.
            pixels: RGB ``(B, 3, H, W)`` in 0..255; H and W multiples of 8.

        Returns:
            ``(B, out, H/8, W/8)``.
        """
        # In bfloat16 a pixel has no room for its noise.
        with torch.autocast(pixels.device.type, enabled=False):
            residuals = self.residuals(pixels.float())
        x = self.reduce(self.embed(residuals))  # (B, 2 reduce, H, W)
        return self.mix(self.blocks_to_pixels(torch.cat([x, coordinate_channels(x)], 1)))
