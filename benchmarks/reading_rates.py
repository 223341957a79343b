"""Samples a second from plain files and from a sharded copy of them, and what reading one picture is made of.

    python benchmarks/reading_rates.py

Makes 600 JPEG pictures of 640x512 pixels with masks in a temporary folder. The file cache is warm for both, so what is
compared is opening and reading, not a disk.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from torch.utils.data import DataLoader

from omni_iml.data.augmentation import AugmentConfig
from omni_iml.data.collection import Collection, CollectionConfig, SetConfig, open_sets
from omni_iml.data.dataset import Samples, collate, single_thread
from omni_iml.data.readers import open_set
from omni_iml.data.readers.decoding import decode
from omni_iml.data.readers.shards import write_shards

COUNT, SIZE, WORKERS, ROUNDS = 600, 512, 2, 3


def made(root: Path) -> None:
    """Pictures with the detail of photographs, and masks."""
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for number in range(COUNT):
        coarse = cv2.resize(rng.uniform(0, 255, (40, 50, 3)).astype(np.float32), (640, 512))
        pixels = np.clip(coarse + rng.normal(0, 8, coarse.shape), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(root / "images" / f"{number:05d}.jpg", quality=90)
        mask = np.zeros((512, 640), np.uint8)
        mask[100:300, 100:400] = 255
        Image.fromarray(mask).save(root / "masks" / f"{number:05d}.png")


def rate(root: Path, reader: str) -> float:
    """Samples a second of a loader with `WORKERS` processes."""
    augment = AugmentConfig(mirror=0.5, compress={})
    config = CollectionConfig(sets={"x": SetConfig(str(root), reader=reader)}, augment=augment)
    draw = Collection(open_sets(config, root), config, SIZE, seed=1)
    loader = DataLoader(
        Samples(draw, COUNT), batch_size=8, num_workers=WORKERS, collate_fn=collate, worker_init_fn=single_thread
    )
    start = time.perf_counter()
    for _ in loader:
        pass
    return COUNT / (time.perf_counter() - start)


def milliseconds(work: Callable[[bytes], object], files: list[bytes]) -> float:
    """Median time of one call."""
    times = []
    for data in files:
        start = time.perf_counter()
        work(data)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        plain, copy = Path(folder) / "plain", Path(folder) / "copy"
        made(plain)
        start = time.perf_counter()
        list(write_shards(open_set("folder", plain), copy))
        print(f"write_shards: {COUNT / (time.perf_counter() - start):.0f} pictures a second, one process")
        rates: dict[str, list[float]] = {"folder": [], "shards": []}
        for _ in range(ROUNDS):  # one after the other, so that what else the machine does falls on both
            for reader, root in (("folder", plain), ("shards", copy)):
                rates[reader].append(rate(root, reader))
        for reader, values in rates.items():
            print(
                f"{reader}: {np.median(values):.1f} samples of {SIZE} a second ({min(values):.1f} to {max(values):.1f})"
            )
        files = [path.read_bytes() for path in sorted((plain / "images").iterdir())[:100]]
        both, alone = (
            milliseconds(lambda data, trace=trace: decode(data, "x", trace=trace), files) for trace in (True, False)
        )
        print(f"decode: {both:.1f} ms with coefficients, {alone:.1f} ms without")


if __name__ == "__main__":
    main()
