"""Expand files, folders and globs into pictures and documents, each with its place in the output folder."""

from __future__ import annotations

import glob
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from omni_iml.io.containers import CONTAINER_SUFFIXES
from omni_iml.io.sniff import SUFFIXES
from omni_iml.types import UnreadableImage


@dataclass(frozen=True)
class Found:
    """One picture file, or a document or archive with pictures in it.

    Attributes:
        path: where it is.
        relative: its place in an output folder: relative to the folder argument it was found in, or the bare name for a
            file named directly or by a glob; with leading parent folders where two sources would otherwise write the
            same output.
    """

    path: Path
    relative: Path


def find_sources(arguments: Iterable[str]) -> list[Found]:
    """Expand the arguments of a command into picture files: `find_source` for each, then `resolve_collisions`.

    Args:
        arguments: names as typed or as expanded by a shell.

    Returns:
        The files, in the order of the arguments.

    Raises:
        UnreadableImage: an argument names no picture, or two sources cannot be told apart.
    """
    return resolve_collisions(item for argument in arguments for item in find_source(argument))


def find_source(argument: str) -> list[Found]:
    """Expand one argument of a command into picture files.

    An argument that exists is taken literally, whatever characters are in it: a file with any suffix, or a folder,
    which is searched recursively for the suffixes that this package reads. Anything else is a glob (``*``, ``?``,
    ``[...]``, ``**`` for any depth) for files with such suffixes. Hidden files and folders inside a folder or behind a
    wildcard are skipped, symbolic links are followed but no folder is visited twice, and the order is natural (``2``
    before ``10``).

    Args:
        argument: a name as typed or as expanded by a shell.

    Returns:
        The files, at least one.

    Raises:
        UnreadableImage: the argument names no picture, or a folder in it cannot be read.
    """
    matches = list(_expand(argument))
    if not matches:
        raise _nothing(argument)
    return matches


def resolve_collisions(found: Iterable[Found]) -> list[Found]:
    """List each file once, and give each a place of its own in the output folder.

    Sources that would share an output name (compared without case, as some file systems do) are told apart by the
    names of their parent folders, as many as it takes: ``a/x.jpg`` and ``b/x.jpg`` keep ``a`` and ``b``.

    Args:
        found: what `find_source` gave for all arguments together.

    Returns:
        The files in the same order; one that several arguments name stays where it came first.

    Raises:
        UnreadableImage: two sources cannot be told apart.
    """
    seen: set[str] = set()
    once: list[Found] = []
    for item in found:
        key = os.path.normcase(os.path.realpath(item.path))
        if key not in seen:
            seen.add(key)
            once.append(item)
    return _told_apart(once)


def _expand(argument: str) -> Iterator[Found]:
    path = Path(argument)
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError):  # a name that the system does not allow
        return
    if not argument:
        return
    if is_folder:
        for file in _walk(path, set()):
            yield Found(file, file.relative_to(path))
    elif exists:
        yield Found(path, Path(path.name))
    else:
        names = sorted(glob.glob(argument, recursive=True), key=_natural)  # noqa: PTH207 - takes absolute patterns
        for name in names:
            file = Path(name)
            if _is_picture(file):
                yield Found(file, Path(file.name))


def _walk(folder: Path, visited: set[tuple[int, int]]) -> Iterator[Path]:
    """Pictures below a folder; ``visited`` holds device and inode of the folders already entered."""
    try:
        status = folder.stat()
        entries = sorted(folder.iterdir(), key=lambda entry: _natural(entry.name))
    except OSError as error:
        cause = error.strerror or str(error)
        raise UnreadableImage(str(folder), f"the folder cannot be read ({cause})", "change its permissions") from error
    identity = (status.st_dev, status.st_ino)
    if identity in visited:
        return
    visited.add(identity)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if os.path.isdir(entry):  # noqa: PTH112 - see _nothing
            yield from _walk(entry, visited)
        elif _is_picture(entry):
            yield entry


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES | CONTAINER_SUFFIXES and os.path.isfile(path)  # noqa: PTH113 - see _nothing


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key that compares runs of digits as numbers and the rest without case."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts if part] + [
        (2, 0, name)
    ]


def _nothing(argument: str) -> UnreadableImage:
    name = argument or "<empty name>"
    if argument and os.path.isdir(argument):  # noqa: PTH112 - false, not an error, for names that cannot be
        return UnreadableImage(name, "the folder holds no picture that is read", "name another folder or a file in it")
    return UnreadableImage(name, "no file, folder or pattern of this name was found", "check the name")


def _told_apart(found: list[Found]) -> list[Found]:
    """Prepend parent folders to the relative paths that collide."""
    absolute = [Path(os.path.abspath(item.path)) for item in found]  # noqa: PTH100 - links keep their own names
    depths = [len(item.relative.parts) for item in found]
    while clashes := _clashes(absolute, depths):
        deeper = False
        for group in clashes:
            for index in group:
                # The anchor ("/" or "C:\") is no folder that can be mirrored.
                if depths[index] < len(absolute[index].parts) - 1:
                    depths[index] += 1
                    deeper = True
        if not deeper:
            first, second = (str(found[index].path) for index in clashes[0][:2])
            raise UnreadableImage(first, f"it would write the same output as {second}", "analyse them one at a time")
    return [
        Found(item.path, _tail(path, depth)) if depth != len(item.relative.parts) else item
        for item, path, depth in zip(found, absolute, depths, strict=True)
    ]


def _clashes(paths: list[Path], depths: list[int]) -> list[list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, (path, depth) in enumerate(zip(paths, depths, strict=True)):
        groups[_tail(path, depth).as_posix().casefold()].append(index)
    # Files of one folder whose names differ by case alone lie on a file system that keeps them apart.
    return [group for group in groups.values() if len(group) > 1 and len({paths[index].parent for index in group}) > 1]


def _tail(path: Path, depth: int) -> Path:
    return Path(*path.parts[-depth:])
