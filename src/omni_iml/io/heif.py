"""HEIF and HEIC pictures through pillow-heif, an optional extra: its binary wheels carry GPLv2 libraries."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import IO

from PIL.ImageFile import ImageFile

from omni_iml.io.boxes import read_boxes
from omni_iml.io.claims import Claims
from omni_iml.io.limits import check_length
from omni_iml.types import UnreadableImage


def open_heif(stream: IO[bytes], source: str) -> ImageFile:
    """Open a HEIF file without decoding a picture.

    Args:
        stream: the file, seekable.
        source: how to name the file in errors.

    Returns:
        A Pillow image. Its pixels come turned and mirrored as the file asks, with no orientation left to apply.

    Raises:
        UnreadableImage: pillow-heif is not installed, or cannot read the file.
    """
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError as error:
        raise UnreadableImage(
            source, "it is a HEIC or HEIF picture and pillow-heif is not installed", "pip install 'omni-iml[heic]'"
        ) from error
    stream.seek(0)
    try:
        image: ImageFile = HeifImageFile(stream)  # type: ignore[no-untyped-call, unused-ignore]
    except Exception as error:  # it raises whatever a damaged file makes it stumble over
        detail = " ".join(str(error).split()).rstrip(".")[:120]
        raise UnreadableImage(
            source, f"it is damaged, cut short or of a kind that is not read ({detail})", "fetch or copy the file again"
        ) from error
    return image


def survey_heif(stream: IO[bytes], frame: int, source: str) -> Claims:
    """Read the boxes of a HEIF or HEIC file. The decoder itself refuses coded data larger than they claim.

    Args:
        stream: the file, seekable.
        frame: not used: the size is that of the largest picture.
        source: how to name the file in errors.

    Returns:
        The claims, with as many pictures as the decoder lists: thumbnails, parts and depth maps are none.

    Raises:
        UnreadableImage: the boxes name no size, the file is far longer than it needs, or pillow-heif is not installed.
    """
    claims = read_boxes(stream, source)
    check_length(stream.seek(0, io.SEEK_END), claims.pixels, source)
    with open_heif(stream, source) as image:
        return replace(claims, frames=int(getattr(image, "n_frames", 1)))


def place_of(frame: int, primary: int) -> int:
    """Where the decoder has a picture: the primary one, which viewers show, is frame 0; the others keep their order.

    Args:
        frame: from 0.
        primary: the decoder's number of the primary picture.

    Returns:
        The decoder's number.
    """
    if not frame:
        return primary
    return frame - 1 if frame <= primary else frame
