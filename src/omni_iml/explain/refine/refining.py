"""One picture refined: mentions, candidates, the rule, and what it did to the IoU."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.explain.refine.areas import Mask
from omni_iml.explain.refine.listing import listed, listed_regions
from omni_iml.explain.refine.rule import Candidate, Change, Mention, Refined, Rule, refine
from omni_iml.io.whole_file import make_folder, write_together
from omni_iml.metrics import count_pixels, iou
from omni_iml.report.files import output_stem
from omni_iml.text import printable

SCHEMA = "omni-iml/refinement/1"


class Finder(Protocol):
    """Finds mentioned things in a picture."""

    @property
    def name(self) -> str:
        """What finds, in words."""

    def find(self, pixels: NDArray[np.uint8], mentions: Sequence[Mention]) -> list[Candidate]:
        """Places of the mentions in uint8 ``(H, W, 3)`` RGB; a mention without content has none."""


@dataclass(frozen=True, eq=False)
class Refinement:
    """What became of a picture's mask.

    Attributes:
        finder: name of what found the candidates.
        mentions: what the explanation names.
        candidates: what was found of it.
        before: bool ``(H, W)``, displayed orientation.
        refined: the mask after, and the changes.
        rule: the numbers that were applied.
        truth: bool ``(H, W)``; None where it is not known.
        seconds: spent in finding and applying.
    """

    finder: str
    mentions: tuple[Mention, ...]
    candidates: tuple[Candidate, ...]
    before: Mask
    refined: Refined
    rule: Rule
    truth: Mask | None
    seconds: float

    @property
    def ious(self) -> tuple[float, float] | None:
        """IoU with the truth before and after, 0..1; 1 where both are empty; None where the truth is not known."""
        if self.truth is None:
            return None
        truth = self.truth.astype(np.uint8)
        both = np.stack([self.before, self.refined.mask])
        before, after = iou(count_pixels(both, np.stack([truth, truth])), both_empty=1.0).tolist()
        return before, after


def refine_picture(
    pixels: NDArray[np.uint8],
    mask: Mask,
    mentions: Sequence[Mention],
    finder: Finder,
    *,
    probability: NDArray[np.floating] | None = None,
    truth: Mask | None = None,
    rule: Rule | None = None,
) -> Refinement:
    """Refine the mask of one picture.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB, as displayed.
        mask: bool ``(H, W)``.
        mentions: what the explanation names, of `mentions_of`.
        finder: finds it.
        probability: float ``(H, W)``, 0..1, behind the mask; None where there is none.
        truth: bool ``(H, W)``; None where it is not known.
        rule: the numbers; None for the default ones.

    Returns:
        The refined mask with what led to it.

    Raises:
        ValueError: mask, map or truth are not as large as the picture.
    """
    for what, given in (("mask", mask), ("map", probability), ("truth", truth)):
        if given is not None and given.shape != pixels.shape[:2]:
            raise ValueError(f"the {what} is {given.shape} and the picture {pixels.shape[:2]}; give one of its size.")
    begin = perf_counter()
    rule = rule or Rule()
    candidates = tuple(finder.find(pixels, mentions))
    refined = refine(mask, mentions, candidates, probability, rule)
    seconds = perf_counter() - begin
    return Refinement(finder.name, tuple(mentions), candidates, mask, refined, rule, truth, seconds)


def to_json(source: str, refinement: Refinement) -> dict[str, Any]:
    """A refinement as plain values that `json.dumps` takes; of many changes the largest, and a count of the rest.

    Args:
        source: name of the picture.
        refinement: of it.
    """
    height, width = refinement.before.shape
    before, after = refinement.ious or (None, None)
    changes, rests = listed(refinement.refined.changes)
    return {
        "schema": SCHEMA,
        "source": printable(source),
        "width": width,
        "height": height,
        "finder": printable(refinement.finder),
        "mentions": [{key: printable(value) for key, value in asdict(one).items()} for one in refinement.mentions],
        "candidates": [
            {
                "box": list(one.area.box),
                "pixels": one.area.size,
                "score": round(float(one.score), 4),
                "mention": one.mention,
                "label": printable(one.label),
            }
            for one in refinement.candidates
        ],
        "changes": [_change(one) for one in changes],
        "unlisted": [asdict(one) for one in rests],
        "pixels_before": int(np.count_nonzero(refinement.before)),
        "pixels_after": int(np.count_nonzero(refinement.refined.mask)),
        "iou_before": before if before is None else round(before, 4),
        "iou_after": after if after is None else round(after, 4),
        "rule": asdict(refinement.rule),
        "seconds": round(refinement.seconds, 2),
    }


def _change(change: Change) -> dict[str, Any]:
    boxes, more = listed_regions(change)
    mean = change.mean_probability
    return {
        "kind": change.kind,
        "regions": [list(box) for box in boxes],
        "unlisted_regions": more,
        "candidates": list(change.candidates),
        "pixels_before": change.pixels_before,
        "pixels_after": change.pixels_after,
        "iou": round(change.iou, 4),
        "mean_probability": None if mean is None else round(mean, 4),
        "reason": printable(change.reason),
    }


def refinement_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `to_json` returns."""
    text = files("omni_iml").joinpath("schemas/refinement-1.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def save(refinement: Refinement, folder: str | Path, name: str) -> dict[str, Path]:
    """Write ``<name>.mask.png`` and ``<name>.refinement.json``.

    Args:
        refinement: the result.
        folder: where to write; made if it does not exist.
        name: of the picture, as in `omni_iml.report.save`.

    Returns:
        The paths by kind: "mask" (0 and 255) and "json".

    Raises:
        UnwritableFile: the folder cannot be made or written to, or the disk is full.
    """
    target = Path(folder) / output_stem(name)
    make_folder(target.parent)
    paths = {kind: target.with_name(target.name + end) for kind, end in _ENDINGS.items()}
    picture = Image.fromarray(refinement.refined.mask.astype(np.uint8) * np.uint8(255))
    text = json.dumps(to_json(name, refinement), indent=2, ensure_ascii=False) + "\n"
    mask = paths["mask"], lambda out: picture.save(out, format="PNG")
    write_together([mask, (paths["json"], lambda out: out.write(text.encode("utf-8")))])
    return paths


_ENDINGS = {"mask": ".mask.png", "json": ".refinement.json"}
