"""Which found regions are worth reporting: the filter of the model file, chosen on validation pictures.

A region is right when at least half of its pixels are tampered, and it reaches a tampered area when it holds a tenth of
that area's pixels. Of the filters that keep nine tenths of the tampered areas which regions reach without any, the one
with the best precision is chosen: small edits must not be filtered away for the sake of a tidy list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

AREAS = (0.0, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.004)
PROBABILITIES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
RIGHT, REACHES, KEPT = 0.5, 0.1, 0.9


@dataclass(frozen=True)
class FoundRegion:
    """One connected region of a probability map above 0.5.

    Attributes:
        area: share of the picture.
        probability: mean over the region.
        right: at least half of its pixels are tampered.
        reaches: numbers of the tampered areas of which it holds a tenth, from 0.
    """

    area: float
    probability: float
    right: bool
    reaches: tuple[int, ...]


@dataclass(frozen=True)
class FilterScore:
    """What a filter keeps.

    Attributes:
        min_area: smallest region kept, as a share of the picture.
        min_probability: lowest mean probability of a region kept.
        precision: share of kept regions that are right; nan where none is kept.
        recall: share of tampered areas that a kept, right region reaches.
        kept: regions kept.
    """

    min_area: float
    min_probability: float
    precision: float
    recall: float
    kept: int


def found_regions(probability: NDArray[np.floating], truth: NDArray[np.bool_]) -> tuple[tuple[FoundRegion, ...], int]:
    """Regions of a map, unfiltered, against the truth.

    Args:
        probability: ``(H, W)``, 0..1.
        truth: ``(H, W)``, true where tampered.

    Returns:
        The regions, and how many connected tampered areas there are.
    """
    count, labels = cv2.connectedComponents((probability > 0.5).astype(np.uint8), connectivity=8)
    areas, marks = cv2.connectedComponents(truth.astype(np.uint8), connectivity=8)
    # pixels[i, j]: those of region i that lie in tampered area j (0 = the background of either).
    pairs = labels.ravel().astype(np.int64) * areas + marks.ravel()
    pixels = np.bincount(pairs, minlength=count * areas).reshape(count, areas)  # (regions + 1, areas + 1)
    sums = np.bincount(labels.ravel(), weights=probability.ravel(), minlength=count)
    size = pixels.sum(1)
    reached = pixels[1:, 1:] >= REACHES * np.maximum(pixels[:, 1:].sum(0), 1)
    regions = tuple(
        FoundRegion(
            area=float(size[i] / probability.size),
            probability=float(sums[i] / size[i]),
            right=bool(pixels[i, 1:].sum() >= RIGHT * size[i]),
            reaches=tuple(int(j) for j in np.flatnonzero(reached[i - 1])),
        )
        for i in range(1, count)
    )
    return regions, areas - 1


def score_filter(
    pictures: Sequence[tuple[tuple[FoundRegion, ...], int]], min_area: float, min_probability: float
) -> FilterScore:
    """Precision and recall of the regions that a filter keeps, over all pictures together.

    Args:
        pictures: what `found_regions` gave for each.
        min_area: as in `FilterScore`.
        min_probability: likewise.
    """
    kept = right = reached = instances = 0
    for regions, areas in pictures:
        chosen = [r for r in regions if r.area >= min_area and r.probability >= min_probability]
        kept += len(chosen)
        right += sum(r.right for r in chosen)
        reached += len({area for r in chosen if r.right for area in r.reaches})
        instances += areas
    return FilterScore(
        min_area, min_probability, right / kept if kept else float("nan"), reached / max(instances, 1), kept
    )


def choose_filter(pictures: Sequence[tuple[tuple[FoundRegion, ...], int]]) -> FilterScore:
    """The most precise filter of `AREAS` and `PROBABILITIES` that loses few tampered areas; the gentlest of equal ones.

    Raises:
        ValueError: no picture has a tampered area.
    """
    if not any(areas for _, areas in pictures):
        raise ValueError("region filter: no picture has a tampered area to find; give it tampered ones.")
    scores = [score_filter(pictures, *limits) for limits in product(AREAS, PROBABILITIES)]
    # A grid lists the gentlest first, and the first of equal ones is taken.
    return max((s for s in scores if s.recall >= KEPT * scores[0].recall), key=lambda s: (s.kept > 0, s.precision))
