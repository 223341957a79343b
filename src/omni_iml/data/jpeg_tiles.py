"""Tiles of large JPEG sources as JPEG files of their own: coefficients copied, no source decoded twice again.

A source's tiles are named ``<stem>@<row>_<column>``, so that they stay with its identity and split.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from omni_iml.data.jpeg_crop import crop_jpeg, grid_of
from omni_iml.data.sources import Source
from omni_iml.data.tile_cache import cut_short, tile_windows
from omni_iml.data.words import WordBox, boxes_file, read_words, seen_through
from omni_iml.io import load
from omni_iml.io.segments import sanitise
from omni_iml.io.sniff import HEAD_BYTES, sniff
from omni_iml.io.whole_file import write_whole
from omni_iml.types import UnreadableImage

log = logging.getLogger(__name__)


def write_jpeg_tiles(sources: Sequence[Source], out: Path, *, side: int = 1024, per_source: int = 3) -> Iterator[Path]:
    """Cut every large JPEG source into tiles; copy small ones and other files as they are.

    A broken source is named in the log and skipped. One source is held in memory at a time. A tile that is there
    already is left as it is, so a build that was stopped goes on.

    Args:
        sources: what to cut.
        out: becomes a data root: the tiles lie in ``out/source/<domain>/<set>/``, word boxes beside their set.
        side: largest side of a tile in pixels.
        per_source: tiles cut from a source that is larger than a tile.

    Yields:
        The path of each tile, in the order of the sources.
    """
    for source in sources:
        folder = out / "source" / source.origin
        try:
            yield from _tiles_of(source, folder, side, per_source)
        except (UnreadableImage, OSError) as error:
            log.warning("%s", error)


def _tiles_of(source: Source, folder: Path, side: int, per_source: int) -> Iterator[Path]:
    data, name = source.path.read_bytes(), str(source.path)
    # Of a plain folder the identity is the path in it, subfolders and all: two files of one name stay two.
    plain = source.path.as_posix().endswith(f"/{source.identity}")
    own = Path(source.identity.replace("/", "__") if plain else source.path.name)
    words = read_words(boxes_file(source.path))
    if cut := cut_short(load(source.path)):  # what cannot be read is no source
        log.warning("%s: %s; it is skipped.", source.path, cut)
        return
    frame = sanitise(data, source=name).frame if sniff(data[:HEAD_BYTES]) == "JPEG" else None
    if frame is None or max(frame.height, frame.width) <= side:
        yield _put(folder / own, data, words)
        return
    grid, taken = grid_of(frame, source=name), set()
    for top, left, height, width in tile_windows(frame.height, frame.width, side, per_source, source.identity):
        y, x = top // grid * grid, left // grid * grid
        if (y, x) in taken:
            continue
        taken.add((y, x))
        path = folder / f"{own.stem}@{y}_{x}.jpg"
        if not path.is_file():
            tile = crop_jpeg(data, y, x, height, width, source=name)
            _put(path, tile, seen_through(words, y, x, height, width))
        yield path


def _put(path: Path, data: bytes, words: Sequence[WordBox]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if words:
        boxes = boxes_file(path)
        boxes.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{w.x0},{w.y0},{w.x1},{w.y0},{w.x1},{w.y1},{w.x0},{w.y1},{w.text}\n" for w in words]
        write_whole(boxes, lambda file: file.write("".join(lines).encode()))
    write_whole(path, lambda file: file.write(data))  # last: a tile that is there has its boxes
    return path
