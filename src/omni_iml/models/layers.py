"""Small building blocks that several parts of the network share."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv_norm_relu(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, batch normalisation, ReLU; keeps the size at stride 1.

    Shape: ``(B, in_channels, H, W) -> (B, out_channels, ceil(H/stride), ceil(W/stride))``.
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class SqueezeExcite(nn.Module):
    """Channel attention from the global mean (Hu et al. 2018), with swish as in EfficientNet."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.expand = nn.Conv2d(squeezed, channels, 1)
        self.act = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C, H, W)``."""
        weights = self.expand(self.act(self.reduce(x.mean((2, 3), keepdim=True))))  # (B, C, 1, 1)
        return x * weights.sigmoid()


class InvertedResidual(nn.Module):
    """EfficientNet's MBConv: expand, depthwise 3x3, squeeze-excite, project (perception-heads spec E2, step 7).

    Args:
        channels: C.
        expansion: hidden channels / C.
        residual: add the input to the output. DTD's published code never does, because its stride is a list.
    """

    def __init__(self, channels: int, expansion: int, residual: bool) -> None:
        super().__init__()
        hidden = channels * expansion
        self.expand = nn.Sequential(nn.Conv2d(channels, hidden, 1, bias=False), _norm(hidden), nn.SiLU())
        self.depthwise = nn.Sequential(
            nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden, bias=False), _norm(hidden), nn.SiLU()
        )
        self.squeeze_excite = SqueezeExcite(hidden, max(1, channels // 4))
        self.project = nn.Sequential(nn.Conv2d(hidden, channels, 1, bias=False), _norm(channels))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C, H, W)``."""
        out = self.project(self.squeeze_excite(self.depthwise(self.expand(x))))
        return x + out if self.residual else out


def blocks_to_pixels(channels: int, out_channels: int) -> nn.Sequential:
    """One 8x8 convolution a JPEG block: ``(B, channels, H, W) -> (B, out_channels, H/8, W/8)``."""
    return nn.Sequential(
        nn.Conv2d(channels, out_channels, 8, stride=8, bias=False),
        nn.BatchNorm2d(out_channels, momentum=0.01),
        nn.ReLU(inplace=True),
    )


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def coordinate_channels(x: Tensor) -> Tensor:
    """Row, column and radius channels (CoordConv, Liu et al. 2018, with DTD's radius about +0.5).

    Args:
        x: ``(B, C, H, W)``; only its shape, dtype and device are read.

    Returns:
        ``(B, 3, H, W)``: row and column in [-1, 1], ``sqrt((row - 0.5)^2 + (column - 0.5)^2)``.
    """
    batch, _, height, width = x.shape
    rows = _from_minus_one_to_one(height, x)[:, None].expand(1, 1, height, width)
    columns = _from_minus_one_to_one(width, x).expand(1, 1, height, width)
    radius = ((rows - 0.5) ** 2 + (columns - 0.5) ** 2).sqrt()
    return torch.cat([rows, columns, radius], 1).expand(batch, 3, height, width)


def _from_minus_one_to_one(count: int, like: Tensor) -> Tensor:
    # torch.linspace would be exported for one size only.
    return (2 * torch.arange(count, device=like.device) / max(1, count - 1) - 1).to(like.dtype)  # (count,)
