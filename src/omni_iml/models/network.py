"""The Omni-IML localisation network (paper Figure 2, left), put together from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

from omni_iml.models.anomaly_enhancement import AnomalyEnhancement
from omni_iml.models.classifier import ImageClassifier
from omni_iml.models.config import OmniConfig
from omni_iml.models.detection_branch import DetectionBranch
from omni_iml.models.dynamic_decoder import DynamicWeightDecoder
from omni_iml.models.frequency_head import FrequencyPerceptionHead
from omni_iml.models.modal_gate import ModalGate
from omni_iml.models.vision_backbone import split_convnext

STRIDE = 32
"""Inputs have sides that are multiples of this."""


@dataclass
class OmniOutput:
    """What one forward pass gives.

    Attributes:
        mask: ``(B, 1, H, W)`` logits, positive = tampered.
        gate: ``(B,)`` logits, positive = vision alone was used.
        image: ``(B,)`` logits of the image-level classifier, positive = tampered.
        coarse_rgb: ``(B, 1, H/8, W/8)`` logits of P_rgb.
        coarse_fused: ``(B, 1, H/8, W/8)`` logits of P_fused.
        detection: the detector's four losses in training with boxes, else empty.
    """

    mask: Tensor
    gate: Tensor
    image: Tensor
    coarse_rgb: Tensor
    coarse_fused: Tensor
    detection: dict[str, Tensor] = field(default_factory=dict)


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
        )
        self.frequency_head = FrequencyPerceptionHead(config.frequency)
        self.gate = ModalGate(channels[1], config.frequency.out, config.gate_repeat, config.gate_width)
        enhanced = (channels[1], channels[2])
        self.anomaly_enhancement = AnomalyEnhancement(
            enhanced, config.anomaly_queries, config.anomaly_width, config.anomaly_heads, config.anomaly_mlp
        )
        self.detection = DetectionBranch(enhanced, config.detection_width)
        self.decoder = DynamicWeightDecoder(
            channels,
            config.decoder_width,
            config.decoder_reduce_kernel,
            config.pool_scales,
            config.dilations,
            config.filters,
        )
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
        gate = self.gate(rgb, self.frequency_head(coefficients, table))
        middle, high = self.backbone(gate.selected)
        enhanced, agnostic = self.anomaly_enhancement((gate.selected, middle))
        detection = {}
        if self.training and boxes is not None:
            detection = self.detection(agnostic, boxes, (height, width))
        return OmniOutput(
            mask=self.decoder((low, *enhanced, high)),
            gate=gate.logit,
            image=self.classifier(high),
            coarse_rgb=gate.coarse_rgb,
            coarse_fused=gate.coarse_fused,
            detection=detection,
        )


def count_parameters(network: OmniIML) -> int:
    """Parameters that inference uses: all but the training-only detector's (what C-T16 and C-T17 count)."""
    return sum(p.numel() for name, p in network.named_parameters() if not name.startswith("detection."))
