"""What the tiles said -> score, verdict and modality of the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

from omni_iml.types import Fitness, Modality, ModelInfo, Verdict


def probability_of(logit: float) -> float:
    """Logistic function of one number.

    Args:
        logit: any finite number.

    Returns:
        0..1.
    """
    return 0.5 * (1 + math.tanh(0.5 * logit))


UNIT_AREA = 512 * 512
"""Pixels of the size that calibration counts in."""


def picture_score(image_logits: Sequence[float], area: int, info: ModelInfo) -> float:
    """Calibrated probability that the picture was tampered with.

    The strongest tile speaks for the picture. The maximum over a large picture is high by chance alone, so the
    calibration has a term in the logarithm of its size: false alarms must not grow with the picture.

    Args:
        image_logits: one raw logit a tile, at least one.
        area: pixels of the picture.
        info: the model, for its calibration.

    Returns:
        0..1.
    """
    c = info.calibration
    return probability_of(
        c["scale"] * max(image_logits) + c["bias"] + c["log_tiles"] * math.log(max(1, area / UNIT_AREA))
    )


def verdict_of(score: float, info: ModelInfo, fitness: Fitness | None = None) -> Verdict:
    """The verdict that goes with a score and the file that it was found in.

    Args:
        score: from `picture_score`.
        info: the model, for its two thresholds and the grades at which it can know.
        fitness: whether traces can be in the file; None where nobody asked.

    Returns:
        "tampered" at or above ``tampered_at``, "inconclusive" between the two limits. Below ``no_trace_below``
        "no_trace", except where the file's fitness is a grade that the model is not known to find edits at: to find
        nothing where nothing could be left says nothing, so that is "inconclusive" too.
    """
    if score >= info.tampered_at:
        return "tampered"
    found_nothing = score < info.no_trace_below
    can_know = fitness is None or fitness.grade in info.no_trace_grades
    return "no_trace" if found_nothing and can_know else "inconclusive"


def gate_of(gate_probabilities: Sequence[float], areas: Sequence[int]) -> tuple[float, Modality]:
    """The modal gate's answer for the whole picture.

    Args:
        gate_probabilities: P(vision alone) of each tile, 0..1.
        areas: each tile's pixels inside the picture, above 0.

    Returns:
        The area-weighted mean of P(vision alone), and the modality that the gate chose, tile by tile, for the greater
        part of the area (a tile whose P(vision alone) is 0.5 or more is "vision").
    """
    total = sum(areas)
    pairs = list(zip(gate_probabilities, areas, strict=True))
    mean = sum(probability * area for probability, area in pairs) / total
    vision = sum(area for probability, area in pairs if probability >= 0.5)
    return mean, "vision" if 2 * vision >= total else "vision+frequency"
