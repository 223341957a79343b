"""Give bytes a path that a C library can open, without leaving a file behind."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PREFIX = "omni-iml-"
STALE_SECONDS = 3600.0


@contextlib.contextmanager
def readable_path(data: bytes) -> Iterator[str]:
    """A path under which ``data`` can be opened for reading while the context lasts.

    On Linux it is an anonymous file in memory, on other POSIX systems an unlinked temporary file: both vanish with the
    process, however it ends. Elsewhere (Windows) it is a named temporary file, removed on leaving; files that an
    earlier process left behind by dying are swept after an hour.

    Args:
        data: the file's content.

    Yields:
        The path, valid in this process only.
    """
    for attempt in (_in_memory, _unlinked):
        with attempt(data) as path:
            if path is not None:
                yield path
                return
    with _named(data) as named:
        yield named


@contextlib.contextmanager
def _in_memory(data: bytes) -> Iterator[str | None]:
    create = getattr(os, "memfd_create", None)
    if create is None:
        yield None
        return
    try:
        descriptor: int = create(PREFIX, os.MFD_CLOEXEC)
    except OSError:  # kernels and sandboxes that forbid the call
        yield None
        return
    try:
        _write_all(descriptor, data)
        path = f"/proc/self/fd/{descriptor}"
        yield path if os.path.exists(path) else None  # noqa: PTH110 - called hundreds of times a second
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _unlinked(data: bytes) -> Iterator[str | None]:
    if os.name != "posix":
        yield None
        return
    with tempfile.TemporaryFile(prefix=PREFIX) as file:
        file.write(data)
        file.flush()
        # Where opening /dev/fd/N duplicates the descriptor (macOS), the reader shares this offset.
        file.seek(0)
        path = f"/dev/fd/{file.fileno()}"
        yield path if os.path.exists(path) else None  # noqa: PTH110


@contextlib.contextmanager
def _named(data: bytes) -> Iterator[str]:
    _sweep(Path(tempfile.gettempdir()))
    descriptor, path = tempfile.mkstemp(prefix=PREFIX, suffix=".jpg")
    try:
        try:
            _write_all(descriptor, data)
        finally:
            os.close(descriptor)
        yield path
    finally:
        Path(path).unlink(missing_ok=True)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sweep(folder: Path) -> None:
    """Remove this package's temporary files that no living read can still need."""
    oldest = time.time() - STALE_SECONDS
    for path in folder.glob(f"{PREFIX}*.jpg"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
