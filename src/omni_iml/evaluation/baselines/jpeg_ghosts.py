"""JPEG ghosts (Farid 2009): what was once compressed at another quality changes least when saved at that one."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.evaluation.baselines.squash import outliers
from omni_iml.io.orientation import to_displayed
from omni_iml.types import EvidenceImage

_QUALITIES = range(50, 96, 5)
_WINDOW = 17  # pixels, about the paper's 16


def jpeg_ghosts(image: EvidenceImage) -> NDArray[np.float32]:
    """How much a place, at some quality, changes less than the picture's other places do.

    The difference to each recompression is averaged in windows and scaled to 0..1 over the qualities, as in the paper;
    the ghost is the largest shortfall from the picture's median at one quality.

    Args:
        image: the picture.

    Returns:
        float32 ``(H, W)``, 0..1, displayed orientation.
    """
    pixels = image.pixels.astype(np.float32)
    stack = []
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        Image.fromarray(image.pixels).save(buffer, "JPEG", quality=quality)
        again = np.asarray(Image.open(buffer).convert("RGB"), np.float32)
        stack.append(cv2.blur(((again - pixels) ** 2).mean(2), (_WINDOW, _WINDOW)))
    differences = np.stack(stack)
    low, high = differences.min(0), differences.max(0)
    scaled = (differences - low) / np.maximum(high - low, 1e-6)
    shortfall = np.median(scaled, axis=(1, 2), keepdims=True) - scaled
    return np.asarray(to_displayed(outliers(shortfall.max(0).astype(np.float32)), image.orientation))
