"""Where a mask begins: the shift of the mask's logits with which 0.5 is the best threshold on validation.

The losses teach a network to be careful: in a sample of which a tenth is tampered, a doubtful pixel is more likely
authentic, so masks at 0.5 come out too small. One number that is added to all logits, the bias of the last convolution,
puts the best threshold where everybody looks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omni_iml.evaluation.synthetic import Answered
from omni_iml.metrics import count_pixels, iou

SHIFTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
"""What may be added to the logits; the first is nothing."""


@dataclass(frozen=True)
class ShiftedIous:
    """What a sample's IoU would be at each shift.

    Attributes:
        domain: name.
        tampered: whether it is; nothing is chosen by authentic ones, whose marked share is watched.
        ious: with each of `SHIFTS` added to the logits, 0..1; nan for authentic samples.
        marked: share of the pixels, those without truth left out, above 0.5 with each.
    """

    domain: str
    tampered: bool
    ious: tuple[float, ...]
    marked: tuple[float, ...]


def measure_shifts(answered: Iterable[Answered]) -> list[ShiftedIous]:
    """IoU of samples at every shift.

    Args:
        answered: what a model says of them, from `omni_iml.evaluation.synthetic.outputs`.
    """
    results = []
    for domain, sample, output in answered:
        logits, tampered = output.mask[0, 0], bool((sample.mask == 1).any())
        masks = [np.where(sample.mask == 255, 0, logits + shift > 0) for shift in SHIFTS]
        ious = [float(iou(count_pixels(mask, sample.mask))[0]) if tampered else float("nan") for mask in masks]
        marked = [float(mask.mean()) for mask in masks]
        results.append(ShiftedIous(domain, tampered, tuple(ious), tuple(marked)))
    return results


def mean_ious(results: Sequence[ShiftedIous]) -> NDArray[np.float64]:
    """Mean IoU of the tampered samples at each shift, ``(len(SHIFTS),)``."""
    return np.asarray(np.mean([result.ious for result in results if result.tampered], axis=0))


def choose_shift(results: Sequence[ShiftedIous]) -> float:
    """The shift with the highest mean IoU over the tampered samples, the smallest of equals.

    Raises:
        ValueError: no sample is tampered.
    """
    if not any(result.tampered for result in results):
        raise ValueError("no tampered sample to choose the mask's level by; draw more samples.")
    return SHIFTS[int(mean_ious(results).argmax())]
