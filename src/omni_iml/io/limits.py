"""What a picture may claim: its pixels, and how long a file may be for them."""

from __future__ import annotations

from omni_iml.types import UnreadableImage

# A file may be longer than its picture explains (a video or further pages behind it), but not without bound: parts of
# it are held in memory.
SLACK_BYTES = 32 * 2**20
BYTES_A_PIXEL = 8


def check_size(width: int, height: int, max_pixels: int, source: str) -> None:
    """Refuse empty pictures and those above the pixel limit.

    Args:
        width: pixels.
        height: pixels.
        max_pixels: the limit.
        source: how to name the picture in errors.

    Raises:
        UnreadableImage: a side is zero or negative, or the limit is exceeded.
    """
    if width <= 0 or height <= 0:
        raise UnreadableImage(source, f"its size is {width}x{height} pixels", "give a picture with pixels in it")
    if width * height > max_pixels:
        raise UnreadableImage(
            source,
            f"its {width}x{height} pixels are above the limit of {max_pixels}",
            "raise max_pixels or cut the picture into parts",
        )


def check_length(size: int, pixels: int, source: str) -> None:
    """Refuse a file that is far longer than its picture needs, in any format.

    Args:
        size: length of the file in bytes.
        pixels: number of pixels that its header claims.
        source: how to name the file in errors.

    Raises:
        UnreadableImage: more than 32 MiB and 8 bytes a pixel.
    """
    if size > SLACK_BYTES + BYTES_A_PIXEL * pixels:
        raise UnreadableImage(
            source, f"its {size} bytes are far more than its {pixels} pixels need", "save its first picture on its own"
        )
