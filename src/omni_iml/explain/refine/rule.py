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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from omni_iml.explain.refine.areas import Area, Mask, areas_of, painted, shared, union
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
    height, width = mask.shape
    regions = areas_of(mask)
    sure = [None if probability is None else float(probability[one.where][one.pixels].mean()) for one in regions]
    overlap = _overlaps(regions, candidates)
    changes: list[Change] = []
    areas: list[Area] = []
    left_over: dict[int, str] = {}
    fits = _fits(regions, candidates, overlap, rule)
    for own, theirs in _groups(fits):
        if not theirs:
            left_over[own[0]] = "nothing that the explanation names fits it"
            continue
        before, after = (union(some) for some in ([regions[i] for i in own], [candidates[i].area for i in theirs]))
        if not 1 / rule.factor <= after.size / before.size <= rule.factor:
            times = f"{after.size / before.size:.2g} times its pixels"
            reason = f"what the explanation names has {times}, beyond a factor of {rule.factor:g}"
            left_over.update(dict.fromkeys(own, reason))
            continue
        reason = f"the explanation names {', '.join(sorted({candidates[i].label for i in theirs}))} there"
        changes.append(_change("snapped", [regions[i] for i in own], after, theirs, _lowest(sure, own), reason))
        areas.append(after)
    fitted = {candidates[at].mention for at in np.flatnonzero(fits.any(0)).tolist()}
    outside = [at for at in range(len(candidates)) if not overlap[:, at].any()]
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
            reason = f"the explanation names {added.label} there, and the mask has nothing"
            changes.append(_change("added", [], added.area, possible, None, reason))
            areas.append(added.area)
    grounded, named = bool(changes), {mention.position for mention in mentions}
    for at, reason in sorted(left_over.items()):
        region, mean = regions[at], sure[at]
        nowhere = "" not in named and region.position(height, width) not in named
        if grounded and nowhere and not overlap[at].any() and mean is not None and mean < rule.sure - _ROUNDING:
            reason = f"{reason} or lies at its position, and the model was not sure of it"
            changes.append(_change("dropped", [region], None, (), mean, reason))
        else:
            changes.append(_change("kept", [region], region, (), mean, reason))
            areas.append(region)
    return Refined(painted(areas, height, width), tuple(changes))


def _overlaps(regions: Sequence[Area], candidates: Sequence[Candidate]) -> NDArray[np.int64]:
    """Shared pixels, ``(regions, candidates)``."""
    found = [[shared(region, candidate.area) for candidate in candidates] for region in regions]
    return np.array(found, np.int64).reshape(len(regions), len(candidates))


def _fits(
    regions: Sequence[Area], candidates: Sequence[Candidate], overlap: NDArray[np.int64], rule: Rule
) -> NDArray[np.bool_]:
    """Which candidate fits which region, ``(regions, candidates)``."""
    own = np.array([region.size for region in regions], np.int64)[:, None]
    theirs = np.array([candidate.area.size for candidate in candidates], np.int64)[None]
    close = overlap >= rule.iou * (own + theirs - overlap)
    fits = (overlap > 0) & (close | (overlap >= rule.contained * np.minimum(own, theirs)))
    covered = (fits * own).sum(0)
    return np.asarray(fits & (theirs[0] <= rule.factor * covered))


def _groups(fits: NDArray[np.bool_]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Regions and candidates that hang together; a region that nothing fits is a group of its own."""
    groups, free = [], set(range(len(fits)))
    for first in range(len(fits)):
        if first not in free:
            continue
        own = np.zeros(len(fits), bool)
        own[first] = True
        while True:
            theirs = fits[own].any(0)
            more = own | fits[:, theirs].any(1)
            if (more == own).all():
                break
            own = more
        free -= set(np.flatnonzero(own).tolist())
        groups.append((tuple(np.flatnonzero(own).tolist()), tuple(np.flatnonzero(theirs).tolist())))
    return groups


def _lowest(sure: Sequence[float | None], own: Sequence[int]) -> float | None:
    known = [mean for at in own if (mean := sure[at]) is not None]
    return min(known, default=None)


def _change(
    kind: Kind, before: Sequence[Area], after: Area | None, used: Sequence[int], mean: float | None, reason: str
) -> Change:
    sizes = sum(area.size for area in before), 0 if after is None else after.size
    common = 0 if after is None else sum(shared(area, after) for area in before)
    boxes = tuple(area.box for area in before)
    return Change(kind, boxes, tuple(used), *sizes, common / max(1, sum(sizes) - common), mean, reason)
