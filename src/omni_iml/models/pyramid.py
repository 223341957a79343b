"""Pyramid pooling module (Zhao et al. 2017) and feature pyramid (Lin et al. 2017), arranged as in UPerNet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from omni_iml.models.layers import conv_norm_relu


def resize(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear, half-pixel centres; ``(B, C, H, W) -> (B, C, *size)``."""
    return F.interpolate(x, size=(size[0], size[1]), mode="bilinear", align_corners=False)


def pool_to_grid(x: Tensor, scale: int) -> Tensor:
    """`torch.nn.functional.adaptive_avg_pool2d` as two matrix products, because ONNX has no adaptive pooling.

    Shape: ``(B, C, H, W) -> (B, C, scale, scale)``.
    """
    rows = _pooling_matrix(x.shape[2], scale, x)  # (scale, H)
    columns = _pooling_matrix(x.shape[3], scale, x)  # (scale, W)
    return rows @ x @ columns.T


def _pooling_matrix(size: int, scale: int, like: Tensor) -> Tensor:
    # Computed from the size by tensor operations, so that the exported graph takes any size.
    cells = torch.arange(scale, device=like.device)
    start, stop = cells * size // scale, ((cells + 1) * size + scale - 1) // scale  # (scale,)
    pixels = torch.arange(size, device=like.device)
    inside = (pixels >= start[:, None]) & (pixels < stop[:, None])  # (scale, size)
    return inside.to(like.dtype) / (stop - start)[:, None].to(like.dtype)


class PyramidPooling(nn.Module):
    """Averages over grids of several sizes, spread back over the map and fused with it."""

    def __init__(self, channels: int, width: int, scales: Sequence[int]) -> None:
        super().__init__()
        self.scales = tuple(scales)
        self.project = nn.ModuleList([nn.Sequential(nn.Conv2d(channels, width, 1), nn.ReLU()) for _ in scales])
        self.fuse = conv_norm_relu(channels + len(self.scales) * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, width, H, W)``."""
        pooled = [
            resize(project(pool_to_grid(x, scale)), x.shape[2:])
            for scale, project in zip(self.scales, self.project, strict=True)
        ]
        return self.fuse(torch.cat([x, *pooled], 1))


class FeaturePyramid(nn.Module):
    """Pyramid pooling on the highest level, then top-down sums."""

    def __init__(self, channels: Sequence[int], width: int, pool_scales: Sequence[int]) -> None:
        super().__init__()
        self.pooling = PyramidPooling(channels[3], width, pool_scales)
        self.lateral = nn.ModuleList([conv_norm_relu(c, width, 1) for c in channels[:3]])
        self.smooth = nn.ModuleList([conv_norm_relu(width, width) for _ in channels[:3]])

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Four maps at 1/4, 1/8, 1/16, 1/32 -> F1 .. F4, ``width`` channels each, at the same sizes."""
        levels = [lateral(x) for lateral, x in zip(self.lateral, features[:3], strict=True)]
        levels.append(self.pooling(features[3]))
        for i in (2, 1, 0):
            levels[i] = levels[i] + resize(levels[i + 1], levels[i].shape[2:])
        return [smooth(x) for smooth, x in zip(self.smooth, levels[:3], strict=True)] + levels[3:]
