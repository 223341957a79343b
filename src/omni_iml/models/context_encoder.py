"""Context: features of a published EfficientNet-Lite, added to those of a vision head that was trained from scratch.

The paper's vision head starts from published ConvNeXt weights (F.1). The bundled network's is too small for any that
could be had, so it reads, beside its own features, those of a network that learnt on ImageNet what things look like.
EfficientNet-Lite: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import timm
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn
from torch.nn import functional as F

from omni_iml.types import UnreadableModel

_STAGES = (1, 2, 4, 6)
"""Blocks whose outputs are read, at 1/4, 1/8, 1/16 and 1/32."""


class ContextEncoder(nn.Module):
    """An EfficientNet-Lite and the projections of its features to the vision head's widths.

    The projections start at zero, so a network that gets a context is the same function as before. Batch norms keep
    their published statistics, and the layers at 1/2 and 1/4, the dearest to train and the most general, stay as they
    are.

    Args:
        name: timm's, "tf_efficientnet_lite0" to "tf_efficientnet_lite4".
        low: channels of the vision head's features at 1/4.
        high: channels at 1/8.

    Raises:
        ValueError: timm knows no such EfficientNet-Lite.
    """

    def __init__(self, name: str, low: int, high: int) -> None:
        super().__init__()
        if not name.startswith("tf_efficientnet_lite") or not timm.is_model(name):
            raise ValueError(
                f"context {name!r} is not an EfficientNet-Lite that timm knows; try tf_efficientnet_lite0."
            )
        made = cast(EfficientNet, timm.create_model(name, pretrained=False, num_classes=0))
        self.stem = nn.Sequential(made.conv_stem, made.bn1)
        self.blocks = made.blocks
        _pad_outright(self)
        widths = [_width(self.blocks[stage]) for stage in _STAGES]
        projections = [nn.Conv2d(widths[0], low, 1), *(nn.Conv2d(width, high, 1) for width in widths[1:])]
        for projection in projections:
            for parameter in projection.parameters():
                nn.init.zeros_(parameter)
        self.low, self.high = projections[0], nn.ModuleList(projections[1:])
        for still in (self.stem, self.blocks[0], self.blocks[1]):
            still.requires_grad_(False)
        self.train()

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """RGB ``(B, 3, H, W)`` in 0..255 -> what to add at 1/4 ``(B, low, H/4, W/4)`` and at 1/8."""
        x = self.stem((pixels - 127) / 128)
        features = []
        for index, stage in enumerate(self.blocks):
            x = stage(x)
            if index in _STAGES:
                features.append(x)
        size = features[1].shape[2:]
        parts = [project(feature) for project, feature in zip(self.high, features[1:], strict=True)]
        grown = [F.interpolate(part, size, mode="bilinear", align_corners=False) for part in parts[1:]]
        return self.low(features[0]), parts[0] + grown[0] + grown[1]

    def train(self, mode: bool = True) -> ContextEncoder:
        """Batch norms stay in evaluation mode: their statistics are part of the published weights."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self

    def load_published(self, tensors: Mapping[str, Tensor], source: str) -> None:
        """Fill stem and blocks; the projections stay.

        Args:
            tensors: of a checkpoint of the whole EfficientNet-Lite, whatever its names: what counts is that shapes
                come in the order that the network has them. Its head is not used.
            source: where they come from, for the error.

        Raises:
            UnreadableModel: they are not this network's; nothing is changed then.
        """
        own = {f"stem.{name}": value for name, value in self.stem.state_dict().items()}
        own |= {f"blocks.{name}": value for name, value in self.blocks.state_dict().items()}
        given = list(tensors.values())[: len(own)]
        if [value.shape for value in given] != [value.shape for value in own.values()]:
            raise UnreadableModel(f"{source}: is not the EfficientNet-Lite of this network; give one of its size.")
        self.load_state_dict(dict(zip(own, given, strict=True)), strict=False)


class PaddedConv2d(nn.Conv2d):
    """TensorFlow's padding of a convolution of stride 2 on even sides, outright instead of by the input's size."""

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)``, H and W even -> ``(B, D, H/2, W/2)``."""
        total = self.kernel_size[0] - 2
        before, after = total // 2, total - total // 2
        return self._conv_forward(F.pad(x, (before, after, before, after)), self.weight, self.bias)


def _pad_outright(module: nn.Module) -> None:
    """Replace timm's convolutions that pad by the input's size, which does not export with a free one."""
    for name, part in list(module.named_modules()):
        if isinstance(part, nn.Conv2d) and type(part) is not nn.Conv2d:
            padded = PaddedConv2d(
                part.in_channels, part.out_channels, part.kernel_size[0], stride=2, groups=part.groups, bias=False
            )
            padded.weight = part.weight
            module.set_submodule(name, padded)


def _width(stage: nn.Module) -> int:
    convolutions = [part for part in stage.modules() if isinstance(part, nn.Conv2d)]
    return convolutions[-1].out_channels
