"""The network's configuration: one frozen dataclass, the paper's values as defaults.

`base()` and `small()` are the two sizes of C-T16 and C-T17 (152 M and 113 M inference-time parameters), `large()` is
that of A-T6; `bundled()` is the small network that ships with the package. docs/fidelity.md says which number comes
from the paper and which is a choice made here. `omni_iml.models.variants` has the papers' ablations.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter


@dataclass(frozen=True)
class FrequencyHeadConfig:
    """Widths of the Frequency Perception Head (perception-heads spec E2, DTD CVPR 2023), or of what takes its place.

    Attributes:
        embed: channels after the dilated convolution over one-hot coefficients.
        reduce: channels that meet the quantization-table embedding.
        out: output channels.
        expansion: expansion ratio of the inverted residual blocks.
        blocks: number of inverted residual blocks.
        residual: skip connections around the blocks; False reproduces DTD's published behaviour.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    embed: int = 64
    reduce: int = 16
    out: int = 256
    expansion: int = 6
    blocks: int = 3
    residual: bool = True


@dataclass(frozen=True)
class OmniConfig:
    """Everything that defines the localisation network.

    Attributes:
        backbone: timm name of a ConvNeXt.
        drop_path: stochastic depth rate of the last backbone block.
        layer_scale: initial layer scale; 1e-6 with pretrained weights, near 0.1 from scratch.
        high_pass: stack high-pass residual channels on RGB at the stem (off so that pretrained weights load unchanged).
        context: timm name of an EfficientNet-Lite whose features are added to the vision head's; none without a name.
        coordinates: stack row, column and radius on RGB at the stem, as DTD does (off, likewise).
        modality: what is read beside the colours: "dct" (coefficients and quantization table), or what C-T9 puts in
            its place: "srm", "bayar" or "noiseprint" (whose extractor takes published weights, see
            `omni_iml.models.noiseprint`).
        frequency: widths of the second modality's head.
        fusion: how its features join those of vision: "conv", or A's "channel-spatial" attention.
        gate: what the backbone reads: "hard" chooses one modality by sample, "soft" weighs both (C-T8); without a gate
            it is always "fused" or always "vision", the latter without any second modality (C-T5).
        gate_repeat: channels that each coarse probability map is repeated to in the gate's input; 0 leaves the coarse
            maps out of it (C-T21).
        gate_width: channels of the gate's convolutions.
        anomaly_enhancement: False decodes the encoder's own features, without a detector in training (C-T5).
        anomaly_queries: learnable queries of each anomaly enhancement attention layer.
        anomaly_width: channels of its queries, keys and values.
        anomaly_heads: attention heads there.
        anomaly_mlp: hidden channels of its feed-forward parts / ``anomaly_width``.
        detection_width: channels of the training-only FPNs.
        decoder: "dynamic" weight decoder, or "fixed" convolutions on the same pyramid (C-T5).
        decoder_width: channels of the pyramid pooling, the FPN and the decoder.
        decoder_reduce_kernel: kernel size of the convolution that reduces F_cat.
        pool_scales: grid sizes of the pyramid pooling module; none for a plain feature pyramid.
        dilations: dilation rates of the parallel dynamic weight filters (C.3: 2, 3, 6).
        filters: static filters W_i that one dynamic weight filter mixes (C.3: 4).
        filter_weights: what their weights A_i come from: V_c and the global vector V_g of F_1 ("f1", C) or of F_4
            ("f4", A), V_c alone ("local", C-T22), or nothing ("equal", 1 / filters each, C-T5).
        coarse_prediction: A's coarse mask P_co from F_1, whose features join F_cat.
        classifier_width: channels of the image-level classifier's convolutions.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    backbone: str = "convnext_base"
    drop_path: float = 0.3
    layer_scale: float = 1e-6
    high_pass: bool = False
    context: str = ""
    coordinates: bool = False
    modality: Literal["dct", "srm", "bayar", "noiseprint"] = "dct"
    frequency: FrequencyHeadConfig = FrequencyHeadConfig()
    fusion: Literal["conv", "channel-spatial"] = "conv"
    gate: Literal["hard", "soft", "fused", "vision"] = "hard"
    gate_repeat: int = 64
    gate_width: int = 512
    anomaly_enhancement: bool = True
    anomaly_queries: int = 64
    anomaly_width: int = 512
    anomaly_heads: int = 8
    anomaly_mlp: int = 4
    detection_width: int = 256
    decoder: Literal["dynamic", "fixed"] = "dynamic"
    decoder_width: int = 512
    decoder_reduce_kernel: int = 3
    pool_scales: tuple[int, ...] = (1, 2, 3, 6)
    dilations: tuple[int, ...] = (2, 3, 6)
    filters: int = 4
    filter_weights: Literal["f1", "f4", "local", "equal"] = "f1"
    coarse_prediction: bool = False
    classifier_width: int = 512

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able form; `from_dict` reverses it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> OmniConfig:
        """Build a configuration from plain values (a recipe, a checkpoint's metadata).

        Raises:
            ValueError: a key that the configuration does not have, or a value of another type.
        """
        return TypeAdapter(cls).validate_python(values)


def base() -> OmniConfig:
    """ConvNeXt-Base, the paper's main model."""
    return OmniConfig()


def small() -> OmniConfig:
    """ConvNeXt-Small (C-T17); only the backbone differs from `base`."""
    return replace(base(), backbone="convnext_small")


def large() -> OmniConfig:
    """ConvNeXt-Large (A-T6); only the backbone differs from `base`."""
    return replace(base(), backbone="convnext_large")


def bundled() -> OmniConfig:
    """ConvNeXt-Atto with slim heads, trained from scratch: small enough for a laptop's CPU."""
    return OmniConfig(
        backbone="convnext_atto",
        drop_path=0.0,
        layer_scale=0.1,
        high_pass=True,
        frequency=FrequencyHeadConfig(embed=32, reduce=12, out=96, expansion=2, blocks=2),
        gate_repeat=8,
        gate_width=32,
        anomaly_width=64,
        anomaly_heads=4,
        anomaly_mlp=2,
        detection_width=64,
        decoder_width=48,
        decoder_reduce_kernel=1,
        classifier_width=96,
    )


PRESETS = {"base": base, "small": small, "large": large, "bundled": bundled}
"""Sizes by name, for recipes and the command line."""
