"""Colours of more than 8 bits in JPEG 2000 files.

Pillow (seen with 13.0) rounds such samples to 8 bits without stopping at 255, so that the brightest become 0. OpenCV
gives the samples themselves.
"""

from __future__ import annotations

from typing import IO

import cv2
import numpy as np
from PIL import Image


def deep_colours(stream: IO[bytes], bits: int) -> Image.Image:
    """Decode a JPEG 2000 file of several components and shift its samples down to 8 bits.

    Args:
        stream: the file, seekable; its claims have been checked.
        bits: significant bits of a sample, 9 to 16.

    Returns:
        An image of the mode "RGB" or "RGBA".

    Raises:
        ValueError: OpenCV does not read the file, or it is neither RGB nor RGBA.
    """
    stream.seek(0)
    try:
        samples = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError(f"its {bits}-bit colours are not read: {error.err}") from error
    if samples is None or samples.ndim != 3 or samples.shape[2] not in (3, 4) or samples.dtype != np.uint16:
        raise ValueError(f"its {bits}-bit colours are of a kind that is not read")
    code = cv2.COLOR_BGR2RGB if samples.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    return Image.fromarray(cv2.cvtColor(np.right_shift(samples, bits - 8).astype(np.uint8), code))
