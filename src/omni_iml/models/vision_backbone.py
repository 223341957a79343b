"""ConvNeXt split where Omni-IML splits it: Vision Perception Head (stem, stages 1-2) and backbone (stages 3-4).

Paper C.1: the VPH is DTD's, which is the first two stages of a ConvNeXt; F.1: the backbone is a ConvNeXt.
The weights stay timm's own, name for name, so that published checkpoints load.
"""

from __future__ import annotations

from typing import cast

import timm
import torch
from timm.models.convnext import ConvNeXt
from torch import Tensor, nn
from torch.nn import functional as F

# Second differences of the gray picture: 3x3 and 5x5 kernels of the SRM family (Fridrich and Kodovsky 2012) and a
# horizontal one. They take the picture's content away and leave noise, resampling and blocking traces.
_SECOND_3X3 = [[-1, 2, -1], [2, -4, 2], [-1, 2, -1]]
_SECOND_5X5 = [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]]
_SECOND_1X3 = [[0, 0, 0], [1, -2, 1], [0, 0, 0]]
HIGH_PASS_CHANNELS = 6


class HighPassResiduals(nn.Module):
    """Three fixed high-pass residuals of the gray picture, clipped, and their magnitudes."""

    limit = 6.0
    kernels: Tensor
    luma: Tensor

    def __init__(self) -> None:
        super().__init__()
        kernels = torch.zeros(3, 1, 5, 5)
        kernels[0, 0] = torch.tensor(_SECOND_5X5) / 12
        kernels[1, 0, 1:4, 1:4] = torch.tensor(_SECOND_3X3) / 4
        kernels[2, 0, 1:4, 1:4] = torch.tensor(_SECOND_1X3) / 2
        self.register_buffer("kernels", kernels, persistent=False)
        self.register_buffer("luma", torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """RGB ``(B, 3, H, W)`` in 0..255 -> ``(B, 6, H, W)`` in [-1, 1]: three residuals, three magnitudes."""
        gray = (pixels * self.luma).sum(1, keepdim=True)  # (B, 1, H, W)
        # Edge padding keeps the border from looking like an edge of the picture.
        residual = F.conv2d(F.pad(gray, (2, 2, 2, 2), mode="replicate"), self.kernels)  # (B, 3, H, W)
        residual = residual.clamp(-self.limit, self.limit) / self.limit
        return torch.cat([residual, residual.abs()], 1)  # (B, 6, H, W)


class VisionPerceptionHead(nn.Module):
    """Stem and first two stages of a ConvNeXt."""

    mean: Tensor
    std: Tensor

    def __init__(self, convnext: ConvNeXt, high_pass: bool) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)
        self.residuals = HighPassResiduals() if high_pass else None
        self.stem = convnext.stem
        self.stages = nn.ModuleList([convnext.stages[0], convnext.stages[1]])

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """RGB ``(B, 3, H, W)`` in 0..255 -> E1 ``(B, C1, H/4, W/4)`` and F_rgb ``(B, C2, H/8, W/8)``."""
        x = (pixels - self.mean) / self.std
        if self.residuals is not None:
            x = torch.cat([x, self.residuals(pixels)], 1)  # (B, 9, H, W)
        low = self.stages[0](self.stem(x))
        return low, self.stages[1](low)


class Backbone(nn.Module):
    """The last two stages of a ConvNeXt."""

    def __init__(self, convnext: ConvNeXt) -> None:
        super().__init__()
        self.stages = nn.ModuleList([convnext.stages[2], convnext.stages[3]])

    def forward(self, selected: Tensor) -> tuple[Tensor, Tensor]:
        """E2 ``(B, C2, H/8, W/8)`` -> E3 ``(B, C3, H/16, W/16)`` and E4 ``(B, C4, H/32, W/32)``."""
        middle = self.stages[0](selected)
        return middle, self.stages[1](middle)


def split_convnext(
    name: str, *, drop_path: float, layer_scale: float, high_pass: bool
) -> tuple[VisionPerceptionHead, Backbone, tuple[int, int, int, int]]:
    """Create timm's ConvNeXt ``name`` and split it.

    Returns:
        The vision head, the backbone, and the channels of the four stages.

    Raises:
        ValueError: ``name`` is not a ConvNeXt that timm knows.
    """
    if not name.startswith("convnext") or not timm.is_model(name):
        raise ValueError(f"backbone {name!r} is not a ConvNeXt that timm knows; see timm.list_models('convnext*').")
    convnext = cast(
        ConvNeXt,
        timm.create_model(
            name,
            pretrained=False,
            num_classes=0,
            drop_path_rate=drop_path,
            ls_init_value=layer_scale,
            in_chans=3 + (HIGH_PASS_CHANNELS if high_pass else 0),
        ),
    )
    channels = cast("tuple[int, int, int, int]", tuple(info["num_chs"] for info in convnext.feature_info))
    return VisionPerceptionHead(convnext, high_pass), Backbone(convnext), channels
