"""How often each measurement of `omni_iml.evidence` calls an authentic region unusual, and the thresholds for it.

    python benchmarks/evidence_rates.py train --pictures 300 --write
    python benchmarks/evidence_rates.py validation test
    python benchmarks/evidence_rates.py train --lettering --write
    python benchmarks/evidence_rates.py validation test --lettering

Needs the extra named train, and OMNI_IML_DATA (see docs/guides/train.md). Regions are of three kinds: shapes at random
(ellipses, rectangles, polygons), segments (what a mask that follows an object looks like), and pieces of text lines.
Half of the pictures are saved once more, as an editor would that changed nothing. The first command sets each
threshold to the strength that at most `AIM` of the regions of any kind exceed; the second counts on other pictures.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.segmentation import felzenszwalb

import omni_iml.evidence
from omni_iml.data.sources import DOMAINS, Source, data_root, find
from omni_iml.evidence.lettering import TEXT_MEASURES, lettering_of, measure_lettering
from omni_iml.evidence.measures import MEASURES, measure_regions, thresholds
from omni_iml.io import load
from omni_iml.types import EvidenceImage, OmniError

AIM = 0.03
"""Share of authentic regions of a kind that a threshold lets through where it is set."""

LETTERING_AIM = 0.015
"""The same for the measurements of text, whose regions come from few receipts, several from each."""

KINDS = ("shape", "segment", "text")
LONGEST = 1024
Mask = NDArray[np.bool_]


def pictures(splits: list[str], count: int) -> list[Source]:
    """Sources of the splits, the four domains in turns; generated portraits are no authentic pictures."""
    rng = np.random.default_rng(8)
    sources = [source for source in find(data_root()) if source.split in splits and "faker_ai" not in source.origin]
    queues = []
    for domain in DOMAINS:
        found = [source for source in sources if source.domain == domain]
        queues.append([found[i] for i in rng.permutation(len(found))])
    turns = [queue[i] for i in range(max(map(len, queues))) for queue in queues if i < len(queue)]
    return turns[:count]


def prepared(source: Source, rng: np.random.Generator) -> tuple[EvidenceImage, tuple[int, int]] | None:
    """The picture, or a part of it on the 8-pixel grid saved anew, and where that part lies in it."""
    image = load(source.path)
    height, width = image.pixels.shape[:2]
    if min(height, width) < 128:
        return None
    top, left = (max(0, (side - LONGEST) // 2 // 8 * 8) for side in (height, width))
    again = rng.random() < 0.5
    if top or left or again:
        part = Image.fromarray(image.pixels[top : top + LONGEST, left : left + LONGEST])
        buffer = io.BytesIO()
        part.save(buffer, "JPEG", quality=int(rng.integers(85, 97)), subsampling=int(rng.choice([0, 2])))
        image = load(buffer.getvalue())
    return image, (top, left)


def shape(height: int, width: int, rng: np.random.Generator) -> Mask:
    """An ellipse, a rectangle or a polygon of 0.2% to 12% of the picture."""
    mask = np.zeros((height, width), np.uint8)
    side = np.sqrt(np.exp(rng.uniform(np.log(0.002), np.log(0.12))) * mask.size)
    x, y = rng.uniform(0.1, 0.9, 2) * (width, height)
    stretch = np.exp(rng.normal(0, 0.5))
    wide, high = side * stretch / 2, side / stretch / 2
    kind = rng.integers(3)
    if kind == 0:
        axes = (max(2, round(1.1 * wide)), max(2, round(1.1 * high)))
        cv2.ellipse(mask, (round(x), round(y)), axes, rng.uniform(0, 180), 0, 360, 1, -1)
    elif kind == 1:
        cv2.rectangle(mask, (round(x - wide), round(y - high)), (round(x + wide), round(y + high)), 1, -1)
    else:
        angles, radii = np.sort(rng.uniform(0, 2 * np.pi, 9)), rng.uniform(0.6, 1.5, 9)
        corners = np.stack([x + wide * radii * np.cos(angles), y + high * radii * np.sin(angles)], 1)
        cv2.fillPoly(mask, [corners.astype(np.int32)], 1)
    return mask > 0


def segment(pixels: NDArray[np.uint8], rng: np.random.Generator) -> Mask | None:
    """A part of the picture that hangs together: Felzenszwalb and Huttenlocher's segments of a reduced copy."""
    height, width = pixels.shape[:2]
    scale = 320 / max(height, width)
    labels = felzenszwalb(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), 150, 0.8, 40)
    shares = np.bincount(labels.ravel()) / labels.size
    chosen = np.flatnonzero((shares > 0.003) & (shares < 0.2))
    if not len(chosen):
        return None
    mask = cv2.resize((labels == rng.choice(chosen)).astype(np.float32), (width, height)) > 0.5
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return np.asarray(parts == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())) if len(stats) > 1 else None


def text(source: Source, offset: tuple[int, int], size: tuple[int, int], rng: np.random.Generator) -> Mask | None:
    """A text line or a piece of one, of the receipts that come with boxes."""
    boxes = source.path.parent.parent / "sroie_boxes" / f"{source.path.stem}.csv"
    if not boxes.exists():
        return None
    rows = [row.split(",")[:8] for row in boxes.read_text(errors="replace").splitlines() if row.count(",") >= 8]
    corners = np.array(rows, int).reshape(-1, 4, 2) - np.array(offset)[::-1]
    low, high = corners.min(1), corners.max(1)
    inside = (low >= 8).all(1) & (high[:, 0] < size[1] - 8) & (high[:, 1] < size[0] - 8)
    if not inside.any():
        return None
    at = rng.choice(np.flatnonzero(inside))
    (x0, y0), (x1, y1) = low[at], high[at]
    if rng.random() < 0.7:
        x0 += int((x1 - x0) * rng.uniform(0, 0.8))
        x1 = min(x1, x0 + int(rng.uniform(1, 5) * (y1 - y0)))
    mask = np.zeros(size, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def regions(
    source: Source, image: EvidenceImage, offset: tuple[int, int], rng: np.random.Generator
) -> Iterator[tuple[str, Mask]]:
    """Authentic regions of each kind, two of each where there are any."""
    size = image.pixels.shape[:2]
    for _ in range(2):
        for kind, mask in (
            ("shape", shape(*size, rng)),
            ("segment", segment(image.pixels, rng)),
            ("text", text(source, offset, size, rng)),
        ):
            if mask is not None and mask.any():
                yield kind, mask


def line_boxes(source: Source) -> list[tuple[int, int, int, int]]:
    """Text lines of the receipts that come with boxes."""
    path = source.path.parent.parent / "sroie_boxes" / f"{source.path.stem}.csv"
    if not path.exists():
        return []
    rows = [row.split(",")[:8] for row in path.read_text(errors="replace").splitlines() if row.count(",") >= 8]
    corners = np.array(rows, int).reshape(-1, 4, 2)
    low, high = corners.min(1), corners.max(1)
    return [(int(a[0]), int(a[1]), int(b[0]), int(b[1])) for a, b in zip(low, high, strict=True)]


def lettering_strengths(sources: list[Source], each: int = 8) -> dict[tuple[str, str], list[float]]:
    """Strengths of the measurements of text, at runs of 1 to 8 characters drawn from authentic lines."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number, source in enumerate(sources):
        boxes = line_boxes(source)
        if not boxes:
            continue
        rng = np.random.default_rng(number)
        pixels = load(source.path).pixels
        luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
        lines = [line for box in boxes if (line := lettering_of(luma, box)) is not None and len(line.left) >= 4]
        for _ in range(each if lines else 0):
            line = lines[rng.integers(len(lines))]
            length = int(rng.integers(1, min(8, len(line.left) - 3) + 1))
            first = int(rng.integers(0, len(line.left) - length + 1))
            run = slice(first, first + length)
            mask = np.zeros(luma.shape, bool)
            rows = slice(int(line.top[run].min()), int(line.bottom[run].max()))
            mask[rows, int(line.left[first]) : int(line.right[run][-1])] = True
            for one in measure_lettering(luma, boxes, [mask], thresholds())[0]:
                found[one.name, "text"].append(one.strength)
    return found


def strengths(sources: list[Source]) -> tuple[dict[tuple[str, str], list[float]], dict[str, list[int]]]:
    """Strengths by measurement and kind; findings of each region by kind."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    together: dict[str, list[int]] = defaultdict(list)
    for number, source in enumerate(sources):
        rng = np.random.default_rng(number)
        try:
            ready = prepared(source, rng)
        except OmniError as error:
            logging.warning("left out: %s", error)
            continue
        if ready is None:
            continue
        for kind, mask in regions(source, *ready, rng):
            measured = measure_regions(ready[0], [mask])[0]
            together[kind].append(sum(m.is_finding for m in measured))
            for one in measured:
                found[one.name, kind].append(one.strength)
        if number % 20 == 0:
            logging.info("%d of %d", number, len(sources))
    return found, together


def main() -> None:
    """Print the table; with --write, set the thresholds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("splits", nargs="+", choices=["train", "validation", "test"])
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--lettering", action="store_true", help="the measurements of text alone")
    parser.add_argument("--write", action="store_true", help="set the thresholds of the package")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.write and options.splits != ["train"]:
        parser.error("thresholds are set on the split train alone")
    sources = pictures(options.splits, options.pictures)
    together: dict[str, list[int]] = {}
    if options.lettering:
        found, measures = lettering_strengths(sources), TEXT_MEASURES
    else:
        (found, together), measures = strengths(sources), MEASURES
    limits = dict(thresholds())
    aim = LETTERING_AIM if options.lettering else AIM
    if options.write:
        for measure in measures:
            of_kinds = [np.quantile(found[measure.name, kind], 1 - aim) for kind in KINDS if found[measure.name, kind]]
            limits[measure.name] = round(float(max([1.0, *of_kinds])) + 0.005, 2)
        text_ = json.dumps(limits, indent=2)
        (Path(omni_iml.evidence.__file__).with_name("thresholds.json")).write_text(text_ + "\n", encoding="utf-8")
    print("| measurement | threshold | " + " | ".join(f"{kind}: above | of" for kind in KINDS) + " |")
    print("|---|---|" + "---|---|" * len(KINDS))
    for measure in measures:
        cells = []
        for kind in KINDS:
            values = np.array(found[measure.name, kind])
            share = f"{(values > limits[measure.name]).mean():.1%}" if len(values) else ""
            cells.append(f"{share} | {len(values)}")
        print(f"| `{measure.name}` | {limits[measure.name]:.2f} | " + " | ".join(cells) + " |")
    if not options.write:
        for kind in together:
            counts = np.array(together[kind])
            print(
                f"{kind}: {(counts > 0).mean():.1%} of {len(counts)} regions with a finding, {counts.mean():.2f} each"
            )


if __name__ == "__main__":
    main()
