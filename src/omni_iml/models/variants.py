"""The papers' variants of the network, by name: what each changes, whatever the size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from omni_iml.models.config import PRESETS, OmniConfig

VARIANTS: dict[str, dict[str, Any]] = {
    # The network of C.
    "iclr2026": {},
    # The network of A, the first arXiv version (2411.14823v1).
    "arxiv-v1": {"fusion": "channel-spatial", "filter_weights": "f4", "coarse_prediction": True},
    # C-T5
    "baseline": {"gate": "vision", "anomaly_enhancement": False, "decoder": "fixed", "pool_scales": ()},
    "without-mg": {"gate": "fused"},
    "without-mg-vision": {"gate": "vision"},
    "without-dwd": {"decoder": "fixed"},
    "without-dw": {"filter_weights": "equal"},
    "without-ae": {"anomaly_enhancement": False},
    # C-T8
    "soft-gate": {"gate": "soft"},
    # C-T9; its row None prints the numbers of C-T5's "without-mg-vision", which it is.
    "srm": {"modality": "srm"},
    "bayar": {"modality": "bayar"},
    "noiseprint": {"modality": "noiseprint"},
    # C-T21
    "gate-without-coarse": {"gate_repeat": 0},
    # C-T22
    "without-global-vector": {"filter_weights": "local"},
}
"""Variant -> the fields of `OmniConfig` that it changes."""


def preset(size: str = "base", variant: str = "iclr2026") -> OmniConfig:
    """The configuration of a size in a variant.

    Args:
        size: a name in `PRESETS`.
        variant: a name in `VARIANTS`.

    Raises:
        ValueError: one of them is unknown.
    """
    if size not in tuple(PRESETS):
        raise ValueError(f"preset {size!r} is unknown; the presets are {', '.join(PRESETS)}.")
    if variant not in tuple(VARIANTS):
        raise ValueError(f"variant {variant!r} is unknown; the variants are {', '.join(VARIANTS)}.")
    return replace(PRESETS[size](), **VARIANTS[variant])
