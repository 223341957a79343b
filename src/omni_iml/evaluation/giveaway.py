"""Does synthesis give itself away? Trivial detectors on each operation, and a classifier on histories alone.

    python -m omni_iml.evaluation.giveaway --tiles FOLDER

prints both tables of docs/synthesis.md (needs the extras named synth and eval, and OMNI_IML_DATA).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.data.sources import DOMAINS, Domain, Split, data_root
from omni_iml.data.synthesis import Engine, Forgery, SynthesisConfig
from omni_iml.data.synthesis.operations import catalogue
from omni_iml.data.tile_cache import TilePool, build_cache
from omni_iml.evidence import double_quantization, error_level, noise_level
from omni_iml.io import load
from omni_iml.metrics import roc_auc
from omni_iml.types import EvidenceImage

DETECTORS: dict[str, Callable[[EvidenceImage], NDArray[np.float32]]] = {
    "error level": error_level,
    "noise level": noise_level,
    "double quantization": double_quantization,
}
FOUND = 0.9
"""Pixel AUC from which on a sample counts as found."""


@dataclass(frozen=True)
class Giveaway:
    """How well the trivial detectors find one operation.

    Attributes:
        domain: where it was drawn.
        operation: its name.
        count: samples scored.
        auc: mean pixel AUC by detector, 0..1.
        found: share of samples with a pixel AUC of `FOUND` or more, by detector.
    """

    domain: Domain
    operation: str
    count: int
    auc: dict[str, float]
    found: dict[str, float]


def score_operation(
    pool: TilePool, split: Split, domain: Domain, operation: str, *, count: int, size: int = 512, seed: int = 0
) -> Giveaway:
    """Draw samples of one operation and run the trivial detectors on their files.

    Args:
        pool: cached source tiles.
        split: which identities are drawn.
        domain: of the samples.
        operation: of the samples; where it has nothing to work on, the sample is left out.
        count: samples drawn.
        size: their largest side, pixels.
        seed: of the samples.
    """
    config = replace(SynthesisConfig(), size=size, domains={domain: 1.0}, operations={operation: 1.0}, authentic=0.0)
    draw, scores = Engine(pool, split, config, seed), []
    for index in range(count):
        forgery = draw.forgery(index)
        if forgery.operation == operation and not forgery.mask.all():
            evidence = load(forgery.data())
            scores.append([roc_auc(detect(evidence), forgery.mask) for detect in DETECTORS.values()])
    return _summed(domain, operation, scores)


def score_untouched_words(
    pool: TilePool, split: Split, domain: Domain, *, count: int, size: int = 512, seed: int = 0
) -> Giveaway:
    """The same, of words that nobody touched: ink on paper stands out by itself, and edits of text compare with that.

    Args:
        pool: cached source tiles.
        split: which identities are drawn.
        domain: "document" or "scene_text".
        count: pictures drawn; those without a known word are left out.
        size: their largest side, pixels.
        seed: of the pictures.
    """
    config = replace(SynthesisConfig(), size=size, domains={domain: 1.0}, authentic=1.0)
    draw, scores = Engine(pool, split, config, seed), []
    for number in range(count):
        composite = draw.composite(number)
        words = composite.scene.words
        if not words:
            continue
        word = words[int(np.random.default_rng([seed, number, 2]).integers(len(words)))]
        mask = np.zeros(composite.scene.pixels.shape[:2], np.uint8)
        mask[word.y0 : word.y1, word.x0 : word.x1] = 1
        history = composite.histories[0]
        pixels, mask = history.follow(composite.scene.pixels, mask)
        if mask.any() and not mask.all():
            evidence = load(history.save.encode(pixels))
            scores.append([roc_auc(detect(evidence), mask) for detect in DETECTORS.values()])
    return _summed(domain, "an untouched word", scores)


def _summed(domain: Domain, operation: str, scores: list[list[float]]) -> Giveaway:
    columns = np.array(scores or [[np.nan] * len(DETECTORS)]).T  # (detectors, samples)
    auc = {name: float(column.mean()) for name, column in zip(DETECTORS, columns, strict=True)}
    found = {name: float((column >= FOUND).mean()) for name, column in zip(DETECTORS, columns, strict=True)}
    return Giveaway(domain, operation, len(scores), auc, found)


def giveaway_table(rows: Sequence[Giveaway]) -> str:
    """Markdown table: mean pixel AUC, and in brackets the percentage found, of each detector on each operation."""
    lines = [
        f"| domain | operation | n | {' | '.join(DETECTORS)} |",
        f"| --- | --- | ---: | {' | '.join('---:' for _ in DETECTORS)} |",
    ]
    for row in rows:
        cells = " | ".join(f"{row.auc[name]:.2f} ({100 * row.found[name]:.0f}%)" for name in DETECTORS)
        lines.append(f"| {row.domain} | {row.operation} | {row.count} | {cells} |")
    return "\n".join(lines)


def history_features(forgery: Forgery) -> list[float]:
    """All that is known of a picture's history, and its size, as numbers: nothing of the edit."""
    history = forgery.recipe["history"]
    steps: list[dict[str, Any]] = [*history["before"], *history["after"], history["save"]]
    jpegs = [step for step in steps if step["step"] == "jpeg"]
    scale = float(np.prod([step["scale"] for step in steps if step["step"] == "resize"]))
    shifts = [step for step in steps if step["step"] == "shift"]
    first, last = (jpegs[0], jpegs[-1]) if jpegs else ({}, {})
    channels = sorted(SynthesisConfig().channels)
    return [
        *forgery.mask.shape,
        len(steps),
        len(jpegs),
        len(shifts),
        scale,
        history["save"]["step"] == "png",
        first.get("quality", 0),
        last.get("quality", 0),
        first.get("table", "standard") == "standard",
        first.get("progressive", False),
        first.get("subsampling") == "4:2:0",
        last.get("subsampling") == "4:2:0",
        sum(step["y"] + step["x"] for step in shifts),
        sum(step["step"] == "blur" for step in steps),
        *(history["channel"] == channel for channel in channels),
    ]


def history_control(pool: TilePool, split: Split, *, count: int, size: int = 64, seed: int = 0) -> tuple[float, float]:
    """AUC of a small classifier that is taught to tell tampered from authentic pictures by their histories alone.

    Gradient boosted trees (scikit-learn) on `history_features`, five-fold cross-validation. It must be 0.5: histories
    are drawn before anybody knows whether the picture will be edited.

    Args:
        pool: cached source tiles.
        split: which identities are drawn.
        count: pictures, half of them tampered.
        size: their largest side, pixels.
        seed: of the pictures.

    Returns:
        The AUC, and its standard error by Hanley and McNeil (1982) at 0.5.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import cross_val_predict

    draw = Engine(pool, split, replace(SynthesisConfig(), size=size, authentic=0.5), seed)
    forgeries = [forgery for forgery in map(draw.forgery, range(count)) if forgery.label >= 0]
    features = np.array([history_features(forgery) for forgery in forgeries], np.float64)
    labels = np.array([forgery.label == 1 for forgery in forgeries])
    model = HistGradientBoostingClassifier(max_depth=3, random_state=0)
    scores = cross_val_predict(model, features, labels, cv=5, method="predict_proba")[:, 1]
    tampered, authentic = int(labels.sum()), int((~labels).sum())
    return roc_auc(scores, labels), float(np.sqrt((tampered + authentic + 1) / (12 * tampered * authentic)))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description="Trivial detectors on each operation; a classifier on histories alone."
    )
    parser.add_argument("--tiles", type=Path, required=True, help="folder of the tile cache; made if need be")
    parser.add_argument("--count", type=int, default=60, help="samples an operation")
    parser.add_argument("--control", type=int, default=4000, help="pictures of the history control")
    parser.add_argument("--operation", nargs="*", help="only these")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pool = build_cache(data_root(), options.tiles)
    area = SynthesisConfig().area
    rows = [
        score_operation(pool, "train", domain, name, count=options.count)
        for domain in DOMAINS
        for name in catalogue(area)[domain]
        if not options.operation or name in options.operation
    ]
    if not options.operation or "untouched" in options.operation:
        rows += [
            score_untouched_words(pool, "train", domain, count=options.count) for domain in ("document", "scene_text")
        ]
    print(giveaway_table(rows))
    if options.control:
        auc, error = history_control(pool, "train", count=options.control)
        print(f"\nHistory alone: AUC {auc:.3f} (standard error {error:.3f}, {options.control} pictures).")


if __name__ == "__main__":
    main()
