"""Losses of the localisation network (paper C.1 to C.3, G.6). Ignored pixels (255) count nowhere."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import ConfigDict
from torch import Tensor
from torch.nn import functional as F

from omni_iml.data.synthesis.sample import IGNORE
from omni_iml.models import OmniOutput

GATE_MARGIN = 0.1
"""Vision alone must be better by this IoU to be the gate's target (C.1)."""


@dataclass(frozen=True)
class LossConfig:
    """Weights of the terms of L_MG + L_AE + L_DWD + L_img; the papers give none, so 1 each.

    Attributes:
        mask: cross-entropy of the final mask, and of P_co where A's decoder predicts it (L_DWD).
        coarse: cross-entropy of each of the gate's coarse masks (L_MG).
        gate: cross-entropy of the gate (L_MG).
        detection: sum of the detector's four losses (L_AE).
        image: cross-entropy of the image-level classifier (L_img).
        dice: soft Dice added to the final and the coarse masks, relative to their cross-entropy; not in the papers.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    mask: float = 1.0
    coarse: float = 1.0
    gate: float = 1.0
    detection: float = 1.0
    image: float = 1.0
    dice: float = 0.0


def mask_cross_entropy(logits: Tensor, mask: Tensor) -> Tensor:
    """Mean binary cross-entropy over the pixels that count.

    Args:
        logits: ``(B, 1, h, w)``; upsampled bilinearly to the mask's size where smaller.
        mask: uint8 ``(B, H, W)``: 1, 0 or 255.

    Returns:
        Scalar; 0 when every pixel is ignored.
    """
    logits = _to_mask_size(logits, mask)
    valid = mask != IGNORE
    loss = F.binary_cross_entropy_with_logits(logits, (mask == 1).to(logits.dtype), reduction="none")
    return (loss * valid).sum() / valid.sum().clamp(min=1)


def dice_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """1 - soft Dice (Milletari et al. 2016), mean over the samples that hold tampered pixels; 0 when none does."""
    probability = _to_mask_size(logits, mask).sigmoid() * (mask != IGNORE)
    truth = (mask == 1).to(probability.dtype)
    overlap, total = (probability * truth).sum((1, 2)), (probability + truth).sum((1, 2))
    tampered = truth.sum((1, 2)) > 0
    per_sample = 1 - (2 * overlap + 1) / (total + 1)
    return (per_sample * tampered).sum() / tampered.sum().clamp(min=1)


def iou(logits: Tensor, mask: Tensor) -> Tensor:
    """IoU at probability > 0.5 of each sample, ``(B,)``; 1 where prediction and truth are both empty."""
    valid = mask != IGNORE
    predicted = (_to_mask_size(logits, mask) > 0) & valid
    truth = mask == 1
    union = (predicted | truth).sum((1, 2))
    return torch.where(union > 0, (predicted & truth).sum((1, 2)) / union.clamp(min=1), 1.0)


@torch.no_grad()
def gate_target(coarse_rgb: Tensor, coarse_fused: Tensor, mask: Tensor) -> Tensor:
    """L_c of C.1, ``(B,)`` float: 1 where vision alone beats fusion by more than the margin."""
    return (iou(coarse_rgb, mask) > iou(coarse_fused, mask) + GATE_MARGIN).float()


def losses(output: OmniOutput, mask: Tensor, label: Tensor, config: LossConfig) -> dict[str, Tensor]:
    """All terms that the variant has, unweighted, and their weighted sum under "total". A peer has its own alone.

    Args:
        output: of the network; an output that is None has no term.
        mask: uint8 ``(B, H, W)``: 1, 0 or 255.
        label: float ``(B,)``: 1 tampered, 0 authentic, -1 not to be used by the image-level loss.
        config: the weights.
    """
    if output.loss is not None:
        return {"own": output.loss, "total": output.loss}
    masks = {
        "mask": (output.mask, config.mask),
        "coarse": (output.coarse, config.mask),
        "coarse_rgb": (output.coarse_rgb, config.coarse),
        "coarse_fused": (output.coarse_fused, config.coarse),
    }
    weighted = {
        name: (_segmentation(logits, mask, config.dice), weight)
        for name, (logits, weight) in masks.items()
        if logits is not None
    }
    if output.decision is not None and output.coarse_rgb is not None and output.coarse_fused is not None:
        target = gate_target(output.coarse_rgb, output.coarse_fused, mask)
        weighted["gate"] = F.binary_cross_entropy_with_logits(output.decision.float(), target), config.gate
    weighted["image"] = _image_cross_entropy(output.image, label), config.image
    weighted |= {name: (value, config.detection) for name, value in output.detection.items()}
    total = torch.stack([weight * value for value, weight in weighted.values()]).sum()
    return {**{name: value for name, (value, _) in weighted.items()}, "total": total}


def _segmentation(logits: Tensor, mask: Tensor, dice: float) -> Tensor:
    loss = mask_cross_entropy(logits, mask)
    return loss + dice * dice_loss(logits, mask) if dice else loss


def _image_cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    used = label >= 0
    loss = F.binary_cross_entropy_with_logits(logits.float(), label.clamp(min=0), reduction="none")
    return (loss * used).sum() / used.sum().clamp(min=1)


def _to_mask_size(logits: Tensor, mask: Tensor) -> Tensor:
    if logits.shape[2:] != mask.shape[1:]:
        logits = F.interpolate(logits, size=mask.shape[1:], mode="bilinear", align_corners=False)
    return logits[:, 0].float()  # (B, H, W)
