"""Sharded copies of data sets: a few large files in place of millions of small ones. Needs ``omni-iml[data]``.

The shards are LMDB databases. Training draws pictures in any order from seed and number alone, so it needs each by its
place, from any process, without reading its neighbours: archives that are read from front to back give that up.
"""

from __future__ import annotations

import io
import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.data.readers.decoding import decode
from omni_iml.data.readers.entry import AUTHENTIC, Entry
from omni_iml.data.readers.lmdb_file import LmdbValue
from omni_iml.data.readers.masks import PictureMask
from omni_iml.data.readers.reader import Labels, Part, Reader
from omni_iml.data.sources import Domain
from omni_iml.io.whole_file import write_whole
from omni_iml.types import UnreadableImage

log = logging.getLogger(__name__)

INDEX = "index.json"
_FORMAT = "omni-iml/shards/1"
SHARD_BYTES = 2**29


class Shards(Reader):
    """A sharded copy that `omni-iml data prepare` wrote; domain and pictures are those of the set that it is a copy of.

    Layout::

        index.json  00000/data.mdb  00001/data.mdb ...: image-%09d (the file's own bytes), mask-%09d (PNG)

    """

    name, title = "shards", "a sharded copy"
    part: ClassVar[Part] = "any"
    authentic: ClassVar[int | None] = None
    licence = "that of the set it is a copy of"
    homepage = ""

    def __init__(self, root: Path | str, labels: Labels = "all", domain: Domain | None = None) -> None:
        super().__init__(root, labels, domain)
        self.contents = self._read()
        self.domain = domain or self.contents["domain"]

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        number = 0
        for shard, rows in enumerate(self.contents["shards"]):
            folder = self.root / f"{shard:05d}"
            for key, label in rows:
                mask = PictureMask(LmdbValue(folder, f"mask-{number:09d}")) if label else AUTHENTIC
                yield Entry(key, LmdbValue(folder, f"image-{number:09d}"), mask, label)
                number += 1

    def _read(self) -> dict[str, Any]:
        path = self.place(INDEX)
        try:
            index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{path}: cannot be read ({error}); run omni-iml data prepare again.") from error
        if index.get("format") != _FORMAT:
            raise ValueError(f"{path}: is of the format {index.get('format')!r}; run omni-iml data prepare again.")
        return index


def write_shards(reader: Reader, out: Path, shard_bytes: int = SHARD_BYTES) -> Iterator[int]:
    """Copy a data set into shards; pictures that cannot be read are named in the log and left out.

    Args:
        reader: the set.
        out: folder to be made; what a stopped run left there is written anew.
        shard_bytes: size of a shard, which is held in memory once.

    Yields:
        How many pictures were looked at so far.

    Raises:
        ValueError: the folder holds a finished copy, or something else.
        ModuleNotFoundError: lmdb is not installed.
    """
    if (out / INDEX).exists():
        raise ValueError(f"{out}: holds a sharded copy already; name another folder, or remove it.")
    if out.exists() and any(not path.name.isdigit() for path in out.iterdir() if not path.name.startswith(".")):
        raise ValueError(f"{out}: holds files that omni-iml data prepare did not write; name another folder.")
    out.mkdir(parents=True, exist_ok=True)
    shards: list[list[tuple[str, int]]] = []
    values: dict[str, bytes] = {}
    rows: list[tuple[str, int]] = []
    number = held = 0
    for place, entry in enumerate(reader, 1):
        try:
            found = _values(entry, number)
        except UnreadableImage as error:
            log.warning("%s; it is left out.", str(error).rstrip("."))
        else:
            values |= found
            rows.append((entry.key, entry.label))
            number += 1
            held += sum(map(len, found.values()))
        if held >= shard_bytes:
            _write(out / f"{len(shards):05d}", values)
            shards.append(rows)
            values, rows, held = {}, [], 0
        yield place
    if rows:
        _write(out / f"{len(shards):05d}", values)
        shards.append(rows)
    index = {"format": _FORMAT, "of": reader.name, "domain": reader.domain, "shards": shards}
    write_whole(out / INDEX, lambda file: file.write(json.dumps(index).encode()))


def _values(entry: Entry, number: int) -> dict[str, bytes]:
    data = entry.data()
    picture = decode(data, str(entry.image))
    mask = entry.mask.read(*picture.pixels.shape[:2])
    values = {f"image-{number:09d}": data}
    return values | {f"mask-{number:09d}": _png(mask)} if entry.label else values


def _png(mask: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(mask * np.uint8(255)).convert("1").save(stream, "PNG")
    return stream.getvalue()


def _write(folder: Path, values: dict[str, bytes]) -> None:
    import lmdb

    temporary = folder.with_name(f".{uuid4().hex}")
    # Pages of 4 KiB, of which a value leaves the last half empty, and the tree above them.
    size = 2**24 + 2 * sum(len(value) + 2**13 for value in values.values())
    with lmdb.open(str(temporary), map_size=size) as database, database.begin(write=True) as write:
        for key, value in values.items():
            write.put(key.encode(), value)
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was stopped
    temporary.rename(folder)
