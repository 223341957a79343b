"""Noise level: how strong the finest detail is, place by place (Mahdian and Saic 2009)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.blocks import block_means, spread_out, stands_out
from omni_iml.types import EvidenceImage

# The difference of two Laplacians (Immerkaer 1996): blind to constant, sloped and curved surfaces.
_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_GAIN = 6.0  # of white noise: the root of the kernel's sum of squares


def noise_level(evidence: EvidenceImage) -> NDArray[np.float32]:
    """How far each block's noise is from the picture's usual one.

    Args:
        evidence: the picture.

    Returns:
        float32 ``(H, W)``, 0 and more: larger where a block is much noisier, or much smoother, than the others.
    """
    luma = cv2.cvtColor(evidence.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return spread_out(stands_out(block_means(residual(luma))), *luma.shape)


def residual(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is left of the finest detail, in absolute grey levels: of white noise, its own strength.

    Args:
        luma: float32 ``(H, W)``.
    """
    return np.asarray(np.abs(cv2.filter2D(luma, -1, _KERNEL)) / _GAIN, np.float32)
