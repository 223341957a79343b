"""C-T5 and C-T3 in small: the rows of the ablation, and joint against single-task training, with an equal budget each.

    OMNI_IML_DATA=DATA python scripts/ablation.py runs/ablation --samples 30000 --seeds 1 2

trains the bundled size on synthetic samples of the four domains (`recipes/bundled.yaml`), one run after the other, and
prints a Markdown table of the validation scores, mean and spread over the seeds. A run that is finished is not
repeated, so the same command goes on after a stop. The budget is samples, not minutes: a busy machine changes nothing.
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
from omni_iml.training.recipe import Recipe, load_recipe
from omni_iml.training.train import train

BUNDLED = Path(__file__).parents[1] / "recipes" / "bundled.yaml"
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


def scores(recipe: Recipe, out: Path, seed: int, workers: int) -> dict[str, float]:
    """The last validation of a run, which is trained first where it was not finished before."""
    done = out / "done.json"
    if not done.is_file():
        with redirect_stdout(sys.stderr):  # where the progress bar belongs
            train(replace(recipe, seed=seed), out, workers=workers, cache=out.parent / "tiles")
        lines = (out / "validation.jsonl").read_text(encoding="utf-8").splitlines()
        done.write_text(lines[-1], encoding="utf-8")
    found: dict[str, float] = json.loads(done.read_text(encoding="utf-8"))
    return found


def cell(values: list[float]) -> str:
    """Mean and, of several seeds, half the range."""
    if not values:
        return ""
    spread = f" ± {(max(values) - min(values)) / 2:.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def main() -> None:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(description="C-T5 and C-T3 in small.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--samples", type=int, default=30_000, help="of each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="*", help="names of runs")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="section.key=value, for all runs")
    options = parser.parse_args()
    columns = ["iou", *(f"iou_{domain}" for domain in DOMAINS)]
    lines = [f"| run | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, recipe in runs(options.samples, options.overrides).items():
        if options.only and name not in options.only:
            continue
        folder = name.lower().replace(" ", "-").replace("*", "-vision").replace(".", "")
        found = [scores(recipe, options.out / f"{folder}-{seed}", seed, options.workers) for seed in options.seeds]
        cells = (cell([one[column] for one in found if column in one]) for column in columns)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
