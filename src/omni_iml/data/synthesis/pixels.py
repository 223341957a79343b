"""The arrays that synthesis works on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""uint8 ``(H, W, 3)`` RGB."""

Mask = NDArray[np.uint8]
"""uint8 ``(H, W)``: 1 inside the region, 0 outside."""


def to_pixels(values: NDArray[Any]) -> Pixels:
    """Bring computed values back to pixels.

    Args:
        values: numbers of any type and range, in units of a pixel's 0..255.

    Returns:
        uint8 of the same shape, to the nearest level: cutting the fraction off would darken every edited region by half
        a level, a trace that no editor leaves.
    """
    levels: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return levels
