"""Anomaly enhancement: attention layers that a detector supervises while training (paper 3.2, C.2, Figure 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from omni_iml.models.layers import conv_norm_relu


class CrossAttention(nn.Module):
    """Pre-norm multi-head cross-attention with a feed-forward part; the readers are updated.

    Args:
        channels: C.
        width: channels that queries, keys and values are projected to.
        heads: attention heads.
        mlp: hidden channels of the feed-forward part / ``width``.
    """

    def __init__(self, channels: int, width: int, heads: int, mlp: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_readers, self.norm_sources = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.query = nn.Linear(channels, width)
        self.key_value = nn.Linear(channels, 2 * width)
        self.project = nn.Linear(width, channels)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, mlp * width),
            nn.GELU(),
            nn.Linear(mlp * width, channels),
        )

    def forward(self, readers: Tensor, sources: Tensor) -> Tensor:
        """``readers (B, N, C)`` and ``sources (B, M, C)`` -> the updated readers ``(B, N, C)``."""
        query = self._split(self.query(self.norm_readers(readers)))  # (B, heads, N, width/heads)
        key, value = self.key_value(self.norm_sources(sources)).chunk(2, -1)  # 2 x (B, M, width)
        seen = F.scaled_dot_product_attention(query, self._split(key), self._split(value))
        readers = readers + self.project(seen.transpose(1, 2).flatten(2))  # (B, N, C)
        return readers + self.feed_forward(readers)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, N, width/heads)


class QueryAttention(nn.Module):
    """Queries read the map, then the map reads the queries: shape kept, cost linear in pixels."""

    def __init__(self, channels: int, queries: int, width: int, heads: int, mlp: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(1, queries, channels) * 0.02)
        self.gather = CrossAttention(channels, width, heads, mlp)
        self.spread = CrossAttention(channels, width, heads, mlp)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C, H, W)``."""
        pixels = x.flatten(2).transpose(1, 2)  # (B, H*W, C)
        tokens = self.gather(self.queries.expand(x.shape[0], -1, -1), pixels)  # (B, queries, C)
        return self.spread(pixels, tokens).transpose(1, 2).unflatten(2, x.shape[2:])  # (B, C, H, W)


class AnomalyEnhancement(nn.Module):
    """F' = conv(F + attention(F)) at 1/8 and at 1/16."""

    def __init__(self, channels: tuple[int, int], queries: int, width: int, heads: int, mlp: int) -> None:
        super().__init__()
        self.attention = nn.ModuleList([QueryAttention(c, queries, width, heads, mlp) for c in channels])
        self.fuse = nn.ModuleList([conv_norm_relu(c, c) for c in channels])

    def forward(self, features: tuple[Tensor, Tensor]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Enhance both levels.

        Args:
            features: E2 ``(B, C2, H/8, W/8)`` and E3 ``(B, C3, H/16, W/16)``.

        Returns:
            The enhanced pair, and the pair (F_a, F_b) that the detector supervises; each of its input's shape.
        """
        agnostic = tuple(attend(x) for attend, x in zip(self.attention, features, strict=True))
        added = zip(self.fuse, features, agnostic, strict=True)
        return tuple(fuse(x + a) for fuse, x, a in added), agnostic


class Unenhanced(nn.Module):
    """No anomaly enhancement (C-T5, "w.o. AE"): the decoder reads the encoder's own features, no detector does."""

    def forward(self, features: tuple[Tensor, Tensor]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """E2 and E3 -> the same pair, and nothing for a detector."""
        return features, ()
