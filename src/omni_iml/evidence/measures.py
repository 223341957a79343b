"""Every measurement in its order, the thresholds they were calibrated to, and regions in, measurements out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from omni_iml.evidence.block_grid import BLOCK_GRID
from omni_iml.evidence.color import COLOR, LIGHT
from omni_iml.evidence.copy_move import COPY_MOVE
from omni_iml.evidence.earlier_quantization import EARLIER_QUANTIZATION
from omni_iml.evidence.jpeg_ghost import JPEG_GHOST
from omni_iml.evidence.measuring import Measure, Measurement, Subject, rank
from omni_iml.evidence.noise import NOISE
from omni_iml.evidence.outline import OUTLINE_SHARPNESS, OUTLINE_STEP
from omni_iml.evidence.placements import place
from omni_iml.evidence.resampling import RESAMPLING
from omni_iml.evidence.sharpness import SHARPNESS
from omni_iml.evidence.texture import TEXTURE
from omni_iml.io.missing import present
from omni_iml.types import EvidenceImage

MEASURES: tuple[Measure, ...] = (
    COPY_MOVE, EARLIER_QUANTIZATION, JPEG_GHOST, BLOCK_GRID, RESAMPLING, NOISE, SHARPNESS, TEXTURE,
    OUTLINE_STEP, OUTLINE_SHARPNESS, COLOR, LIGHT,
)  # fmt: skip

_AT_ONCE = 2  # regions measured beside each other: more would hold more memory


@cache
def thresholds() -> Mapping[str, float]:
    """The strength above which each measurement is a finding; see docs/evidence.md for how they were found."""
    text = files("omni_iml").joinpath("evidence/thresholds.json").read_text(encoding="utf-8")
    return {name: float(value) for name, value in json.loads(text).items()}


def measure_regions(image: EvidenceImage, masks: Sequence[NDArray[np.bool_]]) -> list[tuple[Measurement, ...]]:
    """Measure regions of a picture against their surroundings, with everything but text.

    Of a file that was cut short only what is there is measured, and compared with what is there.

    Args:
        image: the picture, in stored orientation.
        masks: bool ``(H, W)`` each, stored orientation; each is asked for twice and not kept, so that a sequence that
            makes them on demand holds no more than `_AT_ONCE` of them.

    Returns:
        For each mask what could be measured, in the order of `MEASURES`; nothing for a region that is too small, or
        too large for its picture.
    """
    image = present(image)
    suspected = np.zeros(image.pixels.shape[:2], bool)
    for mask in masks:
        suspected |= mask[: len(suspected)]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        # By number: map would take every mask out of the sequence at once.
        return list(threads.map(partial(_measure, Subject(image, suspected), masks), range(len(masks))))


def _measure(subject: Subject, masks: Sequence[NDArray[np.bool_]], at: int) -> tuple[Measurement, ...]:
    places = place(masks[at][: len(subject.suspected)], subject.suspected, subject.luma)
    if places is None:
        return ()
    found = []
    for measure in MEASURES:
        comparison = measure.compare(subject, places)
        ranked = None if comparison is None else rank(measure, comparison, thresholds()[measure.name])
        if ranked is not None:
            found.append(ranked)
    return tuple(found)
