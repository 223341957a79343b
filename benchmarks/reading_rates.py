"""Samples a second from plain files and from a sharded copy of them, and what reading one picture is made of.

    python benchmarks/reading_rates.py

Also, what it would be worth to compute pixels from coefficients that are read once, instead of decoding the file twice.
Makes 600 JPEG pictures of 640x512 pixels with masks in a temporary folder. The file cache is warm for both, so what is
compared is opening and reading, not a disk.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import jpeglib
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import DataLoader

from omni_iml.data.augmentation import AugmentConfig
from omni_iml.data.collection import Collection, CollectionConfig, SetConfig, open_sets
from omni_iml.data.dataset import Samples, collate, single_thread
from omni_iml.data.readers import open_set
from omni_iml.data.readers.decoding import decode
from omni_iml.data.readers.shards import write_shards
from omni_iml.io.jpeg import trace_of_clean
from omni_iml.io.rasters import decode_jpeg
from omni_iml.io.segments import sanitise

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


def milliseconds(work: Callable[[int], object]) -> float:
    """Median processor time of one call, over 100 files by their number."""
    times = []
    for number in range(100):
        start = time.process_time()
        work(number)
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times))


BASIS = np.array(
    [[np.cos((2 * x + 1) * u * np.pi / 16) * (0.5 if u else 0.125**0.5) for x in range(8)] for u in range(8)],
    np.float32,
)
"""Of the DCT: row u is frequency u."""


def plane(coefficients: NDArray[np.int16], table: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """A colour plane from jpeglib's coefficients ``(rows, columns, 8, 8)``: the fastest way that NumPy has."""
    rows, columns = coefficients.shape[:2]
    blocks = (coefficients * table.astype(np.float32)).reshape(-1, 8) @ BASIS  # (rows * columns * 8, 8)
    blocks = blocks.reshape(-1, 8, 8).transpose(0, 2, 1).reshape(-1, 8) @ BASIS  # columns of pixels first
    pixels = blocks.reshape(rows, columns, 8, 8).transpose(0, 3, 1, 2).reshape(8 * rows, 8 * columns)
    return cv2.convertScaleAbs(np.maximum(pixels + 128, 0))


def from_coefficients(read: jpeglib.DCTJPEG) -> NDArray[np.uint8]:
    """RGB from coefficients that are in memory; chroma of half size is interpolated."""
    y, cb, cr = plane(read.Y, read.qt[0]), plane(read.Cb, read.qt[1]), plane(read.Cr, read.qt[1])
    cb, cr = (cv2.resize(chroma, y.shape[::-1], interpolation=cv2.INTER_LINEAR) for chroma in (cb, cr))
    return cv2.cvtColor(np.dstack([y, cr, cb]), cv2.COLOR_YCrCb2RGB)


def decoding(folder: Path) -> None:
    """Print what the two decodings of a file cost, and what computing the pixels instead of the second would."""
    paths = sorted(folder.iterdir())[:100]
    files = [path.read_bytes() for path in paths]
    clean = [sanitise(data) for data in files]
    both, alone = (milliseconds(lambda i, trace=trace: decode(files[i], "x", trace=trace)) for trace in (True, False))
    print(f"decode: {both:.1f} ms with coefficients, {alone:.1f} ms without")
    coefficients, pixels = (
        milliseconds(lambda i: trace_of_clean(clean[i])),
        milliseconds(lambda i: decode_jpeg(clean[i], source="x")),
    )
    print(f"coefficients of luma: {coefficients:.1f} ms; pixels: {pixels:.1f} ms")
    read = [jpeglib.read_dct(str(path)) for path in paths]
    for one in read:
        one.load()  # jpeglib reads at last here
    computed = milliseconds(lambda i: from_coefficients(read[i]))
    apart = [
        np.abs(from_coefficients(one).astype(int) - np.asarray(Image.open(io.BytesIO(data)))).max(2)
        for one, data in zip(read, files, strict=True)
    ]
    print(
        f"pixels computed from coefficients: {computed:.1f} ms, {np.mean([(a > 0).mean() for a in apart]):.0%} of them "
        f"differ, by at most {max(a.max() for a in apart)}"
    )


def main() -> None:
    """Print rates, then what decoding costs."""
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
        decoding(plain / "images")


if __name__ == "__main__":
    main()
