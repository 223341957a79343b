"""Score pictures one after the other: shown as each view has them, counted once, kept in a journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.data.readers import Entry
from omni_iml.data.readers.documents import DocTamper
from omni_iml.evaluation.counting import Truth, count_picture
from omni_iml.evaluation.data_sets import DataSet, doubles, truth_of
from omni_iml.evaluation.predictors import Predicted, Predictor, Refused
from omni_iml.evaluation.table import Journal
from omni_iml.evaluation.views import View, at_size, truth_at_size
from omni_iml.io import load
from omni_iml.io.whole_file import write_whole
from omni_iml.types import EvidenceImage, OmniError, UnreadableImage

THUMBNAIL = 256
"""Longest side of the maps that are kept for the contact sheet, pixels."""


@dataclass(frozen=True)
class Settings:
    """How pictures are scored.

    Attributes:
        views: in the order in which each picture is shown.
        limit: pictures of each data set, tampered and authentic ones in the set's order; None for all.
        seed: of noise.
        least_quality: which of DocTamper's quality lists is taken, its "minq".
        thumbnails: folder for small maps of the first view, or None.
    """

    views: Sequence[View]
    limit: int | None = None
    seed: int = 0
    least_quality: int = 75
    thumbnails: Path | None = None


def total(sets: Sequence[DataSet], settings: Settings) -> int:
    """How many pictures will be shown, each in all its views."""
    return sum(len(list(_entries(data, settings))) for data in sets)


def run(
    sets: Sequence[DataSet],
    predictor: Predictor,
    settings: Settings,
    journal: Journal,
    step: Callable[[str], None] = lambda _: None,
) -> None:
    """Score what the journal does not have yet.

    Args:
        sets: data sets.
        predictor: gives the maps.
        settings: views and limits.
        journal: keeps rows and problems; what it has is not looked at again.
        step: called with a name after each picture.

    Raises:
        OmniError: a view that the predictor cannot give, or the model itself failed.
    """
    if not predictor.looks and any(view.distortion or view.compression for view in settings.views):
        raise OmniError("--predictions: finished maps cannot be distorted or compressed; give a --model for that.")
    done = journal.done
    for data in sets:
        twice = doubles(data.reader)
        qualities = _qualities(data, settings)
        for index, entry in _entries(data, settings):
            views = [view for view in settings.views if (data.name, entry.key, view.name) not in done]
            if entry.key in twice:
                for view in views:
                    message = f"{data.name}/{entry.key}: two pictures have this name, none is scored; rename one."
                    journal.refuse(data.name, entry.key, view.name, "ambiguous", message)
                done |= {(data.name, entry.key, view.name) for view in views}
            elif views:
                _picture(data, entry, views, predictor, settings, journal, qualities.get(index, ()))
            step(f"{data.name}/{entry.key}")


def _entries(data: DataSet, settings: Settings) -> Iterator[tuple[int, Entry]]:
    """Numbered entries; a limit takes so many tampered ones and so many authentic ones."""
    seen = {0: 0, 1: 0}
    for index, entry in enumerate(data.reader):
        seen[entry.label] += 1
        if settings.limit is None or seen[entry.label] <= settings.limit:
            yield index, entry


def _qualities(data: DataSet, settings: Settings) -> Mapping[int, tuple[int, ...]]:
    if not any(view.compression for view in settings.views):
        return {}
    if not isinstance(data.reader, DocTamper):
        raise OmniError(
            f"{data.name}: a doctamper protocol needs DocTamper's lists of qualities; score this set by another one."
        )
    return data.reader.qualities(settings.least_quality)


def _picture(
    data: DataSet,
    entry: Entry,
    views: Sequence[View],
    predictor: Predictor,
    settings: Settings,
    journal: Journal,
    qualities: Sequence[int],
) -> None:
    try:
        image = load(entry.data())
        truth = truth_of(entry, image)
    except UnreadableImage as error:
        for view in views:
            journal.refuse(data.name, entry.key, view.name, "unreadable", str(error))
        return
    once: Predicted | None = None  # finished maps are read once for all views
    for view in views:
        try:
            if predictor.looks:
                shown, mask = view.show(image, truth, qualities=qualities, seed=settings.seed)
                found = predictor(data.name, entry.key, shown)
            else:
                once = once or predictor(data.name, entry.key, image)
                _check(once.probability, truth, f"{data.name}/{entry.key}")
                shown, mask = image, truth_at_size(truth, view.geometry)
                found = Predicted(_map_at_size(once.probability, view), once.score)
            _check(found.probability, mask, f"{data.name}/{entry.key}")
            row = count_picture(
                found.probability,
                mask,
                data=data.name,
                domain=data.domain,
                key=entry.key,
                view=view.name,
                label=entry.label,
                score=found.score,
            )
        except Refused as refusal:
            journal.refuse(data.name, entry.key, view.name, refusal.kind, str(refusal))
            continue
        except UnreadableImage as error:
            journal.refuse(data.name, entry.key, view.name, "unreadable", str(error))
            continue
        if settings.thumbnails is not None and view == settings.views[0]:
            _keep_small(settings.thumbnails / data.name, entry.key, found.probability, mask, shown)
        journal.add(row)
        if truth.gray and view == settings.views[0]:
            message = (
                f"{data.name}/{entry.key}: the mask has gray levels; protocols differ in what they count as tampered."
            )
            journal.refuse(data.name, entry.key, view.name, "gray", message)


def _map_at_size(probability: NDArray[np.float32], view: View) -> NDArray[np.float32]:
    return at_size(probability, view.geometry).astype(np.float32)


def _check(probability: NDArray[np.float32], truth: Truth, name: str) -> None:
    (high, wide), (true_high, true_wide) = probability.shape, truth.above_half.shape
    if (high, wide) != (true_high, true_wide):
        raise Refused(
            "size",
            f"{name}: the map is {wide}x{high} and its truth {true_wide}x{true_high}; predict at the picture's size.",
        )
    if not np.isfinite(probability).all():
        count = int((~np.isfinite(probability)).sum())
        raise Refused("nan", f"{name}: {count} values of the map are nan or infinite; find out where they come from.")
    if probability.min() < 0 or probability.max() > 1:
        raise Refused("range", f"{name}: the map holds values outside 0 to 1; give probabilities.")


def _keep_small(folder: Path, key: str, probability: NDArray[np.float32], truth: Truth, image: EvidenceImage) -> None:
    """Picture, truth and map side by side, small, for the contact sheet."""
    from omni_iml.io.orientation import to_displayed

    pixels = to_displayed(image.pixels, image.orientation)
    factor = min(1.0, THUMBNAIL / max(probability.shape))
    size = max(1, round(probability.shape[1] * factor)), max(1, round(probability.shape[0] * factor))
    masks = [np.uint8(255) * truth.above_half, np.rint(probability * 255).astype(np.uint8)]
    panels = [pixels, *(np.repeat(mask[..., None], 3, 2) for mask in masks)]
    strip = np.concatenate([cv2.resize(panel, size, interpolation=cv2.INTER_AREA) for panel in panels], 1)
    path = folder / f"{key}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(".jpg", strip[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done, "OpenCV writes JPEG"
    write_whole(path, lambda out: out.write(data.tobytes()))
