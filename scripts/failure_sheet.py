"""What the bundled model fails at, to be seen: the card's picture of known failures.

    python scripts/failure_sheet.py docs/images/failures.jpg

draws synthetic edits of pictures that may be shown (see `contact_sheets.shown_sources`), and keeps of every domain the
two tampered ones with the worst IoU and the authentic one of which it marks most. A row is a picture, its true mask and
the model's heat map; nothing is chosen by hand. What was drawn is printed.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path

import numpy as np
from contact_sheets import CELL, GAP, cell, shown_sources
from numpy.typing import NDArray
from PIL import Image

from omni_iml.data.sources import DOMAINS
from omni_iml.data.synthesis import Engine, SynthesisConfig
from omni_iml.data.synthesis.forgery import Forgery
from omni_iml.data.tile_cache import build_cache
from omni_iml.inference.detector import Detector
from omni_iml.metrics import count_pixels, iou

TAMPERED, AUTHENTIC = 2, 1


def row(forgery: Forgery, probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Picture, true mask, heat map side by side."""
    maps = [forgery.mask * np.uint8(255), np.rint(probability * 255).astype(np.uint8)]
    cells = [cell(pixels) for pixels in (forgery.pixels, *(np.repeat(m[..., None], 3, 2) for m in maps))]
    gap = np.full((CELL, GAP, 3), 128, np.uint8)
    return np.hstack([cells[0], gap, cells[1], gap, cells[2]])


def main() -> None:
    """Write the sheet: two columns of domains."""
    parser = argparse.ArgumentParser(description="The worst of synthetic edits of pictures that may be shown.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, help="model file; the bundled one by default")
    parser.add_argument("--count", type=int, default=40, help="pictures drawn of each domain")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    detector, rows = Detector(options.model), []
    with tempfile.TemporaryDirectory() as folder:
        pool = build_cache(shown_sources(Path(folder) / "root"), Path(folder) / "tiles")
        for domain in DOMAINS:
            draw = Engine(pool, None, SynthesisConfig(size=384, domains={domain: 1.0}, authentic=0.4), options.seed)
            tampered, authentic = [], []
            for index in range(options.count):
                forgery = draw.forgery(index)
                found = detector.detect(io.BytesIO(forgery.data()))
                if forgery.label == 1:
                    score = float(iou(count_pixels(found.mask, forgery.mask))[0])
                    tampered.append((score, index, forgery, found.probability))
                elif forgery.label == 0:
                    authentic.append((-float(found.mask.mean()), index, forgery, found.probability))
            for name, results, kept in (("IoU", tampered, TAMPERED), ("area", authentic, AUTHENTIC)):
                for score, _, forgery, probability in sorted(results, key=lambda r: r[:2])[:kept]:
                    history = forgery.recipe["history"]
                    before = [step.get("quality", step["step"]) for step in history["before"]]
                    way = f"{before or 'nothing'} before, {history['channel']} after, {forgery.suffix}"
                    print(f"{domain}: {forgery.operation}, {way}; {name} {abs(score):.2f}")
                    rows.append(row(forgery, probability))
    gap = np.full((GAP, rows[0].shape[1], 3), 128, np.uint8)
    half = len(rows) // 2
    columns = [np.vstack([part for one in side for part in (one, gap)][:-1]) for side in (rows[:half], rows[half:])]
    between = np.full((columns[0].shape[0], 4 * GAP, 3), 128, np.uint8)
    Image.fromarray(np.hstack([columns[0], between, columns[1]])).save(options.out, quality=70)


if __name__ == "__main__":
    main()
