"""Open whatever file-like source the caller has, and take a copy of it that nobody else can change."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from omni_iml.io.limits import BYTES_A_PIXEL, SLACK_BYTES
from omni_iml.io.paths import openable
from omni_iml.types import UnreadableImage

KINDS = "give a path, bytes, a binary file object, a PIL image or a numpy array"
_CHUNK = 2**20


@contextmanager
def opened(source: object, *, max_pixels: int) -> Iterator[tuple[IO[bytes], str]]:
    """Open a path, bytes or a binary file object for reading.

    What the operating system says in the meantime, and inside the ``with`` block, becomes this package's own error.

    Args:
        source: a path (``str`` or ``Path``), the file's ``bytes``, or a binary file object, which is left open.
        max_pixels: bounds how much is kept of a file object that cannot seek.

    Yields:
        The stream, seekable and not empty, and how to name it in errors.

    Raises:
        UnreadableImage: it is none of these, or cannot be opened or read.
    """
    if isinstance(source, str | os.PathLike):
        name = os.fsdecode(source)
        with _reading(name), _checked(name).open("rb") as stream:
            yield _not_empty(stream, name), name
    elif isinstance(source, bytes | bytearray | memoryview):
        data = source if isinstance(source, bytes) else bytes(source)
        name = f"<{len(data)} bytes>"
        yield _not_empty(io.BytesIO(data), name), name
    elif hasattr(source, "read"):
        with _from_file_object(source, max_pixels) as (stream, name):
            yield _not_empty(stream, name), name
    else:
        raise UnreadableImage(f"<{type(source).__name__}>", "it is no kind of picture source", KINDS)


@contextmanager
def private_copy(stream: IO[bytes], most: int, source: str) -> Iterator[tuple[IO[bytes], str]]:
    """Read a stream once, so that digest and pixels come from the same bytes whatever happens to the file.

    Args:
        stream: the file, seekable.
        most: refuse a file of more bytes.
        source: how to name the file in errors.

    Yields:
        A copy, in memory up to 32 MiB and in an unnamed temporary file above, and its SHA-256 as hex digits. What is
        in memory already stays there, whatever its size: members of archives never reach the disk.

    Raises:
        UnreadableImage: the file goes on after so many bytes.
    """
    if type(stream) is io.BytesIO:
        data = stream.getvalue()  # shares the bytes, and a later write to the stream does not reach them
        if len(data) > most:
            raise UnreadableImage(source, f"it goes on after {most} bytes", "cut the picture into parts")
        yield io.BytesIO(data), hashlib.sha256(data).hexdigest()
        return
    stream.seek(0)
    data = read_up_to(stream, SLACK_BYTES)
    digest = hashlib.sha256(data)
    chunk = stream.read(_CHUNK)
    if not chunk:
        yield io.BytesIO(data), digest.hexdigest()
        return
    with tempfile.TemporaryFile(prefix="omni-iml-") as copy:
        copy.write(data)
        del data
        while chunk:
            digest.update(chunk)
            copy.write(chunk)
            if copy.tell() > most:
                raise UnreadableImage(source, f"it goes on after {most} bytes", "wait until it is written, or copy it")
            chunk = stream.read(_CHUNK)
        copy.flush()
        yield copy, digest.hexdigest()


def read_up_to(stream: IO[bytes], most: int) -> bytes:
    """Read ``most`` bytes, fewer only at the end of the stream: raw streams return what they have."""
    data = stream.read(most)
    if len(data) == most or not data:
        return data
    parts = [data]
    most -= len(data)
    while most and (data := stream.read(most)):
        parts.append(data)
        most -= len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _checked(name: str) -> Path:
    if not name:
        raise UnreadableImage("<empty name>", "no file is named", KINDS)
    path = openable(Path(name))
    # Asked before opening: to open a named pipe would wait for a writer.
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        os.scandir(path).close()  # says why a folder could not be searched
        raise UnreadableImage(name, "it is a folder", "name a picture in it, or expand it with find_sources")
    if not stat.S_ISREG(mode):
        raise UnreadableImage(name, "it is a pipe or a device", "copy its content to a file first")
    return path


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Turn what the operating system says into the package's own error."""
    try:
        yield
    except FileNotFoundError as error:
        raise UnreadableImage(name, "there is no such file", "check the name and the current folder") from error
    except PermissionError as error:
        raise UnreadableImage(name, "reading it is not permitted", "change its permissions or copy it") from error
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise UnreadableImage(
            name, f"it cannot be read ({cause})", "check the name, the disk and the network"
        ) from error


@contextmanager
def _from_file_object(source: Any, max_pixels: int) -> Iterator[tuple[IO[bytes], str]]:
    given = getattr(source, "name", None)
    name = given if isinstance(given, str) and given else "<file object>"
    with _reading(name):
        if not isinstance(source.read(0), bytes):
            raise UnreadableImage(name, "the file object is opened as text", "open it in binary mode")
        seekable = getattr(source, "seekable", None)
        if seekable is not None and seekable():
            yield source, name
            return
        most = SLACK_BYTES + BYTES_A_PIXEL * max_pixels
        with tempfile.SpooledTemporaryFile(max_size=SLACK_BYTES) as spool:
            while chunk := source.read(_CHUNK):
                spool.write(chunk)
                if spool.tell() > most:
                    raise UnreadableImage(name, f"it goes on after {most} bytes", "save the picture to a file first")
            yield spool, name


def _not_empty(stream: IO[bytes], name: str) -> IO[bytes]:
    if not stream.seek(0, io.SEEK_END):
        raise UnreadableImage(name, "the file is empty", "fetch or copy it again")
    return stream
