"""Score a folder of predictions against a folder of truth masks.

Which names match is written in `omni_iml.metrics.matching`. What the files say:

* Truth: pixels above 127 are tampered. A mask with gray levels is scored like that, and named as a problem.
* Prediction ``.mask``: likewise; it gives the counts. ``.heatmap``: black to white is a probability of 0 to 1; it gives
  the AUC, and where there is no mask also the counts, its pixels strictly above the threshold being tampered.
* Plain predictions are heat maps, unless all of the folder's are of black and white only: then they are masks, which
  have no AUC. The folder decides, because one heat map that happens to be all black must not drop out of the AUC.

Each picture is scored at its own size and the scores are averaged over the tampered pictures. Authentic pictures have
no IoU: they are counted and give the false alarm area. Nothing is left out silently: every picture that is not
scored is named in `FolderScore.problems`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omni_iml.metrics.auc import roc_auc
from omni_iml.metrics.counts import count_pixels
from omni_iml.metrics.folder_score import FolderScore, PictureScore, Problem
from omni_iml.metrics.matching import Matching, Prediction, match_folders
from omni_iml.metrics.pictures import Gray, read_gray
from omni_iml.types import MAX_PIXELS, UnreadableImage


@dataclass(frozen=True)
class _Plain:
    """What a plain file holds: whether it is a mask or a heat map shows only beside the others of its folder."""

    path: Path
    brightest: int
    black_and_white: bool


class _Refused(Exception):  # noqa: N818 - leaves this module as a Problem, never as an error
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def score_folders(predictions: Path, truths: Path, threshold: float = 0.5, max_pixels: int = MAX_PIXELS) -> FolderScore:
    """Score a folder of predictions against a folder of truth masks.

    Args:
        predictions: folder of masks and heat maps, gray pictures.
        truths: folder of truth masks, white (above 127) = tampered.
        threshold: heat map values strictly above it are tampered, 0 <= threshold < 1.
        max_pixels: larger masks and heat maps are refused, each a problem of its picture.

    Returns:
        Scores and problems; a problem of one picture does not keep the others from being scored.

    Raises:
        OmniError: a folder is missing or holds no picture, or both are the same.
        ValueError: the threshold is outside its range.
    """
    if not 0 <= threshold < 1:
        raise ValueError(f"the threshold {threshold} must be at least 0 and below 1; no heat map value is above 1.")
    matching = match_folders(Path(predictions), Path(truths))
    problems = _name_problems(matching)
    scored: list[tuple[PictureScore, _Plain | None]] = []
    for truth, prediction in matching.pairs:
        try:
            scored.append(_score(prediction, truth, threshold, max_pixels, problems))
        except _Refused as refusal:
            problems.append(refusal.problem)
        except UnreadableImage as error:
            problems.append(Problem("unreadable", Path(error.source), str(error)))
    pictures = _settle_plain(scored, problems)
    extra = tuple(prediction.name for prediction in matching.extra)
    return FolderScore(float(threshold), tuple(pictures), tuple(problems), extra)


def _name_problems(matching: Matching) -> list[Problem]:
    problems = [
        Problem(
            "missing",
            truth,
            f"{truth}: no prediction has this name, so the picture is not scored; predict it or drop its truth mask.",
        )
        for truth in matching.missing
    ]
    for files in matching.ambiguous:
        names = " and ".join(str(file) for file in files)
        message = f"{names}: these files match one name, so none of them is scored; keep one of them."
        problems.append(Problem("ambiguous", files[0], message))
    return problems


def _score(
    prediction: Prediction, truth_path: Path, threshold: float, max_pixels: int, problems: list[Problem]
) -> tuple[PictureScore, _Plain | None]:
    """Score one picture; doubts that do not prevent it are added to the problems once it is scored."""
    doubts: list[Problem] = []
    truth = _read_mask(truth_path, max_pixels, doubts)
    auc, called, plain = math.nan, None, None
    if prediction.mask is not None:
        called = _read_mask(prediction.mask, max_pixels, doubts)
        _check_size(called, prediction.mask, truth, truth_path)
    if (map_path := prediction.heatmap or prediction.plain) is not None:
        levels = read_gray(map_path, max_pixels)
        _check_size(levels, map_path, truth, truth_path)
        auc = roc_auc(levels, truth)
        if called is None:
            called = np.asarray(levels > threshold * np.iinfo(levels.dtype).max)
        if prediction.plain is not None:
            plain = _Plain(map_path, int(levels.max()), _black_and_white(levels))
    assert called is not None, "a Prediction holds at least one file"
    problems.extend(doubts)
    return PictureScore(prediction.name, truth_path, count_pixels(called, truth), auc), plain


def _settle_plain(scored: list[tuple[PictureScore, _Plain | None]], problems: list[Problem]) -> list[PictureScore]:
    """Decide for the folder what its plain files are, and finish their scores."""
    plains = [plain for _, plain in scored if plain is not None]
    # Labels 0 and 1 would read as a heat map of nothing: no heat map of a whole folder is that dark.
    labels = max((plain.brightest for plain in plains), default=0) == 1
    masks = all(plain.black_and_white for plain in plains)
    pictures = []
    for score, plain in scored:
        if plain is None:
            pictures.append(score)
        elif labels:
            problems.append(_dark(plain.path, "no plain prediction in the folder is brighter than 1 of 255"))
        else:
            pictures.append(replace(score, auc=math.nan) if masks else score)
    return pictures


def _read_mask(path: Path, max_pixels: int, doubts: list[Problem]) -> NDArray[np.bool_]:
    """A mask file as bool ``(H, W)``; gray levels are added to the doubts."""
    levels = read_gray(path, max_pixels)
    full = np.iinfo(levels.dtype).max
    mask = np.asarray(levels > full / 2)
    brightest = int(levels.max())
    if brightest and not mask.any():
        raise _Refused(_dark(path, f"its brightest pixel is {brightest} of {full}"))
    if not _black_and_white(levels):
        message = f"{path}: the mask has gray levels and was thresholded at {full // 2}; store it in black and white."
        doubts.append(Problem("gray", path, message))
    return mask


def _black_and_white(levels: Gray) -> bool:
    return bool(np.all((levels == 0) | (levels == np.iinfo(levels.dtype).max)))


def _check_size(levels: NDArray[np.generic], path: Path, truth: NDArray[np.bool_], truth_path: Path) -> None:
    if levels.shape != truth.shape:
        (high, wide), (true_high, true_wide) = levels.shape, truth.shape
        message = (
            f"{path}: the prediction is {wide} x {high} pixels and its truth {truth_path} {true_wide} x {true_high}; "
            "predict at the picture's own size."
        )
        raise _Refused(Problem("size", path, message))


def _dark(path: Path, cause: str) -> Problem:
    message = f"{path}: this mask would count as empty, as {cause}; store tampered pixels as white, not as 1."
    return Problem("dark", path, message)
