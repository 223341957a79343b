"""Error level analysis (Krawetz 2007): how much a place changes when the picture is saved once more."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.evidence.blocks import block_means, spread_out, stands_out
from omni_iml.types import EvidenceImage


def error_level(evidence: EvidenceImage, quality: int = 90) -> NDArray[np.float32]:
    """How far each block's change by one more compression is from the picture's usual one.

    Args:
        evidence: the picture.
        quality: of the compression, libjpeg's 1 to 100.

    Returns:
        float32 ``(H, W)``, 0 and more: larger where a block changes much more, or much less, than the others.
    """
    buffer = io.BytesIO()
    Image.fromarray(evidence.pixels).save(buffer, "JPEG", quality=quality)
    again = np.asarray(Image.open(buffer).convert("RGB"), np.int16)
    change = np.abs(again - evidence.pixels).mean(2)
    return spread_out(stands_out(block_means(change)), *change.shape)
