"""Values of an LMDB database as stored bytes. Needs the extra ``omni-iml[data]``."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@functools.lru_cache(maxsize=16)
def _opened(path: Path) -> Any:
    import lmdb

    try:
        return lmdb.open(str(path), readonly=True, lock=False, readahead=False, meminit=False, subdir=path.is_dir())
    except lmdb.Error as error:
        raise ValueError(f"{path}: cannot be opened as LMDB ({error}); fetch it again.") from error


if hasattr(os, "register_at_fork"):
    # LMDB lets no process use what another opened, nor open again what it believes to be open.
    os.register_at_fork(before=_opened.cache_clear)


def value_of(path: Path, key: str) -> bytes | None:
    """A value of a database; None where the key is not there.

    Raises:
        ModuleNotFoundError: lmdb is not installed.
        ValueError: the database cannot be opened.
    """
    with _opened(path).begin(buffers=False) as transaction:
        found: bytes | None = transaction.get(key.encode())
    return found


@dataclass(frozen=True)
class LmdbValue:
    """One value of a database.

    Attributes:
        path: the database's folder.
        key: of the value.
    """

    path: Path
    key: str

    def is_file(self) -> bool:
        """Whether it is there."""
        return value_of(self.path, self.key) is not None

    def read_bytes(self) -> bytes:
        """Its content.

        Raises:
            FileNotFoundError: it is not there.
        """
        found = value_of(self.path, self.key)
        if found is None:
            raise FileNotFoundError(str(self))
        return found

    def __str__(self) -> str:
        return f"{self.path}:{self.key}"
