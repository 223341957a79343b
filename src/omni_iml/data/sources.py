"""Authentic source pictures: found, split by identity, and cut once into cached pixel tiles.

A training crop must not decode a 12-megapixel photograph, so each source is decoded once and up to a few tiles of its
pixels are kept in one flat file that is read through a memory map. Tiles start on the 8-pixel grid, so that the traces
of the source's own JPEG history stay aligned in them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
from numpy.typing import NDArray

from omni_iml.data.words import WordBox, boxes_file, read_words, seen_through
from omni_iml.io import load
from omni_iml.types import Box, UnreadableImage

log = logging.getLogger(__name__)

Domain = Literal["natural", "document", "face", "scene_text"]
Split = Literal["train", "validation", "test"]
DOMAINS: tuple[Domain, ...] = ("natural", "document", "face", "scene_text")
SUFFIXES = {".jpg", ".jpeg", ".png"}

# Sets in which several files show one person or product. The trailing number is not part of a series' name, and of the
# name of the person or product these prefixes are no part either.
_PREFIX = {
    "udacity_keypoints_ytf": "",
    "facemask_without_mask": r"^\d_\d_",
    "grocery_packages": r"^.*__",
}

# Rotated copies of other pictures of their collection, one of which is in devbench: they teach nothing and would leak.
_LEFT_OUT = "augmented_image_"

# What the cache's bytes depend on beside the sources: raised when this module cuts or writes otherwise.
_CACHE_FORMAT = 4
_INDEX = "pool.json"
_ABANDONED_SECONDS = 600


@dataclass(frozen=True)
class Source:
    """One authentic picture on disk.

    Attributes:
        path: absolute path.
        origin: ``domain/set``, for example "natural/imagenet_samples".
        identity: the person, product or picture; it is in one split only.
        split: about 5% of the identities are for validation, 4% for test.
    """

    path: Path
    origin: str
    identity: str
    split: Split

    @property
    def domain(self) -> Domain:
        """The domain folder the picture lies in."""
        return _domain(self.origin)


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
        words: known word boxes in the tile's own coordinates, cut off at its left and right.
        faces: known faces ``(x0, y0, x1, y1)``, pixels, in the tile's own coordinates.
    """

    offset: int
    height: int
    width: int
    origin: str
    identity: str
    split: Split
    words: tuple[WordBox, ...] = ()
    faces: tuple[Box, ...] = ()

    @property
    def domain(self) -> Domain:
        """The domain of the source."""
        return _domain(self.origin)


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
    """All pictures under ``root/source/<domain>/<set>/``, in an order that depends on their names alone."""
    paths = [
        (domain, path)
        for domain in DOMAINS
        # By the path's parts: Windows would otherwise sort regardless of case.
        for path in sorted((root.absolute() / "source" / domain).glob("*/*"), key=lambda p: p.parts)
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(_LEFT_OUT)
    ]
    series: dict[str, set[str]] = {}
    for _, path in paths:
        series.setdefault(_identity(path), set()).add(_series(path))
    splits = {identity: _split(members) for identity, members in series.items()}
    return [
        Source(path, f"{domain}/{path.parent.name}", _identity(path), splits[_identity(path)]) for domain, path in paths
    ]


def _domain(origin: str) -> Domain:
    return cast(Domain, origin.partition("/")[0])


def _series(path: Path) -> str:
    stem = re.sub(r"[_-]?\d+$", "", path.stem) if path.parent.name in _PREFIX else path.stem
    return f"{path.parent.name}/{stem or path.stem}"


def _identity(path: Path) -> str:
    folder, _, series = _series(path).partition("/")
    return f"{folder}/{re.sub(_PREFIX.get(folder, ''), '', series)}"


def _split(series: set[str]) -> Split:
    """The split that all series of an identity hash to, else train.

    Going by the series keeps pictures that earlier weights were trained on out of validation and test.
    """
    buckets = {hashlib.sha256(name.encode()).digest()[0] % 16 for name in series}
    return "validation" if buckets == {0} else "test" if buckets == {1} else "train"


class TilePool:
    """Cached tiles, grouped by split and domain; the pixels stay on disk behind a memory map.

    Args:
        folder: a folder that `build_cache` wrote.

    Raises:
        FileNotFoundError: the folder holds no cache.
    """

    def __init__(self, folder: Path) -> None:
        index = folder / _INDEX
        if not index.is_file():
            raise FileNotFoundError(
                f"{folder}: no tile cache there; `omni-iml train --cache {folder}` makes one before it trains, "
                "omni_iml.data.sources.build_cache makes one from Python."
            )
        content = json.loads(index.read_text(encoding="utf-8"))
        self.folder = folder
        self.key: str = content["key"]
        self.entries = [
            TileEntry(
                **{
                    **row,
                    "words": tuple(WordBox(**word) for word in row["words"]),
                    "faces": tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in row["faces"]),
                }
            )
            for row in content["tiles"]
        ]
        self._pixels: NDArray[np.uint8] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # A started worker process maps the file itself; a pickled memory map would carry all of its bytes.
        return {**vars(self), "_pixels": None}

    def select(self, split: Split) -> dict[Domain, list[TileEntry]]:
        """Tiles of one split by domain."""
        chosen: dict[Domain, list[TileEntry]] = {domain: [] for domain in DOMAINS}
        for entry in self.entries:
            if entry.split == split:
                chosen[entry.domain].append(entry)
        return chosen

    def pixels(self, entry: TileEntry) -> NDArray[np.uint8]:
        """uint8 ``(height, width, 3)`` view of a tile; copy before writing."""
        if self._pixels is None:  # opened late, so that each worker process maps the file itself
            self._pixels = np.memmap(self.folder / _pixel_file(self.key), np.uint8, mode="r")
        size = entry.height * entry.width * 3
        flat = self._pixels[entry.offset : entry.offset + size]
        return flat.reshape(entry.height, entry.width, 3)  # (height, width, 3)


def build_cache(root: Path, folder: Path, *, side: int = 640, per_source: int = 3) -> TilePool:
    """Decode every source once and keep up to ``per_source`` tiles of at most ``side`` pixels a side.

    A source that cannot be read is named in the log and skipped. An existing cache of the same, unchanged sources is
    kept. The index is written last and in one step, and it names its own pixel file: a build that was stopped, at
    whatever moment, leaves the former cache or none.

    Args:
        root: the folder that holds ``source/<domain>/<set>/``.
        folder: where the cache is or shall be.
        side: largest side of a tile in pixels.
        per_source: tiles cut from a source that is larger than a tile.

    Returns:
        The pool over the cache.

    Raises:
        FileNotFoundError: there is no picture under ``root``.
    """
    sources = find(root)
    if not sources:
        raise FileNotFoundError(
            f"{root}: no {', '.join(sorted(SUFFIXES))} file in source/<domain>/<set>/ there; "
            f"put pictures there, the domains being {', '.join(DOMAINS)}."
        )
    key = _state(sources, root.absolute(), side, per_source)
    index, pixels = folder / _INDEX, folder / _pixel_file(key)
    if index.is_file() and pixels.is_file():
        pool = TilePool(folder)
        if pool.key == key:
            return pool
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder, "tiles-*.part", older_than=_ABANDONED_SECONDS)
    # Two builders at once write files of their own, and the last one's rename counts: both hold the same bytes.
    part = folder / f"{pixels.name}.{os.getpid()}.part"
    try:
        with part.open("wb") as out:
            entries = list(_cut_all(sources, out, side, per_source))
        part.replace(pixels)
        part = folder / f"{index.name}.{os.getpid()}.part"
        part.write_text(json.dumps({"key": key, "tiles": [asdict(entry) for entry in entries]}), encoding="utf-8")
        part.replace(index)
    finally:
        part.unlink(missing_ok=True)
    _sweep(folder, "tiles-*.u8", keep=pixels)
    return TilePool(folder)


def _pixel_file(key: str) -> str:
    return f"tiles-{key[:16]}.u8"


def _state(sources: Sequence[Source], root: Path, side: int, per_source: int) -> str:
    """A hash of all that the cache is made from."""
    files = []
    for source in sources:
        for path in (source.path, boxes_file(source.path)):
            if path.is_file():
                status = path.stat()
                files.append([path.relative_to(root).as_posix(), status.st_size, status.st_mtime_ns])
    return hashlib.sha256(json.dumps([_CACHE_FORMAT, side, per_source, files]).encode()).hexdigest()


def _sweep(folder: Path, pattern: str, *, keep: Path | None = None, older_than: float = 0.0) -> None:
    """Remove what former builds left behind, but not what another process is writing or, on Windows, reading."""
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):
            if path != keep and time.time() - path.stat().st_mtime >= older_than:
                path.unlink()


def _cut_all(sources: Sequence[Source], out: BinaryIO, side: int, per_source: int) -> Iterator[TileEntry]:
    """Write every source's tiles into ``out``, and say where each one lies."""
    for source in sources:
        try:
            pixels = load(source.path).pixels
        except UnreadableImage as error:
            log.warning("%s", error)
            continue
        words = read_words(boxes_file(source.path))
        for y, x, height, width in _tile_windows(pixels.shape[0], pixels.shape[1], side, per_source, source.identity):
            offset = out.tell()
            out.write(np.ascontiguousarray(pixels[y : y + height, x : x + width]).tobytes())
            inside = seen_through(words, y, x, height, width)
            yield TileEntry(offset, height, width, source.origin, source.identity, source.split, inside)


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
