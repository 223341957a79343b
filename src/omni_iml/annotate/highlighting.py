"""I_high: the tampered area in a yellow box, the rest darkened (section 4.1, Figure 13)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.annotate.scene import Scene

YELLOW = (255, 220, 0)
_LIGHT_LEFT = 0.4
"""Brightness of the authentic area: dark enough to step back, light enough to compare with. The paper has no number."""
_MARGIN = 0.15
"""Of the box's size that it is drawn away from the region, so that the line hides none of its edge."""


def highlight(scene: Scene, groups: Sequence[Sequence[int]], *, numbered: bool = False) -> NDArray[np.uint8]:
    """Draw the reference image B.

    Args:
        scene: picture and regions.
        groups: regions that share a box each.
        numbered: write each group's index at its box.

    Returns:
        uint8 ``(H, W, 3)`` RGB; pixels of the groups' regions are untouched.
    """
    shown = scene.mask([index for group in groups for index in group])
    canvas = np.where(shown[..., None], scene.pixels, (scene.pixels * _LIGHT_LEFT).astype(np.uint8))
    height, width = shown.shape
    line = max(1, round(max(height, width) / 400))
    untouched = canvas.copy()
    for number, group in enumerate(groups):
        x0, y0, x1, y1 = scene.box(group)
        margin = line + round(_MARGIN * min(x1 - x0, y1 - y0))
        corner = (max(0, x0 - margin), max(0, y0 - margin))
        cv2.rectangle(canvas, corner, (min(width, x1 + margin) - 1, min(height, y1 + margin) - 1), YELLOW, line)
        if numbered:
            at = (corner[0], max(12 * line, corner[1] - 2 * line))
            cv2.putText(canvas, str(number), at, cv2.FONT_HERSHEY_SIMPLEX, 0.4 * line + 0.2, YELLOW, line)
    return np.where(shown[..., None], untouched, canvas)
