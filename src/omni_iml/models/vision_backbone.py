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

from omni_iml.models.context_encoder import ContextEncoder
from omni_iml.models.high_pass import HighPassResiduals
from omni_iml.models.layers import coordinate_channels


class VisionPerceptionHead(nn.Module):
    """Stem and first two stages of a ConvNeXt.

    Args:
        convnext: its stem takes RGB, then six high-pass channels, then three coordinates, as far as they are on.
        high_pass: read `HighPassResiduals` too.
        coordinates: read `coordinate_channels` too.
        context: what it gives is added to the features.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, convnext: ConvNeXt, high_pass: bool, coordinates: bool, context: ContextEncoder | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)
        self.residuals = HighPassResiduals() if high_pass else None
        self.coordinates = coordinates
        self.stem = convnext.stem
        self.stages = nn.ModuleList([convnext.stages[0], convnext.stages[1]])
        self.context = context

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """RGB ``(B, 3, H, W)`` in 0..255 -> E1 ``(B, C1, H/4, W/4)`` and F_rgb ``(B, C2, H/8, W/8)``."""
        x = (pixels - self.mean) / self.std
        if self.residuals is not None:
            x = torch.cat([x, self.residuals(pixels)], 1)  # (B, 9, H, W)
        if self.coordinates:
            x = torch.cat([x, coordinate_channels(x)], 1)  # (B, 6 or 12, H, W)
        low = self.stages[0](self.stem(x))
        high = self.stages[1](low)
        if self.context is None:
            return low, high
        more_low, more_high = self.context(pixels)
        return low + more_low, high + more_high


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
    name: str, *, drop_path: float, layer_scale: float, high_pass: bool, coordinates: bool = False, context: str = ""
) -> tuple[VisionPerceptionHead, Backbone, tuple[int, int, int, int]]:
    """Create timm's ConvNeXt ``name`` and split it.

    Returns:
        The vision head, the backbone, and the channels of the four stages.

    Raises:
        ValueError: ``name`` is not a ConvNeXt that timm knows, or ``context`` not an EfficientNet-Lite.
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
            in_chans=3 + (HighPassResiduals.channels if high_pass else 0) + (3 if coordinates else 0),
        ),
    )
    channels = cast("tuple[int, int, int, int]", tuple(info["num_chs"] for info in convnext.feature_info))
    reader = ContextEncoder(context, channels[0], channels[1]) if context else None
    return VisionPerceptionHead(convnext, high_pass, coordinates, reader), Backbone(convnext), channels
