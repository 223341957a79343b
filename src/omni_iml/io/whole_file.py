"""Files that are whole or not there: written under a temporary name, then renamed."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

from omni_iml.io.paths import openable

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class UnwritableFile(OSError):  # noqa: N818 - twin of UnreadableImage
    """What the system said of a file or folder that cannot be written, as one sentence with its final name."""

    def __init__(self, path: Path, error: OSError) -> None:
        cause = error.strerror or str(error) or type(error).__name__
        if error.errno in _FULL:
            way_out = "make room or write to another folder"
        elif error.errno in _FORBIDDEN:
            way_out = "change the permissions or write to another folder"
        else:
            way_out = "write to another folder"
        super().__init__(f"{path}: it cannot be written ({cause}); {way_out}.")
        self.errno = error.errno  # without strerror, or str() would show the two in place of the sentence


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file so that its name never stands for half of it; what was there before stays until then.

    Args:
        path: where; its folder exists.
        write: gets the open file.

    Raises:
        UnwritableFile: the disk is full, or the folder cannot be written to.
    """
    temporary = _temporary(path.parent)
    try:
        with temporary.open("xb") as stream:
            write(stream)
        temporary.replace(openable(path))
    except BaseException as error:
        with suppress(OSError):  # what went wrong first is what is said
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, UnwritableFile):
            raise UnwritableFile(path, error) from error
        raise


def write_together(files: Sequence[tuple[Path, Callable[[IO[bytes]], object]]]) -> None:
    """Write files of which the last one says what the others are: they are not left without it.

    Args:
        files: where, and what writes it, as for `write_whole`; in this order.

    Raises:
        UnwritableFile: as `write_whole`. Those that were written are removed, unless the last one lies there already.
    """
    *_, (last, _) = files
    done: list[Path] = []
    try:
        for path, write in files:
            write_whole(path, write)
            done.append(path)
    except BaseException:
        if not openable(last).exists():
            for path in done:
                with suppress(OSError):
                    openable(path).unlink(missing_ok=True)
        raise


def make_folder(folder: Path) -> None:
    """Make a folder, and those around it, where they are not there.

    Args:
        folder: where.

    Raises:
        UnwritableFile: it cannot be made, or something else has its name.
    """
    try:
        openable(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableFile(folder, error) from error


def check_writable(folder: Path) -> None:
    """Try whether files can be made in a folder, by making an empty one and removing it.

    Args:
        folder: it exists.

    Raises:
        UnwritableFile: they cannot.
    """
    temporary = _temporary(folder)
    try:
        temporary.open("xb").close()
        temporary.unlink()
    except OSError as error:
        raise UnwritableFile(folder, error) from error


def _temporary(folder: Path) -> Path:
    return openable(folder / f".{uuid4().hex}.tmp")
