"""Masks that are given rather than found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.io.paths import openable
from omni_iml.types import MAX_PIXELS, OmniError


class UnreadableMask(OmniError):  # noqa: N818 - twin of UnreadableImage
    """A mask file that is no picture, or not as large as its picture."""


def read_mask(path: Path, width: int, height: int) -> NDArray[np.bool_]:
    """Read a mask as `omni-iml detect` writes it.

    Args:
        path: a picture file, white where tampered.
        width: of the picture as displayed, in pixels.
        height: likewise.

    Returns:
        bool ``(height, width)``, displayed orientation.

    Raises:
        UnreadableMask: the file is no picture or of another size.
    """
    try:
        with openable(path).open("rb") as stream, Image.open(stream, formats=("PNG", "BMP", "TIFF", "GIF")) as picture:
            if picture.size != (width, height) or width * height > MAX_PIXELS:
                found = f"{picture.size[0]}x{picture.size[1]}"
                raise UnreadableMask(
                    f"{path}: the mask has {found} pixels and its picture {width}x{height}; give one of the same size."
                )
            return np.asarray(picture.convert("L")) > 127
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableMask(f"{path}: the mask cannot be read ({error}); give a PNG file.") from error
