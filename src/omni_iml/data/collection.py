"""Samples of data sets on disk: (seed, index) -> one sample, the same whatever process asks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from omni_iml.data.augmentation import NONE, AugmentConfig, Probability, draw_plan, view_of
from omni_iml.data.readers import Entry, Labels, Reader, open_set
from omni_iml.data.readers.decoding import decode
from omni_iml.data.sampling import Reading, SetSize, chances, generator, held_out
from omni_iml.data.sources import DOMAINS, Domain
from omni_iml.data.synthesis.sample import Sample, assemble
from omni_iml.types import UnreadableImage

log = logging.getLogger(__name__)

_TRIES = 50
"""Pictures in a row that may be unreadable before a data set is taken to be none."""


@dataclass(frozen=True)
class SetConfig:
    """One data set of a recipe.

    Attributes:
        root: folder that holds it; relative ones lie below ``OMNI_IML_DATA``.
        reader: its reader's name; None where that is what the recipe calls it.
        ratio: among the sets of its domain.
        labels: which of its pictures.
        domain: where it is not the reader's own.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    root: str
    reader: str | None = None
    ratio: Annotated[float, Field(ge=0)] = 1.0
    labels: Labels = "all"
    domain: Domain | None = None


@dataclass(frozen=True)
class CollectionConfig:
    """The data sets of a recipe.

    Attributes:
        sets: by name; none for synthetic samples alone.
        domains: ratio of each domain (F.1).
        domains_as: what these ratios say; docs/fidelity.md argues for the default.
        sets_as: what the ratios of the sets inside a domain say.
        synthetic: share of samples that are synthesised instead, where there are sets.
        augment: what is done to the pictures.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    sets: Mapping[str, SetConfig] = field(default_factory=dict)
    domains: Mapping[Domain, Annotated[float, Field(ge=0)]] = field(
        default_factory=lambda: {"natural": 10.0, "document": 5.0, "face": 2.0, "scene_text": 20.0}
    )
    domains_as: Reading = "repeat"
    sets_as: Reading = "share"
    synthetic: Probability = 0.0
    augment: AugmentConfig = field(default_factory=AugmentConfig)


def open_sets(config: CollectionConfig, data: Path) -> dict[str, Reader]:
    """The readers of a recipe's data sets.

    Args:
        config: which sets.
        data: folder that relative roots lie below.

    Raises:
        ValueError: a reader is unknown, or a set has no picture.
        FileNotFoundError: a root, or what it must hold, is not there.
    """
    opened = {}
    for name, one in config.sets.items():
        reader = open_set(one.reader or name, data / Path(one.root).expanduser(), one.labels, one.domain)
        if not len(reader):
            raise ValueError(f"data.sets.{name}: no picture of {reader.title} lies in {reader.root}; leave it out.")
        opened[name] = reader
    return opened


class Collection:
    """Draws samples from readers.

    Args:
        readers: by the names that the recipe has for them.
        config: ratios and augmentation.
        size: side S of the samples, a multiple of 32.
        seed: of all choices.
        kept: share of each set's pictures that training never sees.
        part: "train" draws from the others, "validation" from those, every domain alike and without augmentation.

    Raises:
        ValueError: see `chances`.
    """

    def __init__(
        self,
        readers: Mapping[str, Reader],
        config: CollectionConfig,
        size: int,
        seed: int,
        kept: float = 0.0,
        part: str = "train",
    ) -> None:
        validation = part == "validation"
        self.readers, self.size, self.seed = dict(readers), size, seed
        self.config = replace(config, augment=NONE) if validation else config
        self.names = tuple(self.readers)
        self.members = [self._members(reader, kept, validation) for reader in self.readers.values()]
        sizes = [
            SetSize(reader.domain, config.sets[name].ratio, len(members))
            for (name, reader), members in zip(self.readers.items(), self.members, strict=True)
        ]
        if validation:
            self.chances = chances(sizes, dict.fromkeys(DOMAINS, 1.0), "share", "share")
        else:
            self.chances = chances(sizes, config.domains, config.domains_as, config.sets_as)
        self._told: set[str] = set()

    @staticmethod
    def _members(reader: Sequence[Entry], kept: float, validation: bool) -> NDArray[np.int64]:
        if not kept:
            return np.arange(0 if validation else len(reader))
        out = held_out([entry.key for entry in reader], kept)
        return np.flatnonzero(out if validation else ~out)

    def drawn(self, index: int, attempt: int = 0) -> tuple[str, int]:
        """Name of the set and number of the picture that a sample is drawn from.

        Args:
            index: of the sample.
            attempt: how many of its pictures could not be read before.
        """
        rng = generator(self.seed, index, attempt)
        place = int(rng.choice(len(self.names), p=self.chances))
        return self.names[place], int(self.members[place][int(rng.integers(len(self.members[place])))])

    def __call__(self, index: int) -> Sample:
        """One sample; a picture that cannot be read is named once, and another is drawn in its place.

        Raises:
            UnreadableImage: too many in a row could not be read.
        """
        for attempt in range(_TRIES):
            name, number = self.drawn(index, attempt)
            try:
                return replace(self._sample(name, number, index, attempt), skipped=attempt)
            except UnreadableImage as error:
                last = error
                if error.source not in self._told:
                    self._told.add(error.source)
                    log.warning("%s; it is skipped.", str(error).rstrip("."))
        raise UnreadableImage(
            last.source, f"{_TRIES} pictures in a row cannot be read, this one last", "run omni-iml data check"
        )

    def _sample(self, name: str, number: int, index: int, attempt: int) -> Sample:
        reader = self.readers[name]
        entry, rng = reader[number], generator(self.seed + 1, index, attempt)
        plan = draw_plan(rng, self.config.augment, reader.domain, index)
        picture = decode(entry.data(), str(entry.image), trace=plan.keeps_trace)
        view = view_of(rng, picture, entry.mask.read(*picture.pixels.shape[:2]), plan, self.size)
        seen = bool(view.mask.any())
        return assemble(
            view.pixels,
            view.trace,
            view.mask,
            self.size,
            label=float(seen),
            domain=DOMAINS.index(reader.domain),
            operation=name if seen else "authentic",
            recipe={"set": name, "key": entry.key, **plan.told()},
        )


@dataclass(frozen=True)
class Mixture:
    """Two sources of samples in one.

    Attributes:
        first: drawn from with the probability ``1 - share``.
        second: drawn from with the probability ``share``.
        share: 0..1.
        seed: of the choice.
    """

    first: Callable[[int], Sample]
    second: Callable[[int], Sample]
    share: float
    seed: int

    def __call__(self, index: int) -> Sample:
        """The sample of one of the two, by a choice that depends on seed and index alone."""
        chosen = generator(self.seed + 2, index).random() < self.share
        return (self.second if chosen else self.first)(index)
