"""What published ConvNeXt checkpoints call their tensors, and what they are called here.

Every layout is a table of renames: a pattern that a whole name must match, and what it becomes. Stages 0 and 1 of a
ConvNeXt are the vision head's, 2 and 3 the backbone's (`vision_backbone`); inside a stage the names are timm's.

* timm: `stem.0`, `stages.0.blocks.0.conv_dw`.
* mmsegmentation's UPerNet and the ConvNeXt authors' own files, which the paper starts from ("official ADE20k weights",
  F.1): `backbone.downsample_layers.0.0`, `backbone.stages.0.0.depthwise_conv` or `.dwconv`.
* Hugging Face transformers: `backbone.embeddings.patch_embeddings`, `backbone.encoder.stages.0.layers.0.dwconv`.

The decode head of UPerNet is the same in the last two, but for `bn` and `batch_norm`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

Rename = tuple[str, str]

_SPLIT: tuple[Rename, ...] = (
    (r"(stem\..+)", r"vision_head.\1"),
    (r"stages\.([01])\.(.+)", r"vision_head.stages.\1.\2"),
    (r"stages\.2\.(.+)", r"backbone.stages.0.\1"),
    (r"stages\.3\.(.+)", r"backbone.stages.1.\1"),
)
"""From a whole ConvNeXt of timm's to our two halves."""

_UPERNET: tuple[Rename, ...] = (
    (r"decode_head\.lateral_convs\.(\d)\.(.+)", r"decoder.pyramid.lateral.\1.\2"),
    (r"decode_head\.fpn_convs\.(\d)\.(.+)", r"decoder.pyramid.smooth.\1.\2"),
    (r"decode_head\.psp_modules\.(\d)\.1\.(.+)", r"decoder.pyramid.pooling.project.\1.\2"),
    (r"decode_head\.bottleneck\.(.+)", r"decoder.pyramid.pooling.fuse.\1"),
    (r"decode_head\.fpn_bottleneck\.(.+)", r"decoder.reduce.\1"),
)
"""Convolution units of the decode head. Its classifier and the auxiliary head know ADE20k's classes: no place here."""

_UNIT: tuple[Rename, ...] = (
    (r"(decoder\..+)\.conv\.weight", r"\1.0.weight"),
    (r"(decoder\..+)\.bn\.(.+)", r"\1.1.\2"),
)
"""Inside a convolution unit: `layers.conv_norm_relu` is a plain sequence."""


@dataclass(frozen=True)
class Layout:
    """One way of naming the tensors of a ConvNeXt.

    Attributes:
        name: for messages.
        marker: matches a name that every file of this layout has and no other; None for a layout that is not known.
        renames: to timm's names, and `decode_head`.
    """

    name: str
    marker: str | None
    renames: tuple[Rename, ...] = ()


TIMM = Layout("timm", r"stem\.0\.weight")

_DOWN = r"(?:backbone\.)?downsample_layers\."
_BLOCK = r"(?:backbone\.)?stages\.(\d)\.(\d+)\."
MMSEGMENTATION = Layout(
    "mmsegmentation",
    _DOWN + r"0\.0\.weight",
    (
        (_DOWN + r"0\.(.+)", r"stem.\1"),
        (_DOWN + r"(\d)\.(.+)", r"stages.\1.downsample.\2"),
        (_BLOCK + r"(?:depthwise_conv|dwconv)\.(.+)", r"stages.\1.blocks.\2.conv_dw.\3"),
        (_BLOCK + r"(?:pointwise_conv|pwconv)(\d)\.(.+)", r"stages.\1.blocks.\2.mlp.fc\3.\4"),
        (_BLOCK + r"(norm\..+|gamma)", r"stages.\1.blocks.\2.\3"),
    ),
)

_HUGGING = r"(?:backbone|convnext)\."
_LAYER = _HUGGING + r"encoder\.stages\.(\d)\.layers\.(\d+)\."
HUGGING_FACE = Layout(
    "Hugging Face",
    _HUGGING + r"embeddings\.patch_embeddings\.weight",
    (
        (_HUGGING + r"embeddings\.patch_embeddings\.(.+)", r"stem.0.\1"),
        (_HUGGING + r"embeddings\.layernorm\.(.+)", r"stem.1.\1"),
        (_HUGGING + r"encoder\.stages\.(\d)\.downsampling_layer\.(.+)", r"stages.\1.downsample.\2"),
        (_LAYER + r"dwconv\.(.+)", r"stages.\1.blocks.\2.conv_dw.\3"),
        (_LAYER + r"layernorm\.(.+)", r"stages.\1.blocks.\2.norm.\3"),
        (_LAYER + r"pwconv(\d)\.(.+)", r"stages.\1.blocks.\2.mlp.fc\3.\4"),
        (_LAYER + r"layer_scale_parameter", r"stages.\1.blocks.\2.gamma"),
        (r"(decode_head\..+)\.batch_norm\.(.+)", r"\1.bn.\2"),
    ),
)

AUTHORS = Layout("the Omni-IML authors", None)
"""The place of the paper's own weights. None were public when this was written, so their names are not known and the
marker matches nothing. Should they appear: a marker, and renames to timm's names (or straight to this network's)."""

LAYOUTS = (TIMM, MMSEGMENTATION, HUGGING_FACE, AUTHORS)


def layout_of(names: Iterable[str]) -> Layout | None:
    """The layout whose marker is among the names; None where there is none."""
    known = list(names)
    for layout in LAYOUTS:
        if layout.marker is not None and any(re.fullmatch(layout.marker, name) for name in known):
            return layout
    return None


def our_name(name: str, layout: Layout) -> str:
    """What a tensor of a published checkpoint is called in `OmniIML`.

    Args:
        name: as in the file.
        layout: the file's.

    Returns:
        Our name. That of a tensor without a counterpart comes back as it is, or as a name that no network has.
    """
    for table in (layout.renames, _SPLIT, _UPERNET, _UNIT):
        name = _renamed(name, table)
    return name


def _renamed(name: str, table: tuple[Rename, ...]) -> str:
    for pattern, replacement in table:
        if match := re.fullmatch(pattern, name):
            return match.expand(replacement)
    return name
