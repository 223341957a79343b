"""The scores of docs/benchmarks.md, from stored results.

    omni-iml evaluate --data devbench=DATA/devbench --protocol clean --out run      # once for each method
    python -m omni_iml.evaluation.benchmarks_page --store bundled=run               # keep its scores.json
    python -m omni_iml.evaluation.benchmarks_page                                   # write the page from what is kept

Stored results lie in ``benchmarks/results``, one JSON file a method, so that the page can be made again without a run.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omni_iml.evaluation.tables import Table
from omni_iml.io.whole_file import write_whole

BEGIN, END = "<!-- scores: begin -->", "<!-- scores: end -->"
RESULTS, PAGE = Path("benchmarks/results"), Path("docs/benchmarks.md")
_FIGURES = ("IoU", "F1", "AUC")


def tables(results: Sequence[tuple[str, dict[str, Any]]]) -> list[Table]:
    """A table for each data set: a row a method, the same pictures in each.

    Args:
        results: method and content of its ``scores.json``.
    """
    sets = list(dict.fromkeys(score["data"] for _, content in results for score in content["scores"]))
    return [_table(data, results) for data in sets]


def _table(data: str, results: Sequence[tuple[str, dict[str, Any]]]) -> Table:
    rows, notes = [], set()
    for method, content in results:
        for score in content["scores"]:
            if score["data"] == data and score["asked"] == "clean" and score["view"] == "original":
                cells = [_cell(score["pixel"].get(figure)) for figure in _FIGURES]
                image = _cell(score["image"].get("image AUC")) + f" ({score['image_score']})" if score["image"] else "-"
                counts = f"{score['n'] - score['n_authentic']} / {score['n_authentic']}"
                version = content.get("about", {}).get("version", "")
                rows.append((f"{method} {version}".strip(), counts, *cells, image))
                notes.add(f"Left out of a figure as undefined: {score['n_nan']} at most.")
    header = ("method", "tampered / authentic", *(f"pixel {f}" for f in _FIGURES), "image AUC (score)")
    return Table(data, header, tuple(rows), tuple(sorted(notes)))


def _cell(estimate: dict[str, Any] | None) -> str:
    if estimate is None or estimate["mean"] is None:
        return "-"
    low, high = estimate["low"], estimate["high"]
    interval = "" if low is None or math.isnan(low) else f" [{low:.2f}, {high:.2f}]"
    return f"{estimate['mean']:.3f}{interval}"


def page(text: str, results: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """The page with everything between its markers written anew.

    Raises:
        ValueError: it has no markers.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE}: has no lines {BEGIN} and {END}; put them where the scores belong.")
    body = "\n".join(table.markdown() for table in tables(results))
    return f"{before}{BEGIN}\n\n{body}\n{END}{after}"


def main() -> None:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(description="Write the scores of docs/benchmarks.md from stored results.")
    parser.add_argument("--store", action="append", default=[], metavar="METHOD=FOLDER", help="keep a run's scores")
    options = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    for text in options.store:
        method, _, folder = text.partition("=")
        content = json.loads((Path(folder) / "scores.json").read_text(encoding="utf-8"))
        content["about"].pop("data", None)  # where the pictures lay on the machine that ran it
        content.pop("protocols", None)
        content.pop("problems", None)
        kept = json.dumps(content, indent=1).encode() + b"\n"
        write_whole(RESULTS / f"{method}.json", lambda out, kept=kept: out.write(kept))  # type: ignore[misc]
    stored = [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(RESULTS.glob("*.json"))]
    stored.sort(key=lambda item: item[0] != "bundled")
    written = page(PAGE.read_text(encoding="utf-8"), stored)
    write_whole(PAGE, lambda out: out.write(written.encode()))


if __name__ == "__main__":
    main()
