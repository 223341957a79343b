"""What becomes of each region of a mask, given what was found of the things that its explanation names.

The paper feeds the explanation into a detector and says that refined masks come out (appendix H.2); how the two are
joined is left open. Here:

1. A candidate *fits* a region if their IoU is at least `Rule.iou`, or one contains the other (`Rule.contained` of the
   smaller one's pixels). One that is more than `Rule.factor` times as large as all that it fits together is left out:
   the whole shirt says nothing of where the button ends.
2. Regions and candidates that fit each other, directly or through others, are a group: two words under one region, or
   one face under several specks. The group's regions are **snapped** to its candidates, unless these have more than
   `Rule.factor` times the pixels of the regions, or less than a `Rule.factor`-th.
3. A candidate that shares no pixel with any region is **added** if a model named it (H.7), it is the only such one of
   its mention, lies where the mention says, scores at least `Rule.least_score`, and nothing else of the mention fitted
   a region.
4. A region that nothing fits is **dropped** only if the model was not sure of it (its mean probability is known and
   below `Rule.sure`), some other region was snapped or some candidate added, no candidate touches it, every mention has
   a position, and none has its position. Every other region is **kept**. So a region of which the model is sure
   always stays, at least in part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from omni_iml.explain.refine.areas import Area, Mask, union
from omni_iml.explain.refine.labelled import Labelled, Numbers
from omni_iml.types import Box

Kind = Literal["kept", "snapped", "added", "dropped"]


_ROUNDING = 1e-9  # the mean of equal numbers can lie below them


@dataclass(frozen=True)
class Rule:
    """The rule's numbers.

    Attributes:
        iou: from which on a candidate fits a region.
        contained: share of the smaller one's pixels from which on the larger one contains it.
        factor: how many times larger or smaller than the regions their candidates may be.
        least_score: of a candidate that is added, 0..1.
        sure: mean probability of a region from which on it is never dropped.
    """

    iou: float = 0.5
    contained: float = 0.8
    factor: float = 4.0
    least_score: float = 0.5
    sure: float = 0.8


@dataclass(frozen=True)
class Mention:
    """A thing that an explanation names.

    Attributes:
        content: the text as read, or a description of the object.
        position: one of `omni_iml.types.POSITIONS`; "" where none was given.
        relative: the text line that holds it, or where it is among others; "" where none was given.
        source: "model" if a multimodal model named it, which looks at the whole picture; "measured" if it is what was
            read at a region of the mask, which says nothing of other places.
    """

    content: str
    position: str
    relative: str = ""
    source: Literal["model", "measured"] = "model"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A place in the picture where a mentioned thing may be.

    Attributes:
        area: its pixels.
        score: how sure the finder is, 0..1.
        mention: index of the mention that it was found for.
        label: what was found there, in words.
    """

    area: Area
    score: float
    mention: int
    label: str


@dataclass(frozen=True)
class Change:
    """What became of some regions.

    Attributes:
        kind: "kept", "snapped", "added" or "dropped".
        regions: boxes of the regions before; none where a candidate was added.
        candidates: indices of the candidates that were put in their place.
        pixels_before: of the regions.
        pixels_after: of what is there now; 0 where dropped.
        iou: of the regions and what is there now.
        mean_probability: the regions' lowest, 0..1; None where no heat map was given.
        reason: why, in words.
    """

    kind: Kind
    regions: tuple[Box, ...]
    candidates: tuple[int, ...]
    pixels_before: int
    pixels_after: int
    iou: float
    mean_probability: float | None
    reason: str


@dataclass(frozen=True, eq=False)
class Refined:
    """A refined mask.

    Attributes:
        mask: bool ``(H, W)``.
        changes: every region of the mask before is in exactly one of them.
    """

    mask: Mask
    changes: tuple[Change, ...]


def refine(
    mask: Mask,
    mentions: Sequence[Mention],
    candidates: Sequence[Candidate],
    probability: NDArray[np.floating] | None = None,
    rule: Rule | None = None,
) -> Refined:
    """Apply the rule above.

    Args:
        mask: bool ``(H, W)``, displayed orientation.
        mentions: what the explanation names.
        candidates: what was found of it, in any order.
        probability: float ``(H, W)``, 0..1, the model's map behind the mask; None where there is none, and then no
            region is dropped.
        rule: the numbers; None for the default ones.

    Returns:
        The refined mask, and what became of each region.

    Raises:
        ValueError: the map is not as large as the mask.
    """
    rule = rule or Rule()
    if probability is not None and probability.shape != mask.shape:
        raise ValueError(f"the map is {probability.shape} and the mask {mask.shape}; give one of the same size.")
    regions = Labelled(mask)
    sure = None if probability is None else regions.means(probability)
    touched, overlap = regions.overlaps([candidate.area for candidate in candidates])
    fits = _fits(regions.sizes[touched], candidates, overlap, rule)
    changes: list[Change] = []
    areas: list[Area] = []
    left = np.ones(len(regions), bool)
    beyond: dict[int, str] = {}
    for rows, theirs in _groups(fits):
        own, after = touched[rows], union(candidates[i].area for i in theirs)
        times = after.size / int(regions.sizes[own].sum())
        if not 1 / rule.factor <= times <= rule.factor:
            reason = f"what the explanation names has {times:.2g} times its pixels, beyond a factor of {rule.factor:g}"
            beyond.update(dict.fromkeys(own.tolist(), reason))
            continue
        reason = f"the explanation names {', '.join(sorted({candidates[i].label for i in theirs}))} there"
        changes.append(_put(regions, own, after, theirs, None if sure is None else float(sure[own].min()), reason))
        areas.append(after)
        left[own] = False
    for at, area, reason in _additions(mask.shape, mentions, candidates, fits, overlap, rule):
        changes.append(_put(regions, np.zeros(0, np.int64), area, (at,), None, reason))
        areas.append(area)
    dropped = np.zeros(len(regions), bool)
    named = {mention.position for mention in mentions}
    if changes and sure is not None and "" not in named:
        dropped = left & (sure < rule.sure - _ROUNDING)
        dropped[touched] = False
        for at in np.flatnonzero(dropped).tolist():
            dropped[at] = regions.position(at) not in named
    changes.extend(_left_over(regions, left, dropped, sure, beyond))
    refined = regions.painted(left & ~dropped)
    for area in areas:
        refined[area.where] |= area.pixels
    return Refined(refined, tuple(changes))


def _fits(sizes: Numbers, candidates: Sequence[Candidate], overlap: Numbers, rule: Rule) -> NDArray[np.bool_]:
    """Which candidate fits which of the regions that any touches, ``(regions, candidates)``."""
    own = sizes[:, None]
    theirs = np.array([candidate.area.size for candidate in candidates], np.int64)[None]
    close = overlap >= rule.iou * (own + theirs - overlap)
    fits = (overlap > 0) & (close | (overlap >= rule.contained * np.minimum(own, theirs)))
    covered = (fits * own).sum(0)
    return np.asarray(fits & (theirs[0] <= rule.factor * covered))


def _groups(fits: NDArray[np.bool_]) -> list[tuple[Numbers, tuple[int, ...]]]:
    """Rows and columns that hang together, by their first row; one that has no partner is in none."""
    count = fits.shape[1]
    column = np.arange(count)
    while True:  # each takes the lowest number among all that it hangs together with
        row = np.where(fits, column, count).min(1, initial=count)
        lowest = np.minimum(column, np.where(fits, row[:, None], count).min(0, initial=count))
        if (lowest == column).all():
            break
        column = lowest
    _, first = np.unique(row, return_index=True)
    numbers = [number for at in np.sort(first).tolist() if (number := int(row[at])) < count]
    return [(np.flatnonzero(row == one), tuple(np.flatnonzero(column == one).tolist())) for one in numbers]


def _additions(
    shape: tuple[int, ...],
    mentions: Sequence[Mention],
    candidates: Sequence[Candidate],
    fits: NDArray[np.bool_],
    overlap: Numbers,
    rule: Rule,
) -> Iterator[tuple[int, Area, str]]:
    """Candidates to be added: index, pixels and why."""
    height, width = shape
    fitted = {candidates[at].mention for at in np.flatnonzero(fits.any(0)).tolist()}
    outside = np.flatnonzero(~overlap.any(0)).tolist()
    for number, mention in enumerate(mentions):
        possible = [
            at
            for at in outside
            if (one := candidates[at]).mention == number
            and one.score >= rule.least_score
            and one.area.position(height, width) == mention.position
        ]
        if mention.source == "model" and number not in fitted and len(possible) == 1:
            added = candidates[possible[0]]
            yield possible[0], added.area, f"the explanation names {added.label} there, and the mask has nothing"


def _left_over(
    regions: Labelled,
    left: NDArray[np.bool_],
    dropped: NDArray[np.bool_],
    sure: NDArray[np.float64] | None,
    beyond: Mapping[int, str],
) -> Iterator[Change]:
    """What becomes of each region that nothing takes the place of."""
    for at in np.flatnonzero(left).tolist():
        size, mean = int(regions.sizes[at]), None if sure is None else float(sure[at])
        reason = beyond.get(at, "nothing that the explanation names fits it")
        if dropped[at]:
            reason = f"{reason} or lies at its position, and the model was not sure of it"
            yield Change("dropped", (regions.boxes[at],), (), size, 0, 0.0, mean, reason)
        else:
            yield Change("kept", (regions.boxes[at],), (), size, size, 1.0, mean, reason)


def _put(
    regions: Labelled, own: Numbers, after: Area, used: tuple[int, ...], mean: float | None, reason: str
) -> Change:
    """Candidates in the place of regions, or where there are none."""
    before, size, common = int(regions.sizes[own].sum()), after.size, regions.shared(own, after)
    boxes = tuple(regions.boxes[at] for at in own.tolist())
    kind: Kind = "snapped" if boxes else "added"
    return Change(kind, boxes, used, before, size, common / (before + size - common), mean, reason)
