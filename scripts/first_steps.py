"""Does training still do what it did? The first thousand steps of the bundled recipe against their log.

    export OMNI_IML_DATA=...
    omni-iml train recipes/bundled_scratch.yaml --out runs/first --set optim.steps=1000 --threads 1
    python scripts/first_steps.py runs/first                    # compare with docs/first-steps.csv
    python scripts/first_steps.py runs/first --write            # or write it, after a change that was meant

The loss of a single step says little, so what is compared are means over a hundred steps, which may differ by 5%.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

LOG = Path(__file__).parents[1] / "docs" / "first-steps.csv"
WINDOW, TOLERANCE, STEPS = 100, 0.05, 1000


def read_losses(path: Path) -> dict[int, float]:
    """Step -> loss, of a file with these two columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return {int(row["step"]): float(row["loss"]) for row in csv.DictReader(file) if row["loss"]}


def windows(losses: dict[int, float]) -> np.ndarray:
    """Mean losses of each hundred steps, ``(10,)``.

    Raises:
        ValueError: a hundred without a logged step.
    """
    groups = [[v for s, v in losses.items() if start <= s < start + WINDOW] for start in range(0, STEPS, WINDOW)]
    if not all(groups):
        raise ValueError(f"{len(losses)} logged steps do not cover the first {STEPS}; train for {STEPS} steps.")
    return np.array([np.mean(group) for group in groups])


def main() -> None:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(description="Compare the first thousand steps with their log.")
    parser.add_argument("run", type=Path, help="folder that omni-iml train wrote")
    parser.add_argument("--write", action="store_true", help="make this run the log")
    options = parser.parse_args()
    losses = read_losses(options.run / "metrics" / "metrics.csv")
    now = windows(losses)
    if options.write:
        rows = [f"{step},{loss:.6f}" for step, loss in sorted(losses.items()) if step < STEPS]
        LOG.write_text("\n".join(["step,loss", *rows]) + "\n", encoding="utf-8")
        print(f"{LOG}: {len(rows)} steps.")
        return
    logged = windows(read_losses(LOG))
    off = np.abs(now / logged - 1)
    for start, was, is_, by in zip(range(0, STEPS, WINDOW), logged, now, off, strict=True):
        print(f"steps {start:3d} to {start + WINDOW - 1}: logged {was:.4f}, now {is_:.4f}, off by {by:.1%}")
    if off.max() > TOLERANCE:
        raise SystemExit(f"The loss leaves the log by {off.max():.1%}, more than {TOLERANCE:.0%}.")


if __name__ == "__main__":
    main()
