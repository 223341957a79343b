"""Ground-truth boxes of a mask's connected regions (paper C.2), for the training-only detector."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor


def mask_boxes(mask: Tensor, min_side: int = 2) -> list[Tensor]:
    """Boxes of the tampered regions of each sample.

    Args:
        mask: uint8 ``(B, H, W)``: 1 tampered; anything else is not.
        min_side: regions narrower than this are left out, since the box regression has no scale for them.

    Returns:
        For each sample float32 ``(N, 4)``: x0, y0, x1, y1, half-open; N may be 0.
    """
    found = []
    for plane in (mask == 1).to(torch.uint8).cpu().numpy():
        _, _, stats, _ = cv2.connectedComponentsWithStats(plane, connectivity=8)
        x, y, width, height = stats[1:, :4].T
        boxes = np.stack([x, y, x + width, y + height], 1)[(width >= min_side) & (height >= min_side)]
        found.append(torch.from_numpy(boxes.astype(np.float32)).to(mask.device))
    return found
