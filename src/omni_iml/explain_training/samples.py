"""What the model learns from: a query about a picture and its predicted mask, and the true annotation as its answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from omni_iml.annotate.checking import Problem, Report
from omni_iml.annotate.joining import join, pictures_below
from omni_iml.annotate.schema import Annotation
from omni_iml.data.sampling import generator
from omni_iml.evaluation.explanations.reading import read_truth, true_text
from omni_iml.explain.interpreting import Asking, query_of
from omni_iml.explain.masks import UnreadableMask, read_mask
from omni_iml.explain_training.recipe import QueryConfig, SetConfig
from omni_iml.io import load
from omni_iml.io.orientation import to_displayed
from omni_iml.mllm.asking import Query
from omni_iml.report.files import output_stem
from omni_iml.types import OmniError, UnreadableImage

log = logging.getLogger(__name__)

_TRIES = 50
"""Sources in a row that may be unreadable before the data are taken to be none, as in `omni_iml.data.collection`."""


@dataclass(frozen=True)
class Sample:
    """One question with its answer.

    Attributes:
        query: what the model is asked, exactly as `omni-iml explain` asks it.
        target: what it should say: the annotation in the published form, one line of JSON.
    """

    query: Query
    target: str


@dataclass(frozen=True)
class Source:
    """Where a sample comes from.

    Attributes:
        row: the annotation.
        picture: path of its picture.
        mask: path of its predicted mask; None where the mode shows none.
    """

    row: Annotation
    picture: Path
    mask: Path | None


def find_sources(sets: Mapping[str, SetConfig], query: QueryConfig, data: Path, report: Report) -> tuple[Source, ...]:
    """Bring annotations, pictures and masks together; no picture is opened yet.

    Args:
        sets: the recipe's.
        query: the recipe's.
        data: folder that relative paths lie below.
        report: takes what is wrong with a row, and rows without a picture or a mask; they are left out.

    Returns:
        The sources, in the order of the sets and their rows.

    Raises:
        WrongAnnotations: a file of annotations cannot be read.
        FileNotFoundError: a folder is missing.
        ValueError: nothing is left to learn from.
    """
    found: list[Source] = []
    for one in sets.values():
        annotations, pictures = data / one.annotations, data / one.pictures
        rows = [row for row in read_truth(annotations, report, one.domain) if row.split in (None, one.split)]
        joined = join(rows, pictures_below(pictures))
        for name in joined.rows_without_picture:
            what = f"has no picture in {pictures}, or more than one; add or rename it."
            report(Problem(str(annotations), name, what))
        for row, picture in joined.pairs:
            mask = None
            if query.mode == "reference":
                assert one.masks is not None
                mask = _mask_path(data / one.masks, picture.relative_to(pictures))
                if not mask.is_file():
                    what = f"has no mask {mask}; run omni-iml detect {pictures} --out {data / one.masks}."
                    report(Problem(str(annotations), row.image, what))
                    continue
            found.append(Source(row, picture, mask))
    if not found:
        raise ValueError(f"{data}: no annotation has all that it needs there; check the paths of the recipe's sets.")
    return tuple(found)


def _mask_path(masks: Path, picture: Path) -> Path:
    stem = masks / output_stem(picture.as_posix())
    return stem.with_name(stem.name + ".mask.png")


class Samples:
    """Sources as a data set of samples, each read when it is asked for.

    Args:
        sources: from `find_sources`.
        query: what is asked.
        seed: of the choice of what takes the place of a source that cannot be read.

    Attributes:
        unreadable: uint8 ``(N,)``, 1 for each source that could not be read so far; shared with the processes that
            read for this one.
    """

    def __init__(self, sources: tuple[Source, ...], query: QueryConfig, seed: int) -> None:
        self._sources, self._seed = sources, seed
        self._asking = Asking(mode=query.mode, axis=query.axis, max_side=query.max_side)
        self.unreadable = torch.zeros(len(sources), dtype=torch.uint8)
        self.unreadable.share_memory_()  # type: ignore[no-untyped-call]

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, index: int) -> Sample:
        """Read a picture and its mask; where one of them cannot be read it is named once, and another source is drawn.

        What is drawn depends on seed and index alone, so that a run that goes on learns from the same samples.

        Raises:
            OmniError: too many in a row could not be read.
        """
        at = index
        for attempt in range(1, _TRIES + 1):
            try:
                return self._sample(self._sources[at])
            except (UnreadableImage, UnreadableMask) as error:
                last = str(error).rstrip(".")
                if not self.unreadable[at]:
                    self.unreadable[at] = 1
                    log.warning("%s; it is skipped.", last)
            at = int(generator(self._seed, index, attempt).integers(len(self._sources)))
        raise OmniError(f"{_TRIES} samples in a row cannot be read, this one last: {last}.")

    def _sample(self, source: Source) -> Sample:
        image = load(source.picture)
        pixels = to_displayed(image.pixels, image.orientation)
        height, width = pixels.shape[:2]
        doubts: list[str] = []
        mask = np.zeros((height, width), bool) if source.mask is None else read_mask(source.mask, width, height, doubts)
        if doubts:  # all masks of a set are likely so, and a model that learns from black ones learns to say nothing
            raise UnreadableMask(doubts[0])
        query = query_of(pixels, mask, source.row.domain, self._asking)
        return Sample(query, true_text(source.row.instances))
