"""Score a session on a synthetic split: one sample is one tile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from omni_iml.data.sources import Domain, Split
from omni_iml.data.synthesis import Engine, Sample, SynthesisConfig
from omni_iml.data.tile_cache import TilePool
from omni_iml.inference.session import Session, TileOutputs
from omni_iml.metrics import count_pixels, f1, iou, roc_auc


@dataclass(frozen=True)
class SampleResult:
    """One synthetic sample's scores.

    Attributes:
        domain: name.
        operation: what was done to it; "authentic" where nothing was.
        label: 1 tampered, 0 authentic, -1 generated and not tampered with.
        iou: nan without tampered pixels.
        f1: likewise.
        auc: likewise.
        logit: image-level logit.
        gate: the gate's logit.
    """

    domain: str
    operation: str
    label: float
    iou: float
    f1: float
    auc: float
    logit: float
    gate: float


SIDE = 512
"""Side of the samples that a model of any size is scored on, in pixels: most sources are not larger."""


Answered = tuple[Domain, Sample, TileOutputs]
"""A sample of a domain, and what the model says of it."""


def outputs(
    session: Session, pool: TilePool, split: Split, domain: Domain, config: SynthesisConfig, *, count: int, seed: int
) -> Iterator[Answered]:
    """Ask a model of samples of 512 pixels a side where it takes that, else of its tile's size.

    Args:
        session: model to ask.
        pool: cached source tiles.
        split: "validation" or "test".
        domain: of the samples.
        config: synthesis; its size and domain shares are replaced.
        count: samples.
        seed: of the samples.
    """
    size = SIDE if session.info.free_size else session.info.tile
    engine = Engine(pool, split, replace(config, size=size, domains={domain: 1.0}), seed)
    for sample in map(engine, range(count)):
        yield domain, sample, session(sample.image[None], sample.coefficients[None], sample.table[None])


def score_samples(answered: Iterable[Answered]) -> list[SampleResult]:
    """Score what a model said of samples.

    Args:
        answered: from `outputs`.
    """
    results = []
    for domain, sample, output in answered:
        quality = (float("nan"),) * 3
        if (sample.mask == 1).any():
            logits = output.mask[0, 0]
            counts = count_pixels(np.where(sample.mask == 255, 0, logits > 0), sample.mask)
            auc = roc_auc(logits, sample.mask) if (sample.mask == 0).any() else float("nan")
            quality = (float(iou(counts)[0]), float(f1(counts)[0]), auc)
        results.append(
            SampleResult(
                domain,
                sample.operation,
                sample.label,
                *quality,
                logit=float(output.image[0]),
                gate=float(output.gate[0]),
            )
        )
    return results
