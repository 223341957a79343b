"""Files that are whole or not there: written under a temporary name, then renamed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO
from uuid import uuid4

from omni_iml.io.paths import openable


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file so that its name never stands for half of it; what was there before stays until then.

    Args:
        path: where; its folder exists.
        write: gets the open file.

    Raises:
        OSError: the folder cannot be written to.
    """
    temporary = openable(path.with_name(f".{uuid4().hex}.tmp"))
    try:
        with temporary.open("xb") as stream:
            write(stream)
        temporary.replace(openable(path))
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
