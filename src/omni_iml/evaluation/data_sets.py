"""The data sets of an evaluation, from ``NAME=ROOT``, and their truths under both rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from omni_iml.data.readers import READERS, Entry, Reader
from omni_iml.data.readers.generic import Folder
from omni_iml.data.readers.masks import PictureMask, above_half, any_non_zero
from omni_iml.data.readers.synthetic import Synthetic
from omni_iml.data.sources import DOMAINS, MADE_HERE, Domain
from omni_iml.evaluation.counting import Truth
from omni_iml.io.orientation import to_displayed
from omni_iml.types import EvidenceImage, UnreadableImage

_PICTURES = ("Tp", "images", "imgs", "fake")
_DEVBENCH: dict[str, Domain] = {"tianchi": "document", "facemask": "face"}


@dataclass(frozen=True)
class DataSet:
    """A data set under the name that results have for it.

    Attributes:
        name: as asked for.
        reader: of its pictures.
    """

    name: str
    reader: Reader

    @property
    def domain(self) -> Domain:
        """Natural, document, face or scene text."""
        return self.reader.domain


def data_sets(text: str) -> list[DataSet]:
    """What ``NAME=ROOT`` or ``DOMAIN/NAME=ROOT`` names.

    A root with a folder ``images`` (or Tp, imgs, fake) is read as a folder, whatever its name, or by its recipes where
    `omni-iml synth` wrote it; one whose subfolders are such folders gives a data set each; otherwise NAME says which
    reader of `omni_iml.data.readers` is meant.

    Raises:
        ValueError: another form, an unknown domain, or no reader of that name.
        FileNotFoundError: there is nothing at the root.
    """
    given, separator, place = text.partition("=")
    domain, slash, name = given.rpartition("/")
    if not separator or not place or not name:
        raise ValueError(f"{text}: is not of the form NAME=ROOT, as casia1=data/casia1.")
    if slash and domain not in DOMAINS:
        raise ValueError(f"{text}: the domain {domain!r} is none of {', '.join(DOMAINS)}.")
    root, chosen = Path(place), cast("Domain | None", domain or None)
    if not root.exists():
        raise FileNotFoundError(f"{root}: is not there; name the folder that holds the data set.")
    if _is_folder(root):
        return [_named(name, _read_folder(root, chosen or _domain_of(name)))]
    below = [child for child in sorted(root.iterdir()) if _is_folder(child)] if root.is_dir() else []
    if below:  # prefixed, so that nobody takes a part for the data set that it is a part of
        return [_named(f"{name}/{c.name}", _read_folder(c, chosen or _domain_of(c.name))) for c in below]
    if name not in READERS:
        raise ValueError(
            f"{text}: the root has no folder {' or '.join(_PICTURES)}, and no data set is called {name!r}; "
            f"the data sets are {', '.join(READERS)}."
        )
    return [_named(name, READERS[name](root, domain=chosen))]


def _named(name: str, reader: Reader) -> DataSet:
    if not len(reader):
        raise ValueError(f"{reader.root}: holds no picture; name a folder that does.")
    return DataSet(name, reader)


def _is_folder(root: Path) -> bool:
    return root.is_dir() and any((root / name).is_dir() for name in _PICTURES)


def _read_folder(root: Path, domain: Domain) -> Reader:
    return (Synthetic if (root / MADE_HERE).is_file() else Folder)(root, domain=domain)


def _domain_of(name: str) -> Domain:
    if name in DOMAINS:
        return name
    return READERS[name].own_domain if name in READERS else _DEVBENCH.get(name, "natural")


def truth_of(entry: Entry, image: EvidenceImage) -> Truth:
    """The mask of a picture, in displayed orientation.

    Args:
        entry: of the picture.
        image: the picture as it was read.

    Raises:
        UnreadableImage: the mask is missing, cannot be read, or is of another size.
    """
    height, width = image.pixels.shape[:2]
    try:
        truth, turned = _both_rules(entry, height, width), True
    except UnreadableImage:
        if image.orientation < 5:
            raise
        truth, turned = _both_rules(entry, width, height), False  # the mask was drawn on the picture as displayed
    if not turned or image.orientation == 1:
        return truth
    half = np.asarray(to_displayed(truth.above_half, image.orientation))
    return Truth(half, np.asarray(to_displayed(truth.non_zero, image.orientation)) if truth.gray else half)


def _both_rules(entry: Entry, height: int, width: int) -> Truth:
    mask = entry.mask
    non_zero = mask.read(height, width) != 0
    if not isinstance(mask, PictureMask) or mask.rule is not any_non_zero:
        return Truth.of(non_zero)
    half = replace(mask, rule=above_half).read(height, width) != 0
    return Truth(half, non_zero) if (half != non_zero).any() else Truth.of(non_zero)


def doubles(reader: Reader) -> set[str]:
    """Keys that more than one picture has."""
    times = Counter(entry.key for entry in reader)
    return {key for key, count in times.items() if count > 1}
