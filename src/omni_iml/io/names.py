"""Names that every file system takes: for output files, and for what is inside an archive or a mail."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE)
_TRAILING = re.compile(r"[. ]+\Z")
_DRIVE = re.compile(r"[A-Za-z]:(?=/)")
_LONGEST = 200
"""Bytes of a file name before our suffix; file systems take 255, and a temporary name needs room too."""
_DEEPEST = 16
"""Folders of a member's name that are kept, the innermost ones."""


def safe_name(part: str) -> str:
    """One file or folder name, free of what some file system refuses.

    Args:
        part: the name, without its folders.

    Returns:
        At most 200 bytes in UTF-8: of a longer name the end, after eight digits that tell it from others with the same
        end; characters that Windows refuses become "_", and a name
        that it reserves, or that means a folder ("..", nothing at all), begins with "_".
    """
    part = part.encode("utf-8", "replace").decode("utf-8")  # bytes that are no UTF-8 arrive as lone surrogates
    part = _UNSAFE.sub("_", part).strip(" ")
    part = f"_{part}" if _RESERVED.fullmatch(part) or not part.strip(".") else part
    data = part.encode()
    if len(data) <= _LONGEST:
        return part
    mark = hashlib.sha256(data).hexdigest()[:8] + "~"
    return mark + data[len(mark) - _LONGEST :].decode("utf-8", "ignore")


def safe_folder(part: str) -> str:
    """A folder's name, free of what some file system refuses or drops.

    Args:
        part: the name, without the folders around it.

    Returns:
        As `safe_name`, with "_" for dots and spaces at its end, which Windows would leave off.
    """
    return _TRAILING.sub(lambda match: "_" * len(match[0]), safe_name(part))


def member_name(name: str) -> str:
    """The name of something inside a container as a relative path that leads nowhere else.

    Args:
        name: as the container says it: absolute, with a drive, with "..", with backslashes, or empty.

    Returns:
        Parts of `safe_name`, joined by "/"; "unnamed" where nothing is left.
    """
    name = _DRIVE.sub("", name.replace("\\", "/"), count=1)
    parts = [safe_name(part) for part in name.split("/") if part not in ("", ".", "..")]
    return "/".join(parts[-_DEEPEST:]) or "unnamed"


class UniqueNames:
    """Tells apart the members of one container whose outputs would have the same name."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """Give a name out once.

        Args:
            name: from `member_name`.

        Returns:
            The name itself, or with "~2", "~3" before its suffix where it was given out before. Compared without case,
            as some file systems do.
        """
        path, count, unique = PurePosixPath(name), 1, name
        while unique.casefold() in self._taken:
            count += 1
            unique = path.with_name(f"{path.stem}~{count}{path.suffix}").as_posix()
        self._taken.add(unique.casefold())
        return unique
