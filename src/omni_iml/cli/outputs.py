"""The folder of ``--out``: what a run may write there, and what it must leave alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omni_iml.cli.failures import WrongUsage
from omni_iml.cli.own_files import Kind, earlier_results, first_foreign, remove
from omni_iml.io.containers import CONTAINER_SUFFIXES
from omni_iml.io.paths import openable
from omni_iml.io.sniff import SUFFIXES
from omni_iml.io.whole_file import UnwritableFile, check_writable, make_folder
from omni_iml.types import OmniError, UnreadableImage

if TYPE_CHECKING:
    from omni_iml.io.find import Found


class TakenName(UnreadableImage):
    """A picture whose results have no place: their files are another picture's, or somebody else's."""


class Outputs:
    """The results of one run, each with files of its own; files of others are not replaced.

    Args:
        folder: where they go; made if it is not there.
        kind: what is written for a picture.
        found: the files of the run.

    Attributes:
        folder: as given.

    Raises:
        WrongUsage: the folder cannot be made or not be written to, two files would share their results' name, or
            results would replace a file of the run.
    """

    def __init__(self, folder: Path, kind: Kind, found: Sequence[Found]) -> None:
        self.folder = folder
        self._kind = kind
        self._taken: set[str] = set()
        self._inputs = {key for item in found if (key := _identity(item.path)) is not None}
        _refuse_shared(found)
        self._refuse_inputs(found)
        try:
            make_folder(folder)
            check_writable(folder)
        except UnwritableFile as error:
            raise WrongUsage(str(error)) from error

    def blocked(self, item: Found) -> TakenName | None:
        """Say before a picture is analysed that its results would replace somebody's file.

        Args:
            item: of the run. Of documents, and of files without a picture's suffix, it is not known yet what they hold.

        Returns:
            The error that `claim` would raise; None where there is none, or none yet.
        """
        if item.path.suffix.lower() not in SUFFIXES:
            return None
        cause = self._obstacle(item.relative.as_posix())
        return None if cause is None else TakenName(str(item.path), cause, "name another --out")

    def claim(self, source: str, name: str) -> None:
        """Take the files of a picture's results, before they are written.

        Args:
            source: how to name the picture in errors.
            name: the picture's place in the folder, with its part.

        Raises:
            TakenName: results of this run have them already, or they are not ours.
        """
        stem = os.path.normcase(_stem(name))
        # Files were told apart before; this is about a part that is named like another file's.
        if stem in self._taken:
            cause = "its results would overwrite those of another picture"
            raise TakenName(source, cause, "analyse the file on its own")
        if (obstacle := self._obstacle(name)) is not None:
            raise TakenName(source, obstacle, "name another --out")
        self._taken.add(stem)

    def discard(self, item: Found, error: OmniError) -> None:
        """Remove what earlier runs wrote of a picture that cannot be read any more, and of its parts.

        Args:
            item: the file.
            error: what was said of it; nothing is removed unless it is an `UnreadableImage` of the file or a part.

        Raises:
            UnwritableFile: a file cannot be removed.
        """
        if not isinstance(error, UnreadableImage) or isinstance(error, TakenName):
            return
        part = error.source.removeprefix(str(item.path))
        if part == error.source:  # it speaks of something else
            return
        for stem in earlier_results(self.folder / _stem(item.relative.as_posix() + part), self._kind):
            files = self._kind.files(stem)
            is_new = os.path.normcase(stem.relative_to(self.folder)) in self._taken
            if not is_new and self._input_among(files) is None:
                remove(files)

    def saved(self, name: str, paths: Iterable[Path]) -> None:
        """Remove the maps of an earlier result that the new one does not have.

        Args:
            name: as it was claimed.
            paths: what was written.

        Raises:
            UnwritableFile: a file cannot be removed.
        """
        written = set(paths)
        remove(path for path in self._kind.files(self.folder / _stem(name)) if path not in written)

    def _obstacle(self, name: str) -> str | None:
        stem = self.folder / _stem(name)
        if (path := self._input_among(self._kind.files(stem))) is not None:
            return f"its results would replace {path}, a file of this run"
        if (path := first_foreign(stem, self._kind)) is not None:
            return f"its results would replace {path}, which is no result of ours"
        return None

    def _input_among(self, paths: Iterable[Path]) -> Path | None:
        return next((path for path in paths if _identity(path) in self._inputs), None)

    def _refuse_inputs(self, found: Sequence[Found]) -> None:
        for item in found:
            if item.path.suffix.lower() in CONTAINER_SUFFIXES:
                continue  # its results have the names of its parts: see claim
            stem = self.folder / _stem(item.relative.as_posix())
            if (path := self._input_among(self._kind.files(stem))) is not None:
                raise WrongUsage(f"{path}: the results of {item.path} would replace it; name another --out.")


def _refuse_shared(found: Sequence[Found]) -> None:
    """Names that differ only in characters which some file system refuses would share their output files."""
    taken: dict[str, Path] = {}
    for item in found:
        stem = os.path.normcase(_stem(item.relative.as_posix()))
        if stem in taken:
            raise WrongUsage(
                f"{item.path}: its results would overwrite those of {taken[stem]}; "
                "rename one of them, or write to different folders."
            )
        taken[stem] = item.path


def _stem(name: str) -> Path:
    from omni_iml.report.files import output_stem

    return output_stem(name)


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from others, whatever name leads to it; None where there is no such file."""
    try:
        status = openable(path).stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status.st_ino else None
