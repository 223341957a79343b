"""Contact sheets of synthesis: what every operation makes, to be judged by eye.

    python scripts/contact_sheets.py docs/images/synthesis

draws from pictures that may be shown: samples of scikit-image and scikit-learn (in the public domain, CC0 and CC BY),
the example pictures, rendered pages. ``--source FOLDER`` (source/<domain>/<set>/) draws from others. A row is a sample,
its columns are the picture as the editor opened it, the tampered one, the mask, and the difference four times enlarged.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.data.sources import DOMAINS
from omni_iml.data.synthesis import Engine, SynthesisConfig
from omni_iml.data.synthesis.engine import RENDERED, Composite
from omni_iml.data.synthesis.operations import catalogue
from omni_iml.data.tile_cache import TilePool, build_cache

ROWS, CELL, GAP = 3, 224, 4
TRIES = 60
EXAMPLES = Path(__file__).parents[1] / "examples"


def shown_sources(root: Path) -> Path:
    """A data root of the few pictures that may stand in this repository."""
    import skimage.data
    import sklearn.datasets

    photographs = Path(skimage.data.__file__).parent
    slides = Path(sklearn.datasets.__file__).parent / "images"
    chosen = {
        "natural": [photographs / name for name in ("coffee.png", "chelsea.png", "rocket.jpg")],
        "document": [EXAMPLES / "letter.jpg", photographs / "page.png"],
        "face": [photographs / "astronaut.png", EXAMPLES / "portrait.jpg"],
        "scene_text": [EXAMPLES / "doorplate.jpg", photographs / "rocket.jpg", photographs / "motorcycle_left.png"],
    }
    chosen["natural"] += [slides / "china.jpg", slides / "flower.jpg", EXAMPLES / "mountains.jpg"]
    for domain, paths in chosen.items():
        folder = root / "source" / domain / "shown"
        folder.mkdir(parents=True)
        for path in paths:
            shutil.copy(path, folder)
    return root


def cell(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture fitted into a square cell, white beside it."""
    scale = CELL / max(pixels.shape[:2])
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    out = np.full((CELL, CELL, 3), 255, np.uint8)
    out[: small.shape[0], : small.shape[1]] = small
    return out


def row(composite: Composite) -> NDArray[np.uint8]:
    """Source, tampered, mask, difference."""
    before, after, mask = composite.scene.pixels, composite.edit.pixels, composite.edit.mask
    difference = np.clip(4 * np.abs(after.astype(np.int16) - before), 0, 255).astype(np.uint8)
    cells = [before, after, np.repeat(mask[..., None] * np.uint8(255), 3, 2), difference]
    gap = np.full((CELL, GAP, 3), 128, np.uint8)
    return np.hstack([part for pixels in cells for part in (cell(pixels), gap)][:-1])


def sheet(pool: TilePool, domain: str, operation: str, size: int, seed: int) -> NDArray[np.uint8] | None:
    """`ROWS` samples of an operation, of as many sources as can be; none where these sources have nothing for it."""
    config = SynthesisConfig(size=size, domains={domain: 1.0}, operations={operation: 1.0}, authentic=0.0, rescale=0.0)
    draw = Engine(pool, None, config, seed)
    made = (composite for composite in map(draw.composite, range(TRIES)) if composite.operation == operation)
    seen: set[str] = set()
    rows, others = [], []
    for composite in made:
        again = composite.identity in seen and composite.identity != RENDERED
        (others if again else rows).append(row(composite))
        seen.add(composite.identity)
        if len(rows) == ROWS:
            break
    rows = [*rows, *others][:ROWS]
    rows = [part for one in rows for part in (one, np.full((GAP, 4 * CELL + 3 * GAP, 3), 128, np.uint8))]
    return np.vstack(rows[:-1]) if rows else None


def main() -> None:
    """Write a sheet an operation."""
    parser = argparse.ArgumentParser(description="Contact sheets of synthesis.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path, help="a folder with source/<domain>/<set>/")
    parser.add_argument("--operation", nargs="*", help="only these")
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        root = options.source or shown_sources(Path(folder) / "root")
        pool = build_cache(root, Path(folder) / "tiles")
        for domain in DOMAINS:
            for place, operation in enumerate(catalogue(SynthesisConfig().area)[domain]):
                if options.operation and operation not in options.operation:
                    continue
                made = sheet(pool, domain, operation, options.size, options.seed + place)
                if made is None:
                    print(f"{domain} {operation}: these sources have nothing for it")
                    continue
                path = options.out / f"{domain}-{operation}.jpg"
                Image.fromarray(made).save(path, quality=72, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
