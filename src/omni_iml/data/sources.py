"""Authentic source pictures: found, split by identity, and cut once into cached pixel tiles.

A training crop must not decode a 12-megapixel photograph, so each source is decoded once and up to a few tiles of its
pixels are kept in one flat file that is read through a memory map. Tiles start on the 8-pixel grid, so that the traces
of the source's own JPEG history stay aligned in them.
"""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from omni_iml.io import load
from omni_iml.types import UnreadableImage

log = logging.getLogger(__name__)

Domain = Literal["natural", "document", "face", "scene_text"]
Split = Literal["train", "validation", "test"]
DOMAINS: tuple[Domain, ...] = ("natural", "document", "face", "scene_text")
SUFFIXES = {".jpg", ".jpeg", ".png"}

# Sets in which several files show one person or product: the trailing number is not part of the identity.
_NUMBERED = {"udacity_keypoints_ytf", "facemask_without_mask", "grocery_packages"}


@dataclass(frozen=True)
class Source:
    """One authentic picture on disk.

    Attributes:
        path: absolute path.
        origin: ``domain/set``, for example "natural/imagenet_samples".
        identity: what must not be shared between splits.
        split: by a hash of the identity: 6% validation, 6% test.
    """

    path: Path
    origin: str
    identity: str
    split: Split

    @property
    def domain(self) -> Domain:
        """The domain folder the picture lies in."""
        return self.origin.split("/")[0]  # type: ignore[return-value]


@dataclass(frozen=True)
class WordBox:
    """A word's box in a tile, pixels, half-open."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True)
class TileEntry:
    """Where one cached tile lies.

    Attributes:
        offset: first byte in the flat file.
        height: pixels.
        width: pixels.
        origin: as in `Source`.
        identity: as in `Source`.
        split: as in `Source`.
        words: known word boxes inside the tile.
    """

    offset: int
    height: int
    width: int
    origin: str
    identity: str
    split: Split
    words: tuple[WordBox, ...] = ()


def data_root() -> Path:
    """The folder that recipes find pictures under.

    Raises:
        FileNotFoundError: ``OMNI_IML_DATA`` is not set, or has no ``source`` folder.
    """
    value = os.environ.get("OMNI_IML_DATA")
    root = Path(value) if value else None
    if root is None or not (root / "source").is_dir():
        raise FileNotFoundError(
            f"OMNI_IML_DATA={value!r}: no folder 'source' of authentic pictures there; set OMNI_IML_DATA to the "
            "folder that holds source/<domain>/<set>/."
        )
    return root


def find(root: Path) -> list[Source]:
    """All pictures under ``root/source/<domain>/<set>/``, in a stable order."""
    found = []
    for domain in DOMAINS:
        for path in sorted((root / "source" / domain).glob("*/*")):
            if path.suffix.lower() in SUFFIXES:
                origin = f"{domain}/{path.parent.name}"
                identity = _identity(path)
                found.append(Source(path, origin, identity, _split(identity)))
    return found


def _identity(path: Path) -> str:
    stem = re.sub(r"[_-]?\d+$", "", path.stem) if path.parent.name in _NUMBERED else path.stem
    return f"{path.parent.name}/{stem or path.stem}"


def _split(identity: str) -> Split:
    bucket = hashlib.sha256(identity.encode()).digest()[0] % 16
    return "validation" if bucket == 0 else "test" if bucket == 1 else "train"


class TilePool:
    """Cached tiles, grouped by split and domain; the pixels stay on disk behind a memory map.

    Args:
        folder: a folder that `build_cache` wrote.

    Raises:
        FileNotFoundError: the folder holds no cache.
    """

    def __init__(self, folder: Path) -> None:
        index = folder / "index.json"
        if not index.is_file():
            raise FileNotFoundError(f"{folder}: no tile cache there; make one with `omni-iml data tiles`.")
        self.folder = folder
        self.entries = [
            TileEntry(**{**row, "words": tuple(WordBox(*w) for w in row["words"])})
            for row in json.loads(index.read_text())
        ]
        self._pixels: NDArray[np.uint8] | None = None

    def select(self, split: Split) -> dict[Domain, list[TileEntry]]:
        """Tiles of one split by domain."""
        chosen: dict[Domain, list[TileEntry]] = {domain: [] for domain in DOMAINS}
        for entry in self.entries:
            if entry.split == split:
                chosen[entry.origin.split("/")[0]].append(entry)  # type: ignore[index]
        return chosen

    def pixels(self, entry: TileEntry) -> NDArray[np.uint8]:
        """uint8 ``(height, width, 3)`` view of a tile; copy before writing."""
        if self._pixels is None:  # opened late, so that each worker process maps the file itself
            self._pixels = np.memmap(self.folder / "tiles.u8", np.uint8, mode="r")
        size = entry.height * entry.width * 3
        flat = self._pixels[entry.offset : entry.offset + size]
        return flat.reshape(entry.height, entry.width, 3)  # (height, width, 3)


def build_cache(root: Path, folder: Path, *, side: int = 640, per_source: int = 3) -> TilePool:
    """Decode every source once and keep up to ``per_source`` tiles of at most ``side`` pixels a side.

    A source that cannot be read is named in the log and skipped. An existing cache of the same sources is kept.

    Returns:
        The pool over the cache.
    """
    sources = find(root)
    state = [[str(s.path.relative_to(root)), s.path.stat().st_size] for s in sources]
    key = hashlib.sha256(json.dumps([side, per_source, state]).encode()).hexdigest()
    stamp = folder / "key.txt"
    if stamp.is_file() and stamp.read_text() == key:
        return TilePool(folder)
    folder.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    rows, offset = [], 0
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as out:
        for source in sources:
            try:
                image = load(source.path)
            except UnreadableImage as error:
                log.warning("%s", error)
                continue
            words = _words(source.path)
            for y, x, height, width in _tile_windows(*image.pixels.shape[:2], side, per_source, source.identity):
                out.write(np.ascontiguousarray(image.pixels[y : y + height, x : x + width]).tobytes())
                inside = [[a - x, b - y, c - x, d - y] for a, b, c, d in words]
                inside = [w for w in inside if w[0] >= 0 and w[1] >= 0 and w[2] <= width and w[3] <= height]
                rows.append(
                    {
                        "offset": offset,
                        "height": height,
                        "width": width,
                        "origin": source.origin,
                        "identity": source.identity,
                        "split": source.split,
                        "words": inside,
                    }
                )
                offset += height * width * 3
    Path(out.name).replace(folder / "tiles.u8")
    (folder / "index.json").write_text(json.dumps(rows))
    stamp.write_text(key)
    return TilePool(folder)


def _tile_windows(height: int, width: int, side: int, count: int, identity: str) -> Iterator[tuple[int, int, int, int]]:
    """Windows ``(y, x, height, width)`` that start on the 8 grid: the whole of a small picture, else random ones."""
    seed = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:4], "little")
    rng = np.random.default_rng(seed)
    tall, wide = min(height, side), min(width, side)
    if (tall, wide) == (height, width):
        count = 1
    for _ in range(count):
        y = int(rng.integers(0, (height - tall) // 8 + 1)) * 8
        x = int(rng.integers(0, (width - wide) // 8 + 1)) * 8
        yield y, x, tall, wide


def _words(path: Path) -> list[tuple[int, int, int, int]]:
    """Word boxes beside SROIE's receipts (``<set>_boxes/<stem>.csv``: eight corner numbers, then the text)."""
    boxes = path.parent.with_name(path.parent.name + "_boxes") / f"{path.stem}.csv"
    if not boxes.is_file():
        return []
    found = []
    with boxes.open(newline="", encoding="utf-8", errors="replace") as file:
        for row in csv.reader(file):
            try:
                corners = [int(value) for value in row[:8]]
            except ValueError:
                continue
            if len(corners) == 8:
                found.append((min(corners[::2]), min(corners[1::2]), max(corners[::2]), max(corners[1::2])))
    return found
