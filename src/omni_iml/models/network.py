"""The Omni-IML localisation network (paper Figure 2, left), put together from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from torch import Tensor, nn

from omni_iml.models.anomaly_enhancement import AnomalyEnhancement, Unenhanced
from omni_iml.models.channel_spatial_attention import ChannelSpatialFusion
from omni_iml.models.classifier import ImageClassifier
from omni_iml.models.config import OmniConfig
from omni_iml.models.detection_branch import DetectionBranch
from omni_iml.models.dynamic_decoder import DynamicWeightDecoder
from omni_iml.models.fixed_decoder import FixedDecoder
from omni_iml.models.fixed_gate import AlwaysFused, AlwaysVision
from omni_iml.models.frequency_head import FrequencyPerceptionHead
from omni_iml.models.layers import conv_norm_relu
from omni_iml.models.modal_gate import ModalGate
from omni_iml.models.noise_head import BayarResiduals, NoiseHead, SrmResiduals
from omni_iml.models.noiseprint import Noiseprint
from omni_iml.models.soft_gate import SoftGate
from omni_iml.models.vision_backbone import split_convnext

STRIDE = 32
"""Inputs have sides that are multiples of this."""


@dataclass
class OmniOutput:
    """What one forward pass gives; None where the variant has no such output.

    Attributes:
        mask: ``(B, 1, H, W)`` logits, positive = tampered.
        gate: ``(B,)`` logits, positive = vision alone was used, or the larger share of it; constant without a gate.
        image: ``(B,)`` logits of the image-level classifier, positive = tampered.
        decision: ``gate`` where a classifier made it, else None: what the gate's loss trains.
        coarse_rgb: ``(B, 1, H/8, W/8)`` logits of P_rgb.
        coarse_fused: ``(B, 1, H/8, W/8)`` logits of P_fused.
        coarse: ``(B, 1, H/4, W/4)`` logits of A's P_co.
        detection: the detector's four losses in training with boxes, else empty.
        loss: of a network that brings its own (`omni_iml.models.peer`); it is trained with nothing else.
    """

    mask: Tensor
    gate: Tensor
    image: Tensor
    decision: Tensor | None = None
    coarse_rgb: Tensor | None = None
    coarse_fused: Tensor | None = None
    coarse: Tensor | None = None
    detection: dict[str, Tensor] = field(default_factory=dict)
    loss: Tensor | None = None


class OmniIML(nn.Module):
    """Perception heads, modal gate, backbone, anomaly enhancement, dynamic weight decoder, classifier.

    Normalisation is inside, so the inputs are the model file's: bytes as they come from the picture.
    """

    def __init__(self, config: OmniConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_head, self.backbone, channels = split_convnext(
            config.backbone,
            drop_path=config.drop_path,
            layer_scale=config.layer_scale,
            high_pass=config.high_pass,
            coordinates=config.coordinates,
            context=config.context,
        )
        enhanced = (channels[1], channels[2])
        self.frequency_head = _frequency_head(config)
        self.gate = _gate(config, channels[1])
        self.anomaly_enhancement = _anomaly_enhancement(config, enhanced)
        self.detection = DetectionBranch(enhanced, config.detection_width) if config.anomaly_enhancement else None
        self.decoder = _decoder(config, channels)
        self.classifier = ImageClassifier(channels[3], config.classifier_width)

    def forward(
        self, image: Tensor, coefficients: Tensor, table: Tensor, boxes: Sequence[Tensor] | None = None
    ) -> OmniOutput:
        """Localise.

        Args:
            image: uint8 or float ``(B, 3, H, W)`` RGB in 0..255; H and W multiples of 32.
            coefficients: uint8 ``(B, H, W)``, min(|c|, 20).
            table: uint8 ``(B, 8, 8)``, min(q, 63).
            boxes: ground-truth boxes for the training-only detector, float32 ``(N, 4)`` a sample; read only in
                training mode.

        Raises:
            ValueError: a side that is not a multiple of 32, named with the size to pad to.
        """
        height, width = image.shape[2:]
        if height % STRIDE or width % STRIDE:
            padded = f"{-(-height // STRIDE) * STRIDE}x{-(-width // STRIDE) * STRIDE}"
            raise ValueError(f"input of {height}x{width}: sides must be multiples of {STRIDE}; pad it to {padded}.")
        pixels = image.to(self.decoder.predict.weight.dtype)
        low, rgb = self.vision_head(pixels)
        frequency = None if self.frequency_head is None else self.frequency_head(coefficients, table, pixels)
        gate = self.gate(rgb, frequency)
        middle, high = self.backbone(gate.selected)
        enhanced, agnostic = self.anomaly_enhancement((gate.selected, middle))
        detection = {}
        if self.training and boxes is not None and self.detection is not None:
            detection = self.detection(agnostic, boxes, (height, width))
        drawn = self.decoder((low, *enhanced, high))
        return OmniOutput(
            mask=drawn.mask,
            gate=gate.logit,
            image=self.classifier(high),
            decision=gate.decision,
            coarse_rgb=gate.coarse_rgb,
            coarse_fused=gate.coarse_fused,
            coarse=drawn.coarse,
            detection=detection,
        )


def _frequency_head(config: OmniConfig) -> nn.Module | None:
    if config.gate == "vision":
        return None
    match config.modality:
        case "dct":
            return FrequencyPerceptionHead(config.frequency)
        case "srm":
            return NoiseHead(SrmResiduals(), config.frequency)
        case "bayar":
            return NoiseHead(BayarResiduals(), config.frequency)
        case "noiseprint":
            return NoiseHead(Noiseprint(), config.frequency)
        case _:
            assert_never(config.modality)


def _fusion(config: OmniConfig, vision: int) -> nn.Module:
    match config.fusion:
        case "conv":
            return conv_norm_relu(vision + config.frequency.out, vision)
        case "channel-spatial":
            return ChannelSpatialFusion(vision + config.frequency.out, vision)
        case _:
            assert_never(config.fusion)


def _gate(config: OmniConfig, vision: int) -> nn.Module:
    match config.gate:
        case "hard":
            return ModalGate(_fusion(config, vision), vision, config.gate_repeat, config.gate_width)
        case "soft":
            return SoftGate(_fusion(config, vision), vision)
        case "fused":
            return AlwaysFused(_fusion(config, vision))
        case "vision":
            return AlwaysVision()
        case _:
            assert_never(config.gate)


def _anomaly_enhancement(config: OmniConfig, channels: tuple[int, int]) -> nn.Module:
    if not config.anomaly_enhancement:
        return Unenhanced()
    return AnomalyEnhancement(
        channels, config.anomaly_queries, config.anomaly_width, config.anomaly_heads, config.anomaly_mlp
    )


def _decoder(config: OmniConfig, channels: Sequence[int]) -> DynamicWeightDecoder | FixedDecoder:
    common = channels, config.decoder_width, config.decoder_reduce_kernel, config.pool_scales
    match config.decoder:
        case "dynamic":
            return DynamicWeightDecoder(
                *common, config.dilations, config.filters, config.filter_weights, config.coarse_prediction
            )
        case "fixed":
            return FixedDecoder(*common)
        case _:
            assert_never(config.decoder)


def count_parameters(network: OmniIML) -> int:
    """Parameters that inference uses: all but the training-only detector's (what C-T16 and C-T17 count)."""
    return sum(p.numel() for name, p in network.named_parameters() if not name.startswith("detection."))
