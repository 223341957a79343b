"""Paths as the system takes them: long ones on Windows, and names that are spelt with other code points."""

from __future__ import annotations

import ntpath
import os
import unicodedata
from pathlib import Path

_SHORT = 240
"""Windows takes 259 characters without further ado, for folders 247; a temporary name may be longer than the final."""


def openable(path: Path) -> Path:
    """The path in a form that can be opened whatever its length.

    Args:
        path: any path.

    Returns:
        The path itself; on Windows, for long ones, the absolute path in the form that lifts its limit of 260
        characters.
    """
    return Path(unlimited(str(path))) if os.name == "nt" else path


def unlimited(name: str) -> str:
    r"""Spell a long Windows path so that its length does not matter: ``\\?\C:\...`` or ``\\?\UNC\server\...``.

    Args:
        name: a path in Windows' spelling.

    Returns:
        The absolute path with that prefix; the name itself if it is short or has one.
    """
    full = ntpath.abspath(name)
    if len(full) < _SHORT or full.startswith(("\\\\?\\", "\\\\.\\")):
        return name
    return f"\\\\?\\UNC{full[1:]}" if full.startswith("\\\\") else f"\\\\?\\{full}"


def same_spelling(name: str) -> str:
    """The one spelling that all equal-looking ones share: composed characters (NFC), without case.

    macOS writes "é" as "e" and an accent (NFD), other systems as one character, and file systems differ in whether
    they take the two for the same name.

    Args:
        name: a name or path.

    Returns:
        What to compare.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def as_stored(path: Path) -> Path | None:
    """Find the path whose parts are spelt with other code points than the given one.

    Args:
        path: a path that does not exist as it is written.

    Returns:
        The path that does, in the spelling of the file system; None where there is none.
    """
    found = Path(path.anchor)
    for part in path.parts[1:] if path.anchor else path.parts:
        step = found / part
        if not os.path.lexists(step):
            wanted = unicodedata.normalize("NFC", part)
            try:
                names = [entry.name for entry in openable(found).iterdir()]
            except OSError:
                return None
            match = next((name for name in sorted(names) if unicodedata.normalize("NFC", name) == wanted), None)
            if match is None:
                return None
            step = found / match
        found = step
    return found
