"""Whole pictures of a held-out split, as files of many sizes, through the detector: what calibration and card go by.

Two kinds: pictures that synthesis makes, tampered and not, of every domain and of several sizes; and the split's
sources themselves, byte for byte, which nobody edited here. Generated portraits are in neither kind's authentic half.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from omni_iml.data.sources import DOMAINS, Domain, Source, Split, find
from omni_iml.data.synthesis import SynthesisConfig
from omni_iml.data.synthesis.engine import GENERATED_ORIGINS
from omni_iml.data.synthesis.folder import Order, write_folder
from omni_iml.data.tile_cache import build_cache
from omni_iml.evaluation.parts import Part
from omni_iml.evaluation.region_filter import FoundRegion, found_regions
from omni_iml.inference.detector import Detector
from omni_iml.types import Grade, UnreadableImage, Verdict

SIZES: Mapping[int, int] = {256: 40, 512: 60, 1024: 30, 2048: 12}
"""Longest side in pixels -> pictures of each domain; a smaller source stays smaller."""

LARGEST_SIDE = 2048


@dataclass(frozen=True)
class Judged:
    """What the detector said of one picture, and what is true.

    Attributes:
        domain: name.
        kind: "synthetic" or "source".
        tampered: what the picture is.
        pixels: height times width.
        grade: fitness of the file.
        logit: the largest image-level logit of its tiles.
        score: by the model file's calibration.
        verdict: by the model file's thresholds.
        area: share of the picture that the mask marks.
        regions: every region above 0.5, unfiltered.
        instances: connected tampered areas.
    """

    domain: Domain
    kind: str
    tampered: bool
    pixels: int
    grade: Grade
    logit: float
    score: float
    verdict: Verdict
    area: float
    regions: tuple[FoundRegion, ...]
    instances: int


def whole_parts(
    model: Path, root: Path, cache: Path, split: Split, seed: int, threads: int | None
) -> list[Part[Judged]]:
    """What `judge` says of all of a split, in parts: the synthetic pictures of each domain, and the sources.

    Args:
        model: model file.
        root: folder that holds ``source/<domain>/<set>/``.
        cache: folder of the tile cache that training draws from; whole pictures get one beside it, made here.
        split: "validation" or "test".
        seed: of the synthetic pictures.
        threads: of ONNX Runtime.
    """
    whole = cache.with_name(f"{cache.name}-{split}")
    _cached(root, whole, split)
    of = partial(_judge_part, model, root, whole, split, seed, threads)
    made = [Part(f"whole-{split}-{domain}", Judged, partial(of, (domain,), False)) for domain in DOMAINS]
    return [*made, Part(f"whole-{split}-sources", Judged, partial(of, (), True))]


def _judge_part(
    model: Path, root: Path, cache: Path, split: Split, seed: int, threads: int | None,
    domains: Sequence[Domain], untouched: bool,
) -> Iterator[Judged]:  # fmt: skip
    detector = Detector(model, threads=threads)
    return judge(detector, root, cache, split, seed=seed, domains=domains, untouched=untouched)


def _cached(root: Path, cache: Path, split: Split) -> list[Source]:
    sources = [source for source in find(root) if source.split == split]
    build_cache(root, cache, side=LARGEST_SIDE, per_source=1, sources=sources)
    return sources


def judge(
    detector: Detector,
    root: Path,
    cache: Path,
    split: Split,
    *,
    seed: int,
    sizes: Mapping[int, int] = SIZES,
    domains: Sequence[Domain] = DOMAINS,
    untouched: bool = True,
) -> Iterator[Judged]:
    """Write the pictures of a split to a temporary folder, look at each, and forget them.

    Args:
        detector: with the model to judge.
        root: folder that holds ``source/<domain>/<set>/``.
        cache: folder of a tile cache of this split's whole pictures (not the one that training draws from).
        split: "validation" or "test".
        seed: of the synthetic pictures.
        sizes: as `SIZES`.
        domains: of the synthetic pictures.
        untouched: whether to look at the sources too.

    Yields:
        Synthetic pictures by domain and size, then the sources.

    Raises:
        FileNotFoundError: no source pictures.
    """
    sources = _cached(root, cache, split)
    for domain in domains:
        for size, count in sizes.items():
            config = SynthesisConfig(size=size, domains={domain: 1.0}, authentic=0.5, pad=0.0)
            with tempfile.TemporaryDirectory(prefix="omni-iml-judge-") as name:
                folder = Path(name)
                for _ in write_folder(Order(cache, split, config, seed + size, count), folder):
                    pass
                for path in sorted((folder / "recipes").glob("*.json")):
                    recipe = json.loads(path.read_text(encoding="utf-8"))
                    if recipe["label"] >= 0:
                        yield _judge(
                            detector, domain, folder / "images" / recipe["image"], folder / "masks" / recipe["mask"]
                        )
    for source in sources if untouched else ():
        if source.origin not in GENERATED_ORIGINS:
            try:
                yield replace(_judge(detector, source.domain, source.path, None), kind="source")
            except UnreadableImage:
                continue  # a damaged source; the cache's log names it


def _judge(detector: Detector, domain: Domain, path: Path, mask: Path | None) -> Judged:
    found = detector.detect(path)
    height, width = found.probability.shape
    truth = np.zeros((height, width), bool)
    if mask is not None:
        with Image.open(mask) as image:
            truth = np.asarray(image) > 0
    regions, instances = found_regions(found.probability, truth)
    return Judged(
        domain=domain,
        kind="synthetic",
        tampered=bool(truth.any()),
        pixels=height * width,
        grade=found.fitness.grade if found.fitness else "good",
        logit=max(tile.image_logit for tile in found.tiles),
        score=found.score,
        verdict=found.verdict,
        area=float(found.mask.mean()),
        regions=regions,
        instances=instances,
    )
