"""Score a detector on the development benchmark: real tampered pictures with masks, and authentic ones.

Layout: ``<root>/devbench/<set>/images/*``, ``masks/<stem>.png`` (white = tampered), ``authentic/*`` where there
are any.
Development scores only: nothing of it may enter training, nor decide what does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.evaluation.distortions import Distortion, displayed_pixels
from omni_iml.inference.detector import Detector
from omni_iml.metrics import count_pixels, f1, iou, roc_auc

SETS = ("imd2020", "psbattles", "tianchi", "comofod", "facemask")
REAL_EDITS = ("imd2020", "psbattles", "tianchi")
"""The sets of edits that people made by hand; they are pooled in the headline figure."""


@dataclass(frozen=True)
class PictureResult:
    """One picture's scores.

    Attributes:
        dataset: name of the set.
        name: file name.
        tampered: what the picture is.
        iou: at probability > 0.5; nan for authentic pictures.
        f1: likewise.
        auc: tie-aware pixel AUC; nan for authentic pictures.
        area: share of the picture that the mask marks.
        score: image-level score.
        verdict: as the product gives it.
        gate: P(vision alone).
    """

    dataset: str
    name: str
    tampered: bool
    iou: float
    f1: float
    auc: float
    area: float
    score: float
    verdict: str
    gate: float


def read_mask(path: Path) -> NDArray[np.bool_]:
    """True = tampered: mean over the colour channels above 127.5 (IMDL-BenCo's rule)."""
    with Image.open(path) as image:
        return np.asarray(np.asarray(image.convert("RGB")).mean(2) > 127.5)


def score_devbench(
    detector: Detector,
    root: Path,
    *,
    sets: Sequence[str] = SETS,
    distortion: Distortion | None = None,
    authentic: bool = True,
) -> Iterator[PictureResult]:
    """Run the detector over the sets.

    Args:
        detector: with the model to score.
        root: folder that holds ``devbench``.
        sets: which of `SETS`.
        authentic: look at the authentic pictures too.
        distortion: what happens to every picture first; None leaves the files as they are.

    Yields:
        A result for each picture, set by set.

    Raises:
        FileNotFoundError: a set is not there.
        ValueError: a mask of another size than its picture.
    """
    for dataset in sets:
        folder = root / "devbench" / dataset
        if not (folder / "images").is_dir():
            raise FileNotFoundError(f"{folder}: no development set there; point OMNI_IML_DATA at its parent's parent.")
        for path in sorted((folder / "images").iterdir()):
            yield _score(detector, dataset, path, folder / "masks" / f"{path.stem}.png", distortion)
        for path in sorted((folder / "authentic").glob("*")) if authentic else ():
            yield _score(detector, dataset, path, None, distortion)


def _score(
    detector: Detector, dataset: str, path: Path, mask: Path | None, distortion: Distortion | None
) -> PictureResult:
    truth = read_mask(mask) if mask is not None else None
    source: Path | bytes = path
    if distortion is not None:
        distorted = distortion(displayed_pixels(path), truth)
        source, truth = distorted.data, distorted.mask
    found = detector.detect(source)
    quality = (float("nan"),) * 3
    if truth is not None:
        if truth.shape != found.probability.shape:
            raise ValueError(
                f"{mask}: {truth.shape} is not its picture's size {found.probability.shape}; mend the mask."
            )
        counts = count_pixels(found.mask, truth)
        quality = (float(iou(counts)[0]), float(f1(counts)[0]), roc_auc(found.probability, truth))
    return PictureResult(
        dataset,
        path.name,
        mask is not None,
        *quality,
        area=float(found.mask.mean()),
        score=found.score,
        verdict=found.verdict,
        gate=found.gate_probability,
    )
