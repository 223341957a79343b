"""From stored to displayed orientation: the eight cases of the EXIF tag, as pure functions.

Stored is how the pixels lie in the file, displayed is how a viewer shows them. Orientations 5 to 8 swap width and
height.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from omni_iml.types import Box

_INVERSE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}


def to_displayed(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn a stored picture or map the way it is displayed.

    Args:
        array: ``(H, W)`` or ``(H, W, C)``, any dtype, stored orientation.
        orientation: EXIF orientation, 1 to 8.

    Returns:
        The turned array, contiguous; ``(W, H, ...)`` for orientations 5 to 8. The input itself for orientation 1.

    Raises:
        ValueError: the orientation is not 1 to 8.
    """
    match orientation:
        case 1:
            return array
        case 2:
            turned = array[:, ::-1]
        case 3:
            turned = array[::-1, ::-1]
        case 4:
            turned = array[::-1]
        case 5:
            turned = array.swapaxes(0, 1)
        case 6:
            turned = array.swapaxes(0, 1)[:, ::-1]
        case 7:
            turned = array.swapaxes(0, 1)[::-1, ::-1]
        case 8:
            turned = array.swapaxes(0, 1)[::-1]
        case _:
            raise _invalid(orientation)
    return np.ascontiguousarray(turned)


def to_stored(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo `to_displayed`.

    Args:
        array: ``(H, W)`` or ``(H, W, C)``, displayed orientation.
        orientation: the EXIF orientation that led to it, 1 to 8.

    Returns:
        The array in stored orientation.

    Raises:
        ValueError: the orientation is not 1 to 8.
    """
    if orientation not in _INVERSE:
        raise _invalid(orientation)
    return to_displayed(array, _INVERSE[orientation])


def box_to_displayed(box: Box, orientation: int, height: int, width: int) -> Box:
    """Turn a box of the stored picture into the box that holds the same pixels as displayed.

    Args:
        box: ``(x0, y0, x1, y1)``, half-open, stored pixels.
        orientation: EXIF orientation, 1 to 8.
        height: stored height of the picture in pixels.
        width: stored width of the picture in pixels.

    Returns:
        ``(x0, y0, x1, y1)``, half-open, displayed pixels.

    Raises:
        ValueError: the orientation is not 1 to 8.
    """
    x0, y0, x1, y1 = box
    left, right = width - x1, width - x0
    top, bottom = height - y1, height - y0
    match orientation:
        case 1:
            return box
        case 2:
            return left, y0, right, y1
        case 3:
            return left, top, right, bottom
        case 4:
            return x0, top, x1, bottom
        case 5:
            return y0, x0, y1, x1
        case 6:
            return top, x0, bottom, x1
        case 7:
            return top, left, bottom, right
        case 8:
            return y0, left, y1, right
        case _:
            raise _invalid(orientation)


def displayed_map(orientation: int, height: int, width: int) -> NDArray[np.float64]:
    """The affine map from points of the stored picture to the same points as displayed.

    Args:
        orientation: EXIF orientation, 1 to 8.
        height: stored height of the picture in pixels.
        width: stored width of the picture in pixels.

    Returns:
        float64 ``(2, 3)`` of whole numbers, for points ``(x, y, 1)``; the corner of the first pixel is at 0, 0, its
        middle at 0.5, 0.5.

    Raises:
        ValueError: the orientation is not 1 to 8.
    """
    # Read off where the first pixel and its two neighbours come to lie, so that the cases are written once.
    boxes = [box_to_displayed(box, orientation, height, width) for box in ((0, 0, 1, 1), (1, 0, 2, 1), (0, 1, 1, 2))]
    origin, right, down = (np.array(box[:2], np.float64) for box in boxes)
    axes = np.stack([right - origin, down - origin], 1)
    # The middle of the first pixel is known in both pictures; the corner lies half a pixel before it.
    return np.column_stack([axes, origin + 0.5 - axes @ (0.5, 0.5)])


def _invalid(orientation: int) -> ValueError:
    return ValueError(f"orientation {orientation!r} is not an EXIF orientation; give 1 to 8.")
