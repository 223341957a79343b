"""docs/benchmarks.md by one command: run the methods, keep their scores, write the page from what is kept.

    python -m omni_iml.evaluation.benchmarks --data devbench=DATA/devbench --data synthetic=SETS --work RUNS
    python -m omni_iml.evaluation.benchmarks ... --method bundled      # only the bundled model's rows
    python -m omni_iml.evaluation.benchmarks                           # only the page, from what is kept

Every method has a folder of its own below RUNS, named by the bytes of its model, so a run that was stopped goes on and
a new model begins anew. Scores lie in ``benchmarks/results``, one JSON file a method, without paths of the machine.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from omni_iml.evaluation.baselines import BASELINES
from omni_iml.evaluation.benchmarks_page import page
from omni_iml.evaluation.evaluate import Request, evaluate_all
from omni_iml.evaluation.predictors import METHOD, predictor_of
from omni_iml.io.whole_file import write_whole

RESULTS, PAGE = Path("benchmarks/results"), Path("docs/benchmarks.md")
MODEL = "bundled"
_PROTOCOL = "clean"


def measure(method: str, data: Sequence[str], work: Path, *, limit: int | None = None) -> Path:
    """Score a method on all sets, or go on with it.

    Args:
        method: "bundled" or a name of `BASELINES`.
        data: ``NAME=ROOT`` each.
        work: folder for the runs.
        limit: pictures of each set and class, None for all.

    Returns:
        The run's folder.

    Raises:
        ValueError: no method is called that, or a data set cannot be named so.
        FileNotFoundError: a data set is not there.
    """
    predictor, about = predictor_of(None if method == MODEL else METHOD + method)
    folder = work / (f"{method}-{about['sha256'][:8]}" if "sha256" in about else method)
    request = Request(tuple(data), folder, (_PROTOCOL,), limit=limit, resume=True)
    console = Console(stderr=True)
    console.print(method, highlight=False)
    for problem in evaluate_all(request, predictor, about, console):
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    return folder


def keep(method: str, run: Path, results: Path = RESULTS) -> None:
    """Keep the scores of a run, without what belongs to the machine that ran it.

    Args:
        method: names the file.
        run: folder that `omni-iml evaluate` wrote.
        results: where scores are kept.
    """
    content: dict[str, Any] = json.loads((run / "scores.json").read_text(encoding="utf-8"))
    content["about"].pop("data", None)
    content["problems"] = len(content.get("problems", ()))
    content.pop("protocols", None)
    kept = json.dumps(content, indent=1).encode() + b"\n"
    results.mkdir(parents=True, exist_ok=True)
    write_whole(results / f"{method}.json", lambda out: out.write(kept))


def kept(results: Path = RESULTS) -> list[tuple[str, dict[str, Any]]]:
    """Methods and their kept scores, the bundled model first."""
    found = [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(results.glob("*.json"))]
    return sorted(found, key=lambda item: item[0] != MODEL)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(description="Score the bundled model and the methods without training.")
    parser.add_argument("--data", action="append", default=[], metavar="NAME=ROOT")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="folder for the runs")
    parser.add_argument("--method", action="append", choices=[MODEL, *BASELINES], help="all by default")
    parser.add_argument("--limit", type=int, help="pictures of each set and class")
    options = parser.parse_args(arguments)
    for method in (options.method or [MODEL, *BASELINES]) if options.data else ():
        keep(method, measure(method, options.data, options.work, limit=options.limit))
    written = page(PAGE.read_text(encoding="utf-8"), kept())
    write_whole(PAGE, lambda out: out.write(written.encode()))


if __name__ == "__main__":
    main()
