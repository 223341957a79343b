"""Authentic pictures and regions in them, for `evidence_rates.py`: nothing in them was edited."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.segmentation import felzenszwalb

from omni_iml.data.sources import DOMAINS, Source, data_root, find
from omni_iml.evidence.lettering import lettering_of
from omni_iml.explain.instances import masks_of
from omni_iml.inference.detector import Detector
from omni_iml.io import load
from omni_iml.types import EvidenceImage

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


def line_boxes(source: Source) -> NDArray[np.int64]:
    """Boxes of the text lines, ``(N, 4)``, of the receipts that come with them."""
    path = source.path.parent.parent / "sroie_boxes" / f"{source.path.stem}.csv"
    if not path.exists():
        return np.zeros((0, 4), np.int64)
    rows = [row.split(",")[:8] for row in path.read_text(errors="replace").splitlines() if row.count(",") >= 8]
    corners = np.array(rows, np.int64).reshape(-1, 4, 2)
    return np.concatenate([corners.min(1), corners.max(1)], 1)


def text(source: Source, offset: tuple[int, int], size: tuple[int, int], rng: np.random.Generator) -> Mask | None:
    """A text line or a piece of one, of the receipts that come with boxes."""
    boxes = line_boxes(source) - np.tile(np.array(offset)[::-1], 2)
    inside = (boxes[:, :2] >= 8).all(1) & (boxes[:, 2] < size[1] - 8) & (boxes[:, 3] < size[0] - 8)
    if not inside.any():
        return None
    x0, y0, x1, y1 = boxes[rng.choice(np.flatnonzero(inside))]
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


def marked(image: EvidenceImage, detector: Detector) -> Sequence[Mask]:
    """The regions that the model reports in an authentic picture, in stored orientation: all of them are false."""
    found = detector.detect(image)
    return masks_of(np.asarray(found.mask > 0), found.regions).stored(image.orientation)


def runs(source: Source, luma: NDArray[np.float32], rng: np.random.Generator, each: int = 8) -> Iterator[Mask]:
    """Runs of 1 to 8 characters of authentic lines."""
    boxes = [(x0, y0, x1, y1) for x0, y0, x1, y1 in line_boxes(source).tolist()]
    lines = [line for box in boxes if (line := lettering_of(luma, box)) is not None and len(line.left) >= 4]
    for _ in range(each if lines else 0):
        line = lines[rng.integers(len(lines))]
        length = int(rng.integers(1, min(8, len(line.left) - 3) + 1))
        first = int(rng.integers(0, len(line.left) - length + 1))
        run = slice(first, first + length)
        mask = np.zeros(luma.shape, bool)
        rows = slice(int(line.top[run].min()), int(line.bottom[run].max()))
        mask[rows, int(line.left[first]) : int(line.right[run][-1])] = True
        yield mask
