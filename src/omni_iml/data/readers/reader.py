"""What every data set's reader has, and how its files are found."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, overload

from omni_iml.data.readers.entry import Entry
from omni_iml.data.sources import Domain

Labels = Literal["all", "tampered", "authentic"]
Part = Literal["train", "test", "any"]

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".jp2"})


class Reader(Sequence[Entry], ABC):
    """A data set on disk, in the layout that it is downloaded in. A subclass says what is where.

    The entries are listed once, when they are first asked for, in an order that depends on names alone.

    Args:
        root: the folder that the subclass describes.
        labels: which pictures.
        domain: of the pictures; the set's own where None.

    Attributes:
        name: of the set, for commands and recipes.
        title: what people call it.
        part: what the papers use it for.
        tampered: tampered pictures of the complete set; None where that is not known.
        authentic: authentic ones, likewise.
        total: of both, where the papers count pictures without regard to that.
        licence: as its authors state it.
        homepage: where it can be had.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    own_domain: ClassVar[Domain] = "natural"
    part: ClassVar[Part]
    tampered: ClassVar[int | None] = None
    authentic: ClassVar[int | None] = 0
    total: ClassVar[int | None] = None
    licence: ClassVar[str]
    homepage: ClassVar[str]

    def __init__(self, root: Path | str, labels: Labels = "all", domain: Domain | None = None) -> None:
        self.root, self.labels = Path(root), labels
        self.domain: Domain = domain or self.own_domain

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """All pictures that should be there; a file that is named but missing is still an entry.

        Raises:
            FileNotFoundError: a folder or list without which nothing can be read is not there.
            ValueError: a list cannot be read.
        """

    @cached_property
    def listed(self) -> list[Entry]:
        """The entries that `labels` asks for."""
        wanted = {"all": (0, 1), "tampered": (1,), "authentic": (0,)}[self.labels]
        return [entry for entry in self.entries() if entry.label in wanted]

    def __len__(self) -> int:
        return len(self.listed)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        return self.listed[index]

    def place(self, *names: str) -> Path:
        """The first of these folders or files that is there.

        Args:
            names: below the root, in the order of preference; "." is the root itself.

        Raises:
            FileNotFoundError: none is.
        """
        for name in names:
            if (path := self.root / name).exists():
                return path
        raise FileNotFoundError(
            f"{self.root}: holds no {' or '.join(names)}, which {self.title} has; "
            f"name the folder that `omni-iml data list` describes for {self.name}."
        )

    def maybe(self, *names: str) -> Path | None:
        """As `place`, None where nothing is there."""
        return next((self.root / name for name in names if (self.root / name).exists()), None)

    @classmethod
    def layout(cls) -> str:
        """What lies where: the class's docstring."""
        return inspect.cleandoc(cls.__doc__ or "")


def pictures(folder: Path, *, deep: bool = False) -> list[Path]:
    """The picture files of a folder by name; hidden ones are left out.

    Args:
        folder: that is there.
        deep: those of its subfolders too.
    """
    found = folder.rglob("*") if deep else folder.iterdir()
    # By the path's parts: Windows would otherwise sort regardless of case.
    return sorted(
        (path for path in found if path.suffix.lower() in PICTURES and not path.name.startswith(".")),
        key=lambda path: path.parts,
    )


def beside(folder: Path, stem: str, *suffixes: str) -> Path:
    """The file of this stem with the first suffix that is there, else with the first."""
    there = (folder / f"{stem}{suffix}" for suffix in suffixes)
    return next((path for path in there if path.is_file()), folder / f"{stem}{suffixes[0]}")
