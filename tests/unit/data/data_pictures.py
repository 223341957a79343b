"""Generated pictures in the layout of a data root: what the fixtures of the data tests are made from."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from omni_iml.data.tile_cache import TilePool

SETS = {
    "natural/scenes": 1,
    "document/letters": 2,
    "document/receipts": 3,
    "face/portraits": 4,
    "face/faker_ai_portraits_cc0": 5,
    "scene_text/signs": 6,
}
"""The generated sets; the values seed their pictures."""

WANTED = {"train": 4, "validation": 2, "test": 2}
"""Pictures of each set in each split."""


def split_by_rule(identity: str) -> str:
    """The documented rule once more: the first byte of the identity's SHA-256, modulo 16."""
    return {0: "validation", 1: "test"}.get(hashlib.sha256(identity.encode()).digest()[0] % 16, "train")


def textured(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """A photograph's stand-in: smooth colour fields, an edge or two, grain."""
    field = cv2.resize(
        rng.uniform(30, 225, (6, 6, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    cv2.circle(field, (width // 3, height // 2), height // 5, tuple(rng.uniform(0, 255, 3)), -1)
    cv2.line(field, (0, height // 4), (width, height // 2), tuple(rng.uniform(0, 255, 3)), 5)
    return np.clip(field + rng.normal(0, 6, (height, width, 1)), 0, 255).astype(np.uint8)


def written(
    rng: np.random.Generator, paper: NDArray[np.uint8], step: int = 30
) -> tuple[NDArray[np.uint8], list[tuple[int, int, int, int]]]:
    """Words on a paper, and their boxes (x0, y0, x1, y1)."""
    image, boxes = Image.fromarray(paper), []
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(18)
    for y in range(8, image.height - step, step):
        x = 8
        while x < image.width - 90:
            word = "".join(chr(int(c)) for c in rng.integers(65, 91, int(rng.integers(3, 7))))
            draw.text((x, y), word, (20, 20, 40), font)
            boxes.append(tuple(round(v) for v in draw.textbbox((x, y), word, font)))
            x = boxes[-1][2] + 12
    return np.asarray(image), boxes


def picture(rng: np.random.Generator, domain: str) -> tuple[NDArray[np.uint8], list[tuple[int, int, int, int]]]:
    """A picture of a domain, 152 to 208 pixels a side, and its word boxes."""
    height, width = (int(v) for v in rng.integers(19, 26, 2) * 8 + rng.integers(0, 8, 2))
    if domain == "document":
        return written(rng, np.full((height, width, 3), rng.integers(225, 256), np.uint8))
    if domain == "scene_text":
        return written(rng, np.maximum(textured(rng, height, width), 90), 44)
    return textured(rng, height, width), []


def write_boxes(path: Path, boxes: list[tuple[int, int, int, int]]) -> None:
    """SROIE's form: four corners, clockwise from the top left, and the text."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([a, b, c, b, c, d, a, d, "TOTAL"] for a, b, c, d in boxes)


def only(pool: TilePool, *origins: str) -> TilePool:
    """A pool of the tiles of some origins alone."""
    part = TilePool(pool.folder)
    part.entries = [entry for entry in part.entries if entry.origin in origins]
    return part
