"""C-T5 and C-T3 in small: the rows of the ablation, and joint against single-task training, with an equal budget each.

    OMNI_IML_DATA=DATA python scripts/ablation.py runs/ablation --samples 30000 --seeds 1 2

trains the bundled size on synthetic samples of the four domains (`recipes/bundled_scratch.yaml`), one run after the
other, and prints a Markdown table of the validation scores, mean and spread over the seeds. What a finished run scored
is kept in `benchmarks/results/ablation` and not measured again, so the same command goes on after a stop, on whatever
machine; `--print` only prints what is there. The budget is samples, not minutes: a busy machine
changes nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from omni_iml.data.sources import DOMAINS
from omni_iml.io.whole_file import write_whole
from omni_iml.training.recipe import Recipe, load_recipe
from omni_iml.training.train import train

ROOT = Path(__file__).parents[1]
BUNDLED, KEPT = ROOT / "recipes" / "bundled_scratch.yaml", ROOT / "benchmarks" / "results" / "ablation"
T5 = {
    "Omni-IML": "iclr2026",
    "Baseline": "baseline",
    "w.o. MG": "without-mg",
    "w.o. MG*": "without-mg-vision",
    "w.o. DWD": "without-dwd",
    "w.o. DW": "without-dw",
    "w.o. AE": "without-ae",
}


def runs(samples: int, overrides: list[str]) -> dict[str, Recipe]:
    """Name of each run -> its recipe: the rows of C-T5 on all domains, then the full network on one domain each."""

    def recipe(variant: str, *more: str) -> Recipe:
        # The detector trains: without it there would be no anomaly enhancement to leave out.
        common = ["loss.detection=1", "validation.every=1000000", *overrides, *more]
        made = load_recipe(BUNDLED, [f"model={{preset: bundled, variant: {variant}}}", *common])
        return replace(made, optim=replace(made.optim, steps=samples // made.optim.batch))

    rows = {name: recipe(variant) for name, variant in T5.items()}
    return rows | {f"{domain} alone": recipe("iclr2026", f"synthesis.domains={{{domain}: 1}}") for domain in DOMAINS}


def scores(recipe: Recipe, out: Path, cache: Path, workers: int, threads: int | None) -> dict[str, float]:
    """Train, and what the last validation says."""
    with redirect_stdout(sys.stderr):  # where the progress bar belongs
        train(recipe, out, workers=workers, threads=threads, cache=cache)
    found: dict[str, float] = json.loads((out / "validation.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    return found


def keep(measured: dict[str, float], path: Path) -> None:
    """Write a run's scores."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda file: file.write(json.dumps(measured).encode()))


def cell(values: list[float]) -> str:
    """Mean and, of several seeds, half the range."""
    if not values:
        return ""
    spread = f" ± {(max(values) - min(values)) / 2:.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def main() -> None:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(description="C-T5 and C-T3 in small.")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--samples", type=int, default=30_000, help="of each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="*", help="names of runs")
    parser.add_argument("--print", action="store_true", dest="only_print", help="train nothing")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, help="of torch on the CPU")
    parser.add_argument("--cache", type=Path, help="tile cache; OUT/tiles without it")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="section.key=value, for all runs")
    options = parser.parse_args()
    columns = ["iou", *(f"iou_{domain}" for domain in DOMAINS)]
    lines = [f"| run | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, recipe in runs(options.samples, options.overrides).items():
        if options.only and name not in options.only:
            continue
        folder = name.lower().replace(" ", "-").replace("*", "-vision").replace(".", "")
        found = []
        for seed in options.seeds:
            kept = KEPT / str(options.samples) / f"{folder}-{seed}.json"
            if not kept.is_file() and not options.only_print:
                cache = options.cache or options.out / "tiles"
                seeded, run = replace(recipe, seed=seed), options.out / f"{folder}-{seed}"
                keep(scores(seeded, run, cache, options.workers, options.threads), kept)
            if kept.is_file():
                found.append(json.loads(kept.read_text(encoding="utf-8")))
        cells = (cell([one[column] for one in found if column in one]) for column in columns)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
