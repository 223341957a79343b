"""Which workers live: each holds a lock on a file of its own, which the system lets go when the process ends, however.

A lease with a clock would take rows from a worker on a machine that is merely busy, and its questions would be paid for
twice.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import IO
from uuid import uuid4

if sys.platform == "win32":
    import msvcrt

    def _lock(stream: IO[bytes]) -> None:
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(stream: IO[bytes]) -> None:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Worker:
    """A worker that lives while the ``with`` block does.

    Args:
        folder: the work directory.

    Attributes:
        name: that no other worker has.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"{platform.node()}.{os.getpid()}.{uuid4().hex[:8]}"
        self._path = _file(folder, self.name)

    def __enter__(self) -> Worker:
        self._path.parent.mkdir(exist_ok=True)
        self._stream = self._path.open("wb")
        _lock(self._stream)
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._path.unlink(missing_ok=True)


def lives(folder: Path, name: str) -> bool:
    """Whether a worker is at work.

    Args:
        folder: the work directory.
        name: of the worker.

    Returns:
        True while it holds its lock. A dead one's file is removed.
    """
    path = _file(folder, name)
    try:
        with path.open("r+b") as stream:
            _lock(stream)
    except FileNotFoundError:
        return False
    except OSError:  # locked; Windows and POSIX say it with different errors
        return True
    path.unlink(missing_ok=True)
    return False


def _file(folder: Path, name: str) -> Path:
    return folder / "workers" / f"{name}.lock"
