"""Masks that are given rather than found."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from omni_iml.io.paths import openable
from omni_iml.io.sniff import HEAD_BYTES, sniff
from omni_iml.types import OmniError

# The classes are called directly, as for pictures: Image.open would refuse what --max-pixels allows.
_READERS: dict[str | None, type[ImageFile]] = {
    "PNG": PngImageFile, "BMP": BmpImageFile, "TIFF": TiffImageFile, "GIF": GifImageFile,
}  # fmt: skip
_DARKEST = 127  # gray levels: only what is brighter counts as tampered


class UnreadableMask(OmniError):  # noqa: N818 - twin of UnreadableImage
    """A mask file that is no picture, or not as large as its picture."""


def read_mask(path: Path, width: int, height: int, doubts: list[str] | None = None) -> NDArray[np.bool_]:
    """Read a mask as `omni-iml detect` writes it.

    Args:
        path: a picture file, white where tampered.
        width: of the picture as displayed, in pixels.
        height: likewise.
        doubts: takes a sentence where nothing counts as tampered though the mask is not black; None to do without.

    Returns:
        bool ``(height, width)``, displayed orientation.

    Raises:
        UnreadableMask: the file is no picture or of another size.
    """
    try:
        with openable(path).open("rb") as stream:
            reader = _READERS.get(sniff(stream.read(HEAD_BYTES)))
            if reader is None:
                raise ValueError("it is no PNG, BMP, TIFF or GIF file")
            stream.seek(0)
            with warnings.catch_warnings():
                # The picture's size was allowed, and the mask's is the same.
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                levels = _levels(reader, stream, path, (width, height))
    except UnreadableMask:
        raise
    except Exception as error:  # Pillow's decoders let almost any kind out on damaged files
        raise UnreadableMask(f"{path}: the mask cannot be read ({error}); give a PNG file.") from error
    mask = np.asarray(levels > _DARKEST)
    if doubts is not None and levels.any() and not mask.any():
        doubts.append(
            f"{path}: the mask's largest value is {levels.max()}, and only what is above {_DARKEST} counts as "
            "tampered, so nothing does; store tampered pixels as 255."
        )
    return mask


def _levels(reader: type[ImageFile], stream: IO[bytes], path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    with reader(stream) as picture:
        if picture.size != size:  # before anything is decoded
            raise UnreadableMask(
                f"{path}: the mask has {picture.size[0]}x{picture.size[1]} pixels and its picture "
                f"{size[0]}x{size[1]}; give one of the same size."
            )
        return np.asarray(picture.convert("L"))
