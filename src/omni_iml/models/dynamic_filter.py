"""Dynamic weight filter: a depthwise filter chosen per sample (paper 3.3, C.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DynamicWeightFilter(nn.Module):
    """``D_opt = sum_i A_i W_i`` with ``A = sigmoid(FC([V_c, V_g]))``, applied depthwise, then a 1x1 convolution.

    Convolution is linear in its kernel, so the sum of the four filtered maps weighted by A equals filtering with the
    summed kernel. That form exports with a free batch, which a grouped convolution per sample does not. The other one
    reads and writes a quarter of the memory: ``summed`` chooses it, where nothing is exported.

    Args:
        channels: C.
        global_channels: G, the size of V_g; 0 for ``A = sigmoid(FC(V_c))`` (C-T22).
        dilation: dilation rate of the 3x3 filters.
        filters: how many static filters W_i are mixed.
        equal: every A_i is 1 / ``filters``, whatever the sample (C-T5, "w.o. DW").
    """

    def __init__(
        self, channels: int, global_channels: int, dilation: int, filters: int = 4, *, equal: bool = False
    ) -> None:
        super().__init__()
        self.filters = filters
        self.summed = False
        self.weights = None if equal else nn.Linear(channels + global_channels, filters)
        # One grouped convolution holds all filters: output channel c * filters + i is W_i of channel c.
        self.depthwise = nn.Conv2d(
            channels, channels * filters, 3, padding=dilation, dilation=dilation, groups=channels, bias=False
        )
        self.pointwise = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )

    def activations(self, x: Tensor, global_vector: Tensor | None) -> Tensor:
        """A, ``(B, filters)`` in 0..1: how much of each static filter this sample gets (Figure 8)."""
        if self.weights is None:
            return x.new_full((x.shape[0], self.filters), 1 / self.filters)
        local = x.mean((2, 3))  # V_c
        return self.weights(local if global_vector is None else torch.cat([local, global_vector], 1)).sigmoid()

    def filtered(self, x: Tensor, activations: Tensor) -> Tensor:
        """``x`` filtered depthwise with ``sum_i A_i W_i``, ``(B, C, H, W)``."""
        if self.summed:
            return self._filtered_once(x, activations)
        maps = self.depthwise(x).unflatten(1, (-1, self.filters))  # (B, C, filters, H, W)
        return (maps * activations[:, None, :, None, None]).sum(2)  # (B, C, H, W)

    def _filtered_once(self, x: Tensor, activations: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        static = self.depthwise.weight.unflatten(0, (channels, self.filters))  # (C, filters, 1, 3, 3)
        with torch.autocast(x.device.type, enabled=False):  # a processor is slow at this in bfloat16
            kernels = torch.einsum("cfohw,bf->bcohw", static, activations.to(static.dtype))  # D_opt of each sample
            maps = F.conv2d(
                x.to(static.dtype).reshape(1, batch * channels, height, width),
                kernels.flatten(0, 1),  # (B*C, 1, 3, 3)
                padding=self.depthwise.padding,
                dilation=self.depthwise.dilation,
                groups=batch * channels,
            )
        return maps.view(batch, channels, height, width)

    def forward(self, x: Tensor, global_vector: Tensor | None) -> Tensor:
        """``x (B, C, H, W)`` and V_g ``(B, G)``, None where G is 0 -> ``(B, C, H, W)``."""
        return self.pointwise(self.filtered(x, self.activations(x, global_vector)))
