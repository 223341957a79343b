"""Samples a second that two cores make, operation by operation.

    OMNI_IML_DATA=... python benchmarks/synthesis_rates.py --tiles FOLDER

Processor time of one process on the training split of OMNI_IML_DATA, one thread. Two such processes share nothing but
the tile cache, so two cores make twice as many (``omni-iml synth --workers 2`` does). Nothing is asserted of times.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

import cv2

from omni_iml.data.sources import DOMAINS, data_root
from omni_iml.data.synthesis import Engine, SynthesisConfig
from omni_iml.data.synthesis.operations import catalogue
from omni_iml.data.tile_cache import TilePool, build_cache


def milliseconds(pool: TilePool, config: SynthesisConfig, count: int) -> float:
    """Mean processor time of a sample, after a warm-up of three."""
    draw = Engine(pool, "train", config, 0)
    for index in range(3):
        draw(index)
    start = time.process_time()
    for index in range(3, 3 + count):
        draw(index)
    return 1000 * (time.process_time() - start) / count


def main() -> None:
    """Print a row an operation, and the median."""
    parser = argparse.ArgumentParser(description="Samples a second that two cores make.")
    parser.add_argument("--tiles", type=Path, required=True, help="folder of the tile cache; made if need be")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--views", type=int, default=4, help="samples of one composite")
    parser.add_argument("--count", type=int, default=40, help="samples an operation")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pool, rates = build_cache(data_root(), options.tiles), {}
    print(f"| domain | operation | samples a second, {options.size} px, 1 view | {options.views} views |")
    print("| --- | --- | ---: | ---: |")
    for domain in DOMAINS:
        for name in catalogue(SynthesisConfig().area)[domain]:
            common = {"size": options.size, "domains": {domain: 1.0}, "operations": {name: 1.0}, "authentic": 0.0}
            single, several = (
                2000 / milliseconds(pool, SynthesisConfig(**common, views=views), options.count)
                for views in (1, options.views)
            )
            rates[domain, name] = single, several
            print(f"| {domain} | {name} | {single:.0f} | {several:.0f} |", flush=True)
    middle = [median(rate[place] for rate in rates.values()) for place in (0, 1)]
    print(f"| median | | {middle[0]:.0f} | {middle[1]:.0f} |")


if __name__ == "__main__":
    main()
