"""A folder of synthetic pictures: written by one process or several, gone on with after a stop, hashed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
from PIL import Image

from omni_iml.data.processes import end_with_parent
from omni_iml.data.sources import MADE_HERE, Split
from omni_iml.data.synthesis.config import SynthesisConfig
from omni_iml.data.synthesis.engine import Engine
from omni_iml.data.synthesis.forgery import Forgery
from omni_iml.data.tile_cache import TilePool
from omni_iml.io.whole_file import write_whole
from omni_iml.version import __version__

_BATCH = 16  # pictures of one task: a worker that is handed them in order makes each composite once


@dataclass(frozen=True)
class Order:
    """What a folder shall hold.

    Attributes:
        tiles: folder of the tile cache.
        split: which identities are drawn from; None for all.
        config: what is drawn how often.
        seed: of all pictures.
        count: pictures, numbered from 0.
    """

    tiles: Path
    split: Split | None
    config: SynthesisConfig
    seed: int
    count: int


@dataclass
class Written:
    """What came of an order.

    Attributes:
        pictures: written now or found from before.
        tampered: those of them that show tampered pixels.
        operations: pictures by what was done.
        dropped: edits that were tried and given up, by cause.
        digest: SHA-256 over the names and bytes of all pictures, masks and recipes, in order.
    """

    pictures: int = 0
    tampered: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    digest: str = ""


def write_folder(order: Order, out: Path, workers: int = 1) -> Iterator[int]:
    """Write ``images/``, ``masks/`` (PNG, 255 tampered, 0 not) and ``recipes/`` (JSON) of an order.

    A picture counts as done once its recipe is there, which is written last: after a stop, at whatever moment, the same
    order goes on where it was. `summary` tells afterwards what the folder holds.

    Args:
        order: what to write.
        out: the folder; it is made.
        workers: processes. The files are the same for any number.

    Yields:
        How many pictures are done so far.

    Raises:
        ValueError: the order cannot be drawn (see `Engine`), or the folder holds pictures of another order or of
            somebody else's.
    """
    draw = _opened(order)  # says at once what is wrong with the order
    _claim(order, draw.pool.key, out)
    missing = [number for number in range(order.count) if not _recipe(out, number).is_file()]
    done = order.count - len(missing)
    views = order.config.views
    batches: dict[int, list[int]] = {}
    for number in missing:
        batches.setdefault(number // (_BATCH * views), []).append(number)
    if workers <= 1 or len(batches) <= 1:
        cv2.setNumThreads(0)
        for batch in batches.values():
            for number in batch:
                _write(out, number, draw.forgery(number))
                done += 1
                yield done
        return
    context = get_context("spawn")  # works alike on every system, and never forks OpenCV's threads
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(order, out)) as pool:
        tasks = [pool.submit(_work, batch) for batch in batches.values()]
        try:
            for task in as_completed(tasks):
                done += task.result()
                yield done
        finally:
            pool.shutdown(cancel_futures=True)


def summary(out: Path, count: int) -> Written:
    """Count and hash the first ``count`` pictures of a folder that `write_folder` wrote."""
    written, digest = Written(), hashlib.sha256()
    for number in range(count):
        recipe_file = _recipe(out, number)
        data = recipe_file.read_bytes()
        recipe = json.loads(data)
        written.pictures += 1
        written.tampered += recipe["label"] == 1
        written.operations[recipe["operation"]] += 1
        written.dropped.update(cause for _, cause in recipe["dropped"])
        for path in (out / "images" / recipe["image"], out / "masks" / recipe["mask"]):
            digest.update(path.name.encode() + path.read_bytes())
        digest.update(data)
    written.digest = digest.hexdigest()
    return written


def _claim(order: Order, tiles: str, out: Path) -> None:
    """Write the order's settings into the folder, or see that they are those that it was begun with."""
    settings = {
        "version": __version__,
        "tiles": tiles,
        "split": order.split or "all",
        "seed": order.seed,
        "synthesis": json.loads(json.dumps(asdict(order.config))),
    }
    path = out / MADE_HERE
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
        if differing := sorted(key for key in settings if found.get(key) != settings[key]):
            raise ValueError(
                f"{out}: holds pictures made with other {', '.join(differing)}; name another folder, or remove it."
            )
        return
    folders = [out / name for name in ("images", "masks", "recipes")]
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out}: is a file; name a folder.")
    if taken := [folder for folder in folders if folder.exists() and not (folder.is_dir() and _is_empty(folder))]:
        raise ValueError(f"{taken[0]}: holds files that omni-iml synth did not make; name another folder.")
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda file: file.write(json.dumps(settings, indent=1).encode()))


def _is_empty(folder: Path) -> bool:
    return next(folder.iterdir(), None) is None


def _recipe(out: Path, number: int) -> Path:
    return out / "recipes" / f"{number:06d}.json"


def _write(out: Path, number: int, forgery: Forgery) -> None:
    stem, mask = f"{number:06d}", Image.fromarray(forgery.mask * 255)
    image = stem + forgery.suffix
    write_whole(out / "images" / image, lambda file: file.write(forgery.data()))
    write_whole(out / "masks" / f"{stem}.png", lambda file: mask.save(file, "PNG"))
    recipe: dict[str, Any] = {
        "image": image,
        "mask": f"{stem}.png",
        "label": forgery.label,
        "domain": forgery.domain,
        **forgery.recipe,
    }
    write_whole(_recipe(out, number), lambda file: file.write(json.dumps(recipe, indent=1).encode()))


_engine: Engine
_folder: Path


def _start(order: Order, out: Path) -> None:
    global _engine, _folder
    cv2.setNumThreads(0)  # the processes are the parallelism
    _engine, _folder = _opened(order), out
    end_with_parent()


def _opened(order: Order) -> Engine:
    return Engine(TilePool(order.tiles), order.split, order.config, order.seed)


def _work(numbers: list[int]) -> int:
    for number in numbers:
        _write(_folder, number, _engine.forgery(number))
    return len(numbers)
