"""Every picture that a file stands for: pages of a PDF, members of an archive, attachments of a mail, frames."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import IO, Any, Literal

from omni_iml.io.archives import read_archive
from omni_iml.io.containers import CONTAINER_HEAD_BYTES, sniff_container
from omni_iml.io.frames import count_frames
from omni_iml.io.loading import FrameReader, load
from omni_iml.io.mail import read_mail
from omni_iml.io.members import MAX_DEPTH, MAX_HELD_BYTES, Meter, Refused
from omni_iml.io.opening import opened
from omni_iml.io.pages import parse_pages
from omni_iml.types import MAX_PIXELS, EvidenceImage, UnreadableImage

Frames = Literal["first", "all"] | int
"""Which frames of a picture: the first, all of them, or one by its number from 1."""

DPI = 200.0
"""Dots an inch at which pages are drawn unless the caller says otherwise."""

_CHUNK = 2**20


@dataclass(frozen=True)
class _Choice:
    """What the caller asked for."""

    max_pixels: int
    frames: Frames
    pages: tuple[range, ...] | None
    dpi: float
    password: str | None


def load_parts(
    source: object,
    *,
    max_pixels: int = MAX_PIXELS,
    frames: Frames = "first",
    pages: str | Collection[int] | None = None,
    dpi: float = DPI,
    password: str | None = None,
) -> Iterator[EvidenceImage | UnreadableImage]:
    """Read every picture of a source, one after the other.

    A plain picture gives itself. A PDF document gives its pages and the JPEG pictures in them
    (`omni_iml.io.pdf.load_pages`); a ZIP archive, a DOCX, XLSX, PPTX, ODF or EPUB document its pictures
    (`omni_iml.io.archives`); a mail its pictures, inline and attached, and those of forwarded mails
    (`omni_iml.io.mail`); and each of these what is in the containers inside it. Nothing is unpacked to disk. One
    picture is held at a time, and what is held of containers beside it is bounded by
    `omni_iml.io.members.MAX_HELD_BYTES`.

    Args:
        source: whatever `omni_iml.io.load` takes; a file that changes meanwhile gives what it then holds.
        max_pixels: larger pictures are refused, and pages are drawn with no more.
        frames: for pictures of several frames or pages (GIF, TIFF, MPO ...): "first", "all", or a number from 1.
        pages: pages of PDF documents, as `omni_iml.io.pages.parse_pages` takes them ("1-3,7"); None for all.
        dpi: dots an inch at which PDF pages are drawn, where their picture cannot be taken out as it is.
        password: opens encrypted PDF documents.

    Returns:
        An iterator of pictures, each with ``source`` as given and ``part`` saying where in it the picture lies, and of
        the errors of those that cannot be read. It gives at least one or the other.

    Raises:
        ValueError: a choice is out of range.
    """
    if not (frames in ("first", "all") or (isinstance(frames, int) and not isinstance(frames, bool) and frames >= 1)):
        raise ValueError(f"frames must be 'first', 'all' or a number from 1, not {frames!r}")
    if not 1 <= dpi <= 10_000:
        raise ValueError(f"dpi must lie between 1 and 10000, not {dpi!r}")
    choice = _Choice(max_pixels, frames, None if pages is None else parse_pages(pages), dpi, password)
    return _all(source, choice)


def _all(source: object, choice: _Choice) -> Iterator[EvidenceImage | UnreadableImage]:
    is_file = isinstance(source, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(source, "read")
    if not is_file:
        yield _or_error(source, choice.max_pixels)  # arrays and PIL images are one picture, as they stand
        return
    try:
        with opened(source, max_pixels=choice.max_pixels) as (stream, name):
            size = stream.seek(0, io.SEEK_END)
            found = False
            for result in _parts(stream, name, "", choice, MAX_DEPTH, MAX_HELD_BYTES, Meter(size), {}):
                found = True
                yield result
            if not found:
                yield UnreadableImage(name, "there is no picture in it that is read", "name another file")
    except UnreadableImage as error:
        yield error


def _or_error(source: object, max_pixels: int) -> EvidenceImage | UnreadableImage:
    try:
        return load(source, max_pixels=max_pixels)
    except UnreadableImage as error:
        return error


def _parts(
    stream: IO[bytes],
    name: str,
    part: str,
    choice: _Choice,
    depth: int,
    room: int,
    meter: Meter,
    around: dict[str, Any],
) -> Iterator[EvidenceImage | UnreadableImage]:
    """What one stream gives.

    Args:
        stream: a picture or container.
        name: how the outermost source was named.
        part: where in it the stream lies.
        choice: what the caller asked for.
        depth: containers that may still be entered.
        room: bytes that may still be held in memory.
        meter: counts for the whole source.
        around: facts about the container that the stream lies in, empty without one.
    """
    stream.seek(0)
    kind = sniff_container(stream.read(CONTAINER_HEAD_BYTES))
    where = name + part
    if kind is None:
        yield from _frames(stream, name, part, choice, around)
        return
    if not depth:
        cause = f"it lies inside {MAX_DEPTH} other containers"
        raise UnreadableImage(where, cause, "unpack it and give it on its own")
    if kind == "pdf":
        from omni_iml.io.pdf import load_pages  # PDFium is loaded where there is a PDF

        pages = load_pages(
            stream,
            source=where,
            max_pixels=choice.max_pixels,
            pages=choice.pages,
            dpi=choice.dpi,
            password=choice.password,
        )
        for page in pages:
            yield page if isinstance(page, UnreadableImage) else _placed(page, name, part + page.part, around)
        return
    read = read_archive if kind == "zip" else read_mail
    digest = _digest(stream)
    for member in read(stream, source=where, room=room, meter=meter):
        inner = f"{part}!{member.name}"
        if isinstance(member, Refused):
            yield UnreadableImage(name + inner, member.cause, member.way_out)
            continue
        facts = {**member.facts, "sha256": digest, **({"inside": around} if around else {})}
        left = room - len(member.data)
        try:
            yield from _parts(io.BytesIO(member.data), name, inner, choice, depth - 1, left, meter, facts)
        except UnreadableImage as error:
            yield error
        del member  # or it is still held when the next one is read


def _frames(
    stream: IO[bytes], name: str, part: str, choice: _Choice, around: dict[str, Any]
) -> Iterator[EvidenceImage | UnreadableImage]:
    """The chosen frames of one picture file."""
    try:
        with FrameReader(stream, name + part, choice.max_pixels) as reader:
            if choice.frames == "all":
                count = count_frames(stream, max_pixels=choice.max_pixels)
                numbers = range(count)
            else:
                number = 0 if choice.frames == "first" else choice.frames - 1
                count = 1 if choice.frames == "first" else reader.count()
                numbers = range(number, number + 1)
            if numbers.stop > count:
                cause = f"it has {count} frame{'s' if count > 1 else ''} and number {numbers.stop} was asked for"
                raise UnreadableImage(name + part, cause, "ask for another, or for all")
            for number in numbers:
                frame = f"{part}.p{number + 1:03d}" if count > 1 else part
                try:
                    yield _placed(reader.read(number), name, frame, around)
                except UnreadableImage as error:
                    yield _renamed(error, name + frame)
    except UnreadableImage as error:
        yield _renamed(error, name + part)


def _placed(picture: EvidenceImage, name: str, part: str, around: dict[str, Any]) -> EvidenceImage:
    """The picture with its place, and with what is known of the containers around it."""
    facts = dict(picture.facts)
    if around:
        document = facts.get("document")
        facts["document"] = around if document is None else {**document, "inside": around}
    return replace(picture, source=name, part=part, facts=facts)


def _renamed(error: UnreadableImage, name: str) -> UnreadableImage:
    renamed = UnreadableImage(name, error.cause, error.way_out).with_traceback(error.__traceback__)
    renamed.__cause__ = error
    return renamed


def _digest(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
