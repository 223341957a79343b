"""Masks and heat maps from picture files, refused where their meaning would have to be guessed."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile

from omni_iml.types import MAX_PIXELS, UnreadableImage

_FORMATS = ("PNG", "BMP", "TIFF", "WEBP", "GIF", "JPEG", "PPM")
_PNG = b"\x89PNG\r\n\x1a\n"
_WAY_OUT = "store it as an 8-bit gray PNG, white where tampered"

Gray = NDArray[np.uint8] | NDArray[np.uint16]


def read_gray(path: Path, max_pixels: int = MAX_PIXELS) -> Gray:
    """Read a gray picture; colour is accepted when its three channels are equal, an alpha channel when it is opaque.

    Args:
        path: of the file.
        max_pixels: larger pictures are refused.

    Returns:
        uint8 or, from a 16-bit file, uint16 ``(H, W)``; black is 0, white is 255 or 65535.

    Raises:
        UnreadableImage: the file is missing, damaged, too large, coloured, transparent or of another depth.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is the one that counts
            with path.open("rb") as stream, _open(stream) as picture:
                width, height = picture.size
                if width * height > max_pixels:
                    raise UnreadableImage(
                        str(path),
                        f"{width} x {height} pixels are above the limit of {max_pixels}",
                        "raise --max-pixels where the command has it, or crop it",
                    )
                return _gray(picture, path)
    except UnidentifiedImageError:
        raise UnreadableImage(str(path), "this is not a picture that can be read", _WAY_OUT) from None
    except Image.DecompressionBombError:
        limit = f"Pillow's own limit, PIL.Image.MAX_IMAGE_PIXELS ({Image.MAX_IMAGE_PIXELS})"
        raise UnreadableImage(str(path), f"its pixels are more than twice {limit}", "store it as PNG") from None
    except UnreadableImage:
        raise
    except Exception as error:  # Pillow's decoders let almost any kind out on damaged files
        raise UnreadableImage(str(path), f"the picture cannot be read ({error})", "write the file again") from error


def _open(stream: IO[bytes]) -> Image.Image:
    # `Image.open` would hold what `detect` writes to a limit of its own, a global of the program around us.
    if stream.read(len(_PNG)) == _PNG:
        stream.seek(0)
        return PngImageFile(stream)
    stream.seek(0)
    return Image.open(stream, formats=_FORMATS)


def _gray(picture: Image.Image, path: Path) -> Gray:
    if picture.mode.startswith("I;16"):
        return np.asarray(picture).astype(np.uint16)
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    if picture.mode in ("RGBA", "LA"):
        if picture.getchannel("A").getextrema() != (255, 255):
            raise UnreadableImage(str(path), "the mask has transparent pixels, which could mean anything", _WAY_OUT)
        picture = picture.convert(picture.mode[:-1])
    if picture.mode == "RGB":
        channels = np.asarray(picture)
        if not np.all(channels[..., 1:] == channels[..., :1]):
            raise UnreadableImage(str(path), "this is a colour picture, not a mask or a heat map", _WAY_OUT)
        return channels[..., 0].copy()
    if picture.mode in ("1", "L"):
        return np.asarray(picture.convert("L"))
    raise UnreadableImage(str(path), f"pixels of the kind {picture.mode!r} are not understood", _WAY_OUT)
