"""The files below a folder, in the order and with the links that `omni-iml detect` follows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from omni_iml.types import OmniError


def files_below(folder: Path) -> Iterator[Path]:
    """Walk a folder and its subfolders, linked ones included.

    Hidden files and folders are skipped. No folder is entered twice, so links that lead in circles end, and of two
    names of one folder the first in natural order (``2`` before ``10``) counts.

    Args:
        folder: where to begin; it may be hidden itself.

    Yields:
        The files, each as a path that begins with ``folder``; links to nothing are left out.

    Raises:
        OmniError: the folder or one below it cannot be listed.
    """
    # As `omni_iml.io.find` does, which metrics must not import: the predictions lie where it found the pictures.
    return _walk(folder, set())


def _walk(folder: Path, visited: set[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        entries = sorted(folder.iterdir(), key=lambda entry: _natural(entry.name))
    except OSError as error:
        cause = error.strerror or str(error)
        raise OmniError(f"{folder}: the folder cannot be listed ({cause}); check its permissions.") from error
    identity = (status.st_dev, status.st_ino)
    if identity in visited:
        return
    visited.add(identity)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry, visited)
        elif entry.is_file():
            yield entry


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts if part] + [
        (2, 0, name)
    ]
