"""A look at every picture of a data set: what is wrong with it, and what it is like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.data.processes import end_with_parent
from omni_iml.data.readers.decoding import decode
from omni_iml.data.readers.entry import Entry
from omni_iml.data.readers.reader import Reader
from omni_iml.types import UnreadableImage

Fault = Literal["picture missing", "picture unreadable", "mask missing", "mask unusable", "mask empty", "mask inverted"]

_CHUNK = 16


@dataclass(frozen=True)
class Finding:
    """What one picture turned out to be.

    Attributes:
        key: of the entry.
        label: of the entry.
        fault: what is wrong with it; None where nothing is. "mask inverted" is a suspicion: most of the picture and
            all of its border are tampered.
        message: the fault in a sentence that names the file.
        height: of the picture in pixels; 0 where it could not be read.
        width: likewise.
        kind: Pillow's name of the file's format.
        quality: of a JPEG file, the quality whose tables are nearest.
        share: tampered pixels / all pixels.
        regions: connected tampered regions.
    """

    key: str
    label: int
    fault: Fault | None = None
    message: str = ""
    height: int = 0
    width: int = 0
    kind: str = ""
    quality: int | None = None
    share: float = 0.0
    regions: int = 0


def examine(entry: Entry) -> Finding:
    """Read one picture and its mask as training does."""
    try:
        picture = decode(entry.data(), str(entry.image))
    except UnreadableImage as error:
        fault: Fault = "picture unreadable" if entry.image.is_file() else "picture missing"
        return Finding(entry.key, entry.label, fault, str(error))
    height, width = picture.pixels.shape[:2]
    known: dict[str, Any] = {"height": height, "width": width, "kind": picture.kind, "quality": picture.quality}
    try:
        mask = entry.mask.read(height, width)
    except UnreadableImage as error:
        fault = absent(entry).fault or "mask unusable"
        return Finding(entry.key, entry.label, fault, str(error), **known)
    fault_of_mask, message = _fault(entry, mask)
    regions = int(cv2.connectedComponents(mask, connectivity=8)[0]) - 1
    return Finding(entry.key, entry.label, fault_of_mask, message, **known, share=float(mask.mean()), regions=regions)


def absent(entry: Entry) -> Finding:
    """See only whether the files of one picture are there."""
    if not entry.image.is_file():
        return Finding(entry.key, entry.label, "picture missing", f"{entry.image}: is missing; fetch it again.")
    stored = getattr(entry.mask, "stored", None)
    if stored is not None and not stored.is_file():
        return Finding(entry.key, entry.label, "mask missing", f"{stored}: is missing; fetch it again.")
    return Finding(entry.key, entry.label)


def _fault(entry: Entry, mask: NDArray[np.uint8]) -> tuple[Fault | None, str]:
    if entry.label and not mask.any():
        return "mask empty", f"{entry.image}: nothing of it is tampered; leave it out, or list it as authentic."
    border = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    if mask.mean() > 0.5 and all(side.all() for side in border):
        return "mask inverted", f"{entry.image}: most of it is tampered, and all of its border; see if white is."
    return None, ""


def survey(entries: Sequence[Entry], workers: int = 1) -> Iterator[Finding]:
    """Examine entries, in their order.

    Args:
        entries: of a reader.
        workers: processes.
    """
    if workers <= 1 or len(entries) <= _CHUNK:
        yield from map(examine, entries)
        return
    context = get_context("spawn")  # works alike on every system, and never forks OpenCV's threads
    with ProcessPoolExecutor(workers, context, initializer=_start) as pool:
        try:
            # In pieces: handing over all entries at once would copy the whole list.
            for start in range(0, len(entries), 64 * _CHUNK):
                yield from pool.map(examine, entries[start : start + 64 * _CHUNK], chunksize=_CHUNK)
        finally:
            pool.shutdown(cancel_futures=True)


def _start() -> None:
    cv2.setNumThreads(0)  # the processes are the parallelism
    end_with_parent()


def shortfalls(reader: Reader) -> list[str]:
    """Where the set as it lies there is not the complete one: counts, and names that come twice."""
    labels = Counter(entry.label for entry in reader)
    found = []
    wanted = (("tampered", 1, type(reader).tampered), ("authentic", 0, type(reader).authentic))
    for name, label, count in wanted:
        if count is not None and labels[label] != count and reader.labels in ("all", name):
            found.append(f"{labels[label]} {name} pictures, the complete set has {count}.")
    total = type(reader).total
    if total is not None and labels.total() != total and reader.labels == "all":
        found.append(f"{labels.total()} pictures, the complete set has {total}.")
    keys = Counter(entry.key for entry in reader)
    return found + [f"{key}: {count} pictures are called that." for key, count in keys.items() if count > 1]


def description(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """What a set is like, as rows of a table: what, how much."""
    all_of = list(findings)
    good = [finding for finding in all_of if finding.height]
    tampered = [finding for finding in good if finding.label and not finding.fault]
    qualities = [finding.quality for finding in good if finding.quality is not None]
    rows = [
        ("pictures", str(len(all_of))),
        ("tampered", str(sum(finding.label for finding in all_of))),
        ("authentic", str(sum(not finding.label for finding in all_of))),
        ("with a fault", str(sum(finding.fault is not None for finding in all_of))),
        ("formats", ", ".join(f"{kind} {n}" for kind, n in Counter(f.kind for f in good).most_common())),
        ("longer side, pixels", _spread([max(finding.height, finding.width) for finding in good])),
        ("shorter side, pixels", _spread([min(finding.height, finding.width) for finding in good])),
        ("JPEG quality", _spread(qualities)),
        ("tampered share, %", _spread([100 * finding.share for finding in tampered])),
        ("tampered regions", _spread([finding.regions for finding in tampered])),
    ]
    return [(what, value) for what, value in rows if value]


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    low, middle, high = np.percentile(values, (5, 50, 95))
    return f"{min(values):.4g} to {max(values):.4g}; median {middle:.4g}, 90% within {low:.4g} to {high:.4g}"
