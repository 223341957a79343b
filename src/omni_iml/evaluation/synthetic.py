"""Score a session on a synthetic split: one sample is one tile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from omni_iml.data.sources import DOMAINS, Domain, Split
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


def outputs(
    session: Session,
    pool: TilePool,
    split: Split,
    config: SynthesisConfig,
    *,
    count: int,
    seed: int,
    domains: Sequence[Domain] = DOMAINS,
) -> Iterator[tuple[Domain, Sample, TileOutputs]]:
    """Domain, sample and what the model says of it; arguments of `score_split`."""
    size = SIDE if session.info.free_size else session.info.tile
    for domain in domains:
        engine = Engine(pool, split, replace(config, size=size, domains={domain: 1.0}), seed)
        for sample in map(engine, range(count)):
            yield domain, sample, session(sample.image[None], sample.coefficients[None], sample.table[None])


def score_split(
    session: Session,
    pool: TilePool,
    split: Split,
    config: SynthesisConfig,
    *,
    count: int,
    seed: int,
    domains: Sequence[Domain] = DOMAINS,
) -> list[SampleResult]:
    """Score ``count`` samples of each domain, of 512 pixels a side where the model takes that, else of its tile's size.

    Args:
        session: model to score.
        pool: cached source tiles.
        split: "validation" or "test".
        config: synthesis; its size and domain shares are replaced.
        count: samples a domain.
        seed: of the samples.
        domains: whose samples; those of a domain are the same whichever others are there.
    """
    results = []
    for domain, sample, output in outputs(session, pool, split, config, count=count, seed=seed, domains=domains):
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
