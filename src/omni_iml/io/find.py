"""Expand files, folders and globs into pictures and documents, each with its place in the output folder."""

from __future__ import annotations

import glob
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from omni_iml.io.containers import CONTAINER_SUFFIXES
from omni_iml.io.paths import as_stored, openable, same_spelling
from omni_iml.io.sniff import SUFFIXES
from omni_iml.types import UnreadableImage


@dataclass(frozen=True)
class Found:
    """One picture file, or a document or archive with pictures in it.

    Attributes:
        path: where it is.
        relative: its place in an output folder: relative to the folder argument it was found in, or the bare name for a
            file named directly or by a glob; with leading parent folders where two sources would otherwise write the
            same output, and with "~2" before the suffix where even those do not tell them apart.
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
    before ``10``). A link to a picture is a picture under the link's name. A name is found however its accents are
    encoded (NFC or NFD). A folder inside that cannot be read is listed in place of the pictures in it, so that
    `omni_iml.io.load` names it and the others are done.

    Args:
        argument: a name as typed or as expanded by a shell.

    Returns:
        The files, at least one.

    Raises:
        UnreadableImage: the argument names no picture, or is a folder that cannot be read.
    """
    matches = list(_expand(argument))
    if not matches:
        raise _nothing(argument)
    return matches


def resolve_collisions(found: Iterable[Found]) -> list[Found]:
    """List each name once, and give each a place of its own in the output folder.

    A name that several arguments lead to, also through links to its folder, is one; a link beside the file that it
    leads to is a picture with a name of its own, as a copy would be.

    Sources that would share an output name (compared as some file systems do, without case and without regard to how
    accents are encoded) are told apart by the names of their parent folders, as many as it takes: ``a/x.jpg`` and
    ``b/x.jpg`` keep ``a`` and ``b``. Of two in one folder that look the same, the second becomes ``x~2.jpg``.

    Args:
        found: what `find_source` gave for all arguments together.

    Returns:
        The names in the same order; one that several arguments lead to stays where it came first.

    Raises:
        UnreadableImage: two sources cannot be told apart.
    """
    seen: dict[str, list[Path]] = defaultdict(list)
    once: list[Found] = []
    for item in found:
        others = seen[same_spelling(_location(item.path))]
        if not any(_is_same(item.path, other) for other in others):
            others.append(item.path)
            once.append(item)
    return _numbered(_told_apart(once))


def _is_same(path: Path, other: Path) -> bool:
    try:  # a link is not followed: "X.jpg" that leads to "x.jpg" beside it is another name
        return os.path.samestat(openable(path).lstat(), openable(other).lstat())
    except OSError:  # gone meanwhile
        return _location(path) == _location(other)


def _location(path: Path) -> str:
    """The path with the links to its folder followed, but not the file's own."""
    return os.path.join(os.path.realpath(path.parent), path.name)  # noqa: PTH118 - a string to compare


def _expand(argument: str) -> Iterator[Found]:
    path = Path(argument)
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError):  # a name that the system does not allow
        return
    if not argument:
        return
    if not exists and (stored := as_stored(path)) is not None:
        path, exists = stored, stored.exists()
        is_folder = stored.is_dir()
    if is_folder:
        for file in _walk(path, set(), outermost=True):
            yield Found(file, file.relative_to(path))
    elif exists:
        yield Found(path, Path(path.name))
    else:
        spellings = {argument, *(unicodedata.normalize(form, argument) for form in ("NFC", "NFD"))}
        names = {name for each in spellings for name in glob.glob(each, recursive=True)}  # noqa: PTH207
        for name in sorted(names, key=_natural):
            file = Path(name)
            if _is_picture(file):
                yield Found(file, Path(file.name))


def _walk(folder: Path, visited: set[tuple[int, int]], *, outermost: bool = False) -> Iterator[Path]:
    """Pictures below a folder; ``visited`` holds device and inode of the folders already entered."""
    try:
        status = openable(folder).stat()
        # Names only: the entries would carry Windows' long form of the path on.
        names = sorted((entry.name for entry in openable(folder).iterdir()), key=_natural)
    except OSError as error:
        if not outermost:
            yield folder
            return
        cause = error.strerror or str(error)
        raise UnreadableImage(str(folder), f"the folder cannot be read ({cause})", "change its permissions") from error
    identity = (status.st_dev, status.st_ino)
    if identity in visited:
        return
    visited.add(identity)
    for name in names:
        entry = folder / name
        if name.startswith("."):
            continue
        if os.path.isdir(openable(entry)):  # noqa: PTH112 - see _nothing
            yield from _walk(entry, visited)
        elif _is_picture(entry):
            yield entry


def _is_picture(path: Path) -> bool:
    # A link to nothing is one: `load` says what is wrong with it.
    return path.suffix.lower() in SUFFIXES | CONTAINER_SUFFIXES and not os.path.isdir(openable(path))  # noqa: PTH112


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
        groups[same_spelling(_tail(path, depth).as_posix())].append(index)
    # Files of one folder are on a file system that keeps their names apart; see _numbered.
    return [group for group in groups.values() if len(group) > 1 and len({paths[index].parent for index in group}) > 1]


def _numbered(found: list[Found]) -> list[Found]:
    """Number the places that differ only in how accents are encoded, which nobody could tell apart by looking."""
    taken: set[str] = set()
    numbered: list[Found] = []
    for item in found:
        relative, count = item.relative, 1
        while (key := unicodedata.normalize("NFC", relative.as_posix())) in taken:
            count += 1
            relative = item.relative.with_name(f"{item.relative.stem}~{count}{item.relative.suffix}")
        taken.add(key)
        numbered.append(Found(item.path, relative) if count > 1 else item)
    return numbered


def _tail(path: Path, depth: int) -> Path:
    return Path(*path.parts[-depth:])
