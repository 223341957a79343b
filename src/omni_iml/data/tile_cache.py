"""Tiles of source pictures: cut once, kept as pixels.

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
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from omni_iml.data.finding import faces_through, find_faces, find_scene_text, find_words
from omni_iml.data.framing import draw_start
from omni_iml.data.sources import DOMAINS, PLAIN_SUFFIXES, SUFFIXES, Domain, Source, Split, domain_of, find
from omni_iml.data.words import WordBox, boxes_file, from_plain, read_words, seen_through
from omni_iml.io.parts import load_parts
from omni_iml.types import Box, EvidenceImage, UnreadableImage

log = logging.getLogger(__name__)

SMALLEST = 64
"""Pictures with a shorter side, in pixels, are not cut into tiles."""

# What the cache's bytes depend on beside the sources: raised when this module cuts or writes otherwise.
_CACHE_FORMAT = 8
_FINDERS = {"scene_text": find_scene_text, "document": find_words}
_INDEX = "pool.json"
_ABANDONED_SECONDS = 600


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
        words: known word boxes in the tile's own coordinates, cut off at its left and right; in scenes and documents
            that none are known of, the lines and words that were found.
        faces: faces that were found ``(x0, y0, x1, y1)``, pixels, in the tile's own coordinates.
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
        return domain_of(self.origin)


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
                "omni_iml.data.tile_cache.build_cache makes one from Python."
            )
        content = json.loads(index.read_text(encoding="utf-8"))
        self.folder = folder
        self.key: str = content["key"]
        self.entries = [
            TileEntry(
                **{
                    **row,
                    "words": tuple(from_plain(word) for word in row["words"]),
                    "faces": tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in row["faces"]),
                }
            )
            for row in content["tiles"]
        ]
        self._pixels: NDArray[np.uint8] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # A started worker process maps the file itself; a pickled memory map would carry all of its bytes.
        return {**vars(self), "_pixels": None}

    def select(self, split: Split | None) -> dict[Domain, list[TileEntry]]:
        """Tiles of one split, or of all, by domain."""
        chosen: dict[Domain, list[TileEntry]] = {domain: [] for domain in DOMAINS}
        for entry in self.entries:
            if split in (None, entry.split):
                chosen[entry.domain].append(entry)
        return chosen

    def pixels(self, entry: TileEntry) -> NDArray[np.uint8]:
        """uint8 ``(height, width, 3)`` view of a tile; copy before writing."""
        if self._pixels is None:  # opened late, so that each worker process maps the file itself
            self._pixels = np.memmap(self.folder / _pixel_file(self.key), np.uint8, mode="r")
        size = entry.height * entry.width * 3
        flat = self._pixels[entry.offset : entry.offset + size]
        return flat.reshape(entry.height, entry.width, 3)  # (height, width, 3)


def build_cache(
    root: Path,
    folder: Path,
    *,
    side: int = 640,
    per_source: int = 3,
    domain: Domain | None = None,
    sources: Sequence[Source] | None = None,
) -> TilePool:
    """Decode every source once and keep up to ``per_source`` tiles of at most ``side`` pixels a side.

    A source that cannot be read is named in the log and skipped. An existing cache of the same, unchanged sources is
    kept. The index is written last and in one step, and it names its own pixel file: a build that was stopped, at
    whatever moment, leaves the former cache or none.

    Args:
        root: the folder that holds ``source/<domain>/<set>/``, or any folder of pictures and PDF documents.
        folder: where the cache is or shall be.
        side: largest side of a tile in pixels.
        per_source: tiles cut from a source that is larger than a tile.
        domain: of the pictures of a folder of the second kind; None for the first kind.
        sources: what to cut, where it is not all that `find` finds there.

    Returns:
        The pool over the cache.

    Raises:
        FileNotFoundError: there is no picture under ``root``.
    """
    if sources is None:
        sources = find(root, domain)
    if not sources:
        kinds = ", ".join(sorted(PLAIN_SUFFIXES if domain else SUFFIXES))
        place = "in it" if domain else "in source/<domain>/<set>/ there"
        more = "" if domain else f", the domains being {', '.join(DOMAINS)}, or name the domain of a plain folder"
        raise FileNotFoundError(f"{root}: no {kinds} file {place}; put pictures there{more}.")
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
        words = read_words(boxes_file(source.path))
        for picture in _pictures(source.path):
            height, width = picture.pixels.shape[:2]
            if min(height, width) < SMALLEST:
                log.warning("%s: is too small to be edited (%dx%d pixels); it is skipped.", source.path, width, height)
                continue
            faces = find_faces(picture.pixels) if source.domain == "face" else ()
            windows = tile_windows(height, width, side, per_source, source.identity + picture.part, faces)
            for y, x, tall, wide in windows:
                offset = out.tell()
                tile = np.ascontiguousarray(picture.pixels[y : y + tall, x : x + wide])
                out.write(tile.tobytes())
                shown = seen_through(words, y, x, tall, wide), faces_through(faces, y, x, tall, wide)
                if source.domain in _FINDERS and not words:
                    shown = _FINDERS[source.domain](tile), shown[1]
                yield TileEntry(offset, tall, wide, source.origin, source.identity, source.split, *shown)


def _pictures(path: Path) -> Iterator[EvidenceImage]:
    """The whole pictures of a file, those pages of a document that can be read; what cannot is named in the log."""
    try:
        for part in load_parts(path):
            if isinstance(part, UnreadableImage):
                log.warning("%s", part)
            elif cut := cut_short(part):
                log.warning("%s: %s; it is skipped.", part.source, cut)
            else:
                yield part
    except UnreadableImage as error:
        log.warning("%s", error)


def cut_short(picture: EvidenceImage) -> str | None:
    """The warning that part of a picture is missing, or None: what libjpeg fills in is no authentic picture."""
    return next((warning for warning in picture.warnings if "cut short" in warning), None)


def tile_windows(
    height: int, width: int, side: int, count: int, identity: str, faces: Sequence[Box] = ()
) -> Iterator[tuple[int, int, int, int]]:
    """Windows that start on the 8 grid: the whole of a small picture, else random ones.

    Args:
        height: of the picture, pixels.
        width: of the picture, pixels.
        side: largest side of a window, pixels.
        count: windows of a picture that is larger than that.
        identity: seeds the choice.
        faces: each window shows one of them, if there are any.

    Yields:
        ``(y, x, height, width)`` of each window.
    """
    seed = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:4], "little")
    rng = np.random.default_rng(seed)
    tall, wide = min(height, side), min(width, side)
    if (tall, wide) == (height, width):
        count = 1
    for _ in range(count):
        x0, y0, x1, y1 = faces[int(rng.integers(len(faces)))] if faces else (0, 0, 0, 0)
        yield draw_start(rng, height, tall, y0, y1), draw_start(rng, width, wide, x0, x1), tall, wide
