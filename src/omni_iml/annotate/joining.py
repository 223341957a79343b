"""Rows and pictures brought together by name; what has no partner is listed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from omni_iml.annotate.schema import Annotation
from omni_iml.io.paths import openable, same_spelling
from omni_iml.io.sniff import SUFFIXES


@dataclass(frozen=True)
class Joined:
    """Rows with their pictures.

    Attributes:
        pairs: row and path of its picture, in the order of the rows.
        rows_without_picture: names of rows that no picture was found for, or more than one.
        pictures_without_row: pictures that no row names, as ``Path``.
    """

    pairs: tuple[tuple[Annotation, Path], ...]
    rows_without_picture: tuple[str, ...]
    pictures_without_row: tuple[Path, ...]


def join(rows: Iterable[Annotation], pictures: Iterable[Path]) -> Joined:
    """Find each row's picture.

    A row's name is looked for as a whole path's end first (``test/a.jpg`` fits ``.../test/a.jpg``), then without its
    suffix, since some sets publish JPEG names for PNG files. Case and the encoding of accents do not matter.

    Args:
        rows: of any source sets.
        pictures: paths, from `pictures_below` or from a benchmark's reader.

    Returns:
        The pairs and what is left over.
    """
    files = list(pictures)
    by_name: dict[str, list[Path]] = {}
    for file in files:
        for key in {_key(file.name), _stem(file.name)}:
            by_name.setdefault(key, []).append(file)
    pairs, lonely, used = [], [], set()
    for row in rows:
        name = row.image.replace("\\", "/")
        last = PurePosixPath(name).name
        found = _ending(by_name.get(_key(last), []), name) or _ending(by_name.get(_stem(last), []), _stem(name))
        if len(found) == 1:
            pairs.append((row, found[0]))
            used.add(found[0])
        else:
            lonely.append(row.image)
    return Joined(tuple(pairs), tuple(lonely), tuple(file for file in files if file not in used))


def pictures_below(folder: Path) -> Iterator[Path]:
    """Picture files of a folder and the folders in it.

    Args:
        folder: any.

    Yields:
        Paths, in the order of their names.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if not openable(folder).is_dir():
        raise FileNotFoundError(f"{folder}: there is no such folder; name one with pictures.")
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place) / name for name in sorted(names) if Path(name).suffix.lower() in SUFFIXES)


def _ending(files: list[Path], name: str) -> list[Path]:
    """Those whose path ends like the name: more of the name's folders decide between files of one name."""
    if len(files) < 2:
        return files
    wanted = [same_spelling(part) for part in PurePosixPath(name).parts][:-1]
    for depth in range(len(wanted), -1, -1):
        tail = wanted[len(wanted) - depth :]
        fitting = [f for f in files if [same_spelling(part) for part in f.parts[-1 - depth : -1]] == tail]
        if fitting:
            return fitting
    return files


def _key(name: str) -> str:
    return same_spelling(name)


def _stem(name: str) -> str:
    return same_spelling(str(PurePosixPath(name).with_suffix(""))) + "/"  # no file's name ends so
