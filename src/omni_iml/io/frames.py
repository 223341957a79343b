"""How many frames, pages or pictures a file holds, found from its structure without decoding any."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from omni_iml.io.boxes import survey_avif
from omni_iml.io.chunks import survey_gif, survey_png, survey_webp
from omni_iml.io.claims import MAX_FRAMES, Claims
from omni_iml.io.containers import CONTAINER_HEAD_BYTES, IN_WORDS, sniff_container
from omni_iml.io.heif import survey_heif
from omni_iml.io.jpeg2000 import survey_jpeg2000
from omni_iml.io.multipicture import picture_places
from omni_iml.io.opening import opened, read_up_to
from omni_iml.io.sniff import HEAD_BYTES, READ_FORMATS, describe, sniff
from omni_iml.io.tiff import survey_tiff
from omni_iml.types import MAX_PIXELS, UnreadableImage

MAX_COMPOSED_PIXELS = 1_000_000_000
"""Frames of an animation are painted one over the other; one that needs more pixels painted than this is refused."""


def _survey_jpeg(stream: IO[bytes], frame: int, source: str) -> Claims:
    return Claims(None, len(picture_places(stream)))


def _survey_nothing(stream: IO[bytes], frame: int, source: str) -> Claims:
    return Claims()


_SURVEYS: dict[str, Callable[[IO[bytes], int, str], Claims]] = {
    "JPEG": _survey_jpeg,
    "PNG": survey_png,
    "GIF": survey_gif,
    "WEBP": survey_webp,
    "TIFF": survey_tiff,
    "BMP": _survey_nothing,
    "JPEG2000": survey_jpeg2000,
    "AVIF": survey_avif,
    "HEIF": survey_heif,
}


def count_frames(source: object, *, max_pixels: int = MAX_PIXELS) -> int:
    """Count the pictures of a file: frames of an animation, pages of a TIFF, pictures of a multi-picture JPEG.

    Nothing is decoded: a frame that is there may still be damaged. Time is bounded by `MAX_FRAMES` and by
    `omni_iml.io.claims.MAX_BLOCKS`, and little is held in memory.

    Args:
        source: a path (``str`` or ``Path``), the file's ``bytes``, or a binary file object, which is left open.
        max_pixels: bounds how much is kept of a file object that cannot seek.

    Returns:
        At least 1. Every number from 0 to one below it is a ``frame`` of `omni_iml.io.load`.

    Raises:
        UnreadableImage: the source is no file of a known format, or holds more than `MAX_FRAMES` pictures.
    """
    with opened(source, max_pixels=max_pixels) as (stream, name):
        claims = survey(stream, format_of(stream, name), 0, name)
        if claims.frames > MAX_FRAMES:
            raise UnreadableImage(
                name, f"it holds more than {MAX_FRAMES} frames or pages", "name one frame, or cut the file into parts"
            )
        return claims.frames


def format_of(stream: IO[bytes], source: str) -> str:
    """Name the format of a file, as `omni_iml.io.sniff.sniff` does.

    Args:
        stream: the file, seekable.
        source: how to name the file in errors.

    Returns:
        The format's name.

    Raises:
        UnreadableImage: it is no format that is read here.
    """
    stream.seek(0)
    head = read_up_to(stream, CONTAINER_HEAD_BYTES)
    if not head:  # a member of an archive
        raise UnreadableImage(source, "the file is empty", "fetch or copy it again")
    kind = sniff(head)
    if kind is None and (container := sniff_container(head)) is not None:
        raise UnreadableImage(source, f"it is {IN_WORDS[container]}", "look at the pictures in it with detect_parts")
    if kind is None:
        raise UnreadableImage(source, f"its content is {describe(head[:HEAD_BYTES])}", f"give a {READ_FORMATS} file")
    return kind


def survey(stream: IO[bytes], kind: str, frame: int, source: str) -> Claims:
    """Find out what a file claims of one of its pictures.

    Args:
        stream: the file, seekable.
        kind: its format, as `omni_iml.io.sniff.sniff` names it.
        frame: which picture, from 0; one that is not there is no error here.
        source: how to name the file in errors.

    Returns:
        Size, number of pictures and depth.

    Raises:
        UnreadableImage: the structure is damaged, or made of more blocks than any real file's.
    """
    return _SURVEYS[kind](stream, max(0, frame), source)


def check_frame(frame: int, claims: Claims, source: str, *, painted: int = 0) -> None:
    """Refuse a frame that is not there, or that would take too long to compose.

    Args:
        frame: which picture, from 0.
        claims: what the file's structure says.
        source: how to name the file in errors.
        painted: how many frames of an animation the decoder has painted already.

    Raises:
        UnreadableImage: see above; the message says how many there are.
    """
    last = min(claims.frames, MAX_FRAMES) - 1
    if not 0 <= frame <= last:
        count = f"more than {MAX_FRAMES}" if claims.frames > MAX_FRAMES else str(claims.frames)
        raise UnreadableImage(
            source,
            f"there is no frame {frame}, as it holds {count} (counted from 0)",
            f"give a number from 0 to {last}" if last else "give 0",
        )
    if claims.composed and claims.size is not None and frame:
        work = (frame + 1 - painted) * claims.size[0] * claims.size[1]
        if work > MAX_COMPOSED_PIXELS:
            raise UnreadableImage(
                source,
                f"frame {frame} needs {work} pixels painted before it, above the limit of {MAX_COMPOSED_PIXELS}",
                "save that frame on its own",
            )


def frame_note(frame: int, claims: Claims) -> tuple[str, ...]:
    """A warning that says which of several pictures this is; none for a file of one picture."""
    if claims.frames < 2:
        return ()
    count = f"more than {MAX_FRAMES}" if claims.frames > MAX_FRAMES else str(claims.frames)
    return (f"the file holds {count} frames, pages or pictures; this is number {frame + 1}",)
