"""The ignore band around a tampered region's edge, where annotations are not exact (TruFor's evaluation)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Band:
    """Which pixels count: those of the region shrunk, and those outside the region grown.

    Attributes:
        erode: side of the square window that the region is shrunk by, pixels, odd.
        dilate: side of the square window that it is grown by.
    """

    erode: int = 15
    dilate: int = 11

    def kept(self, truth: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The pixels that count.

        Args:
            truth: bool ``(H, W)``, True = tampered.

        Returns:
            bool ``(H, W)``; a region less than `erode` pixels thin has none inside.
        """
        mask = np.ascontiguousarray(truth, np.uint8)
        # OpenCV takes what is outside the picture for nothing, which equals the mirrored border of TruFor's filters:
        # what a window mirrors in lies inside the same window.
        inside = cv2.erode(mask, np.ones((self.erode, self.erode), np.uint8))
        outside = cv2.dilate(mask, np.ones((self.dilate, self.dilate), np.uint8))
        return np.asarray((inside != 0) | (outside == 0))
