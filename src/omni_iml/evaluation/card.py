"""Every figure of the model card, measured from a model file.

    python -m omni_iml.evaluation.card                      # print the tables of the bundled model
    python -m omni_iml.evaluation.card --write              # and put them into src/omni_iml/weights/CARD.md

needs ``OMNI_IML_DATA`` (see docs/guides/train.md) and the [train,eval] extras.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from omni_iml.data.sources import DOMAINS, data_root
from omni_iml.data.synthesis import SynthesisConfig
from omni_iml.data.tile_cache import build_cache
from omni_iml.evaluation.devbench import REAL_EDITS, SETS, PictureResult, score_devbench
from omni_iml.evaluation.synthetic import SampleResult, score_split
from omni_iml.inference.detector import Detector
from omni_iml.inference.session import open_session
from omni_iml.io.whole_file import write_whole
from omni_iml.metrics import bootstrap_mean, roc_auc
from omni_iml.weights import bundled_path

BEGIN, END = "<!-- scores: begin -->", "<!-- scores: end -->"
TEST_SEED, TEST_COUNT = 20_261, 100


def devbench_table(results: Sequence[PictureResult]) -> str:
    """Markdown table of localisation on the development benchmark, a row a set, and the pooled real edits."""
    rows = [(name, [r for r in results if r.dataset == name and r.tampered]) for name in SETS]
    rows.append(("pooled real edits", [r for r in results if r.dataset in REAL_EDITS and r.tampered]))
    lines = ["| devbench | n | IoU | F1 | pixel AUC | vision alone |", "|---|---|---|---|---|---|"]
    for name, rows_of_set in rows:
        vision = np.mean([r.gate >= 0.5 for r in rows_of_set])
        lines.append(
            f"| {name} | {len(rows_of_set)} | {_mean(r.iou for r in rows_of_set)} | {_mean(r.f1 for r in rows_of_set)} "
            f"| {_mean(r.auc for r in rows_of_set)} | {vision:.0%} |"
        )
    return "\n".join(lines)


def alarms_table(results: Sequence[PictureResult]) -> str:
    """Markdown table of image-level figures on the sets that have authentic pictures."""
    lines = [
        "| devbench | tampered / authentic | image AUC | authentic called tampered | tampered called tampered "
        "| area marked on authentic |",
        "|---|---|---|---|---|---|",
    ]
    for name in SETS:
        tampered = [r for r in results if r.dataset == name and r.tampered]
        authentic = [r for r in results if r.dataset == name and not r.tampered]
        if not authentic:
            continue
        # facemask's tampered files are all Q75 and its authentic ones Q95: an image-level figure would score that.
        fair = name != "facemask"
        truth = np.array([1] * len(tampered) + [0] * len(authentic))
        auc = roc_auc(np.array([r.score for r in (*tampered, *authentic)]), truth)
        lines.append(
            f"| {name} | {len(tampered)} / {len(authentic)} | {f'{auc:.3f}' if fair else 'not comparable'} "
            f"| {_share(authentic, lambda r: r.verdict == 'tampered')} "
            f"| {_share(tampered, lambda r: r.verdict == 'tampered')} | {np.mean([r.area for r in authentic]):.1%} |"
        )
    return "\n".join(lines)


def synthetic_table(results: Sequence[SampleResult]) -> str:
    """Markdown table on the synthetic test split, a row a domain."""
    lines = [
        "| synthetic test, 512 px | n tampered | IoU | F1 | pixel AUC | image AUC | vision alone |",
        "|---|---|---|---|---|---|---|",
    ]
    for domain in DOMAINS:
        chosen = [r for r in results if r.domain == domain]
        tampered = [r for r in chosen if not math.isnan(r.iou)]
        judged = [r for r in chosen if r.label >= 0]
        auc = roc_auc(np.array([r.logit for r in judged]), np.array([int(r.label) for r in judged]))
        lines.append(
            f"| {domain} | {len(tampered)} | {_mean(r.iou for r in tampered)} | {_mean(r.f1 for r in tampered)} "
            f"| {_mean(r.auc for r in tampered)} | {auc:.3f} | {np.mean([r.gate >= 0 for r in chosen]):.0%} |"
        )
    return "\n".join(lines)


def _mean(values: Iterable[float]) -> str:
    estimate = bootstrap_mean([value for value in values if not math.isnan(value)])
    return f"{estimate.mean:.3f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _share(results: Sequence[PictureResult], test: Callable[[PictureResult], bool]) -> str:
    return f"{np.mean([test(r) for r in results]):.0%}"


def measure(model: Path, root: Path, cache: Path, threads: int | None) -> tuple[str, dict[str, Any]]:
    """Score a model file on devbench and on the synthetic test split.

    Returns:
        Markdown tables, and every picture's own figures.
    """
    real = list(score_devbench(Detector(model, threads=threads), root))
    pool = build_cache(root, cache)
    config = SynthesisConfig(authentic=0.33)
    session = open_session(model, threads=threads)
    synthetic = score_split(session, pool, "test", config, count=TEST_COUNT, seed=TEST_SEED)
    tables = "\n\n".join([devbench_table(real), alarms_table(real), synthetic_table(synthetic)])
    return tables, {"devbench": [asdict(r) for r in real], "synthetic": [asdict(r) for r in synthetic]}


def write_tables(card: Path, tables: str) -> None:
    """Replace what stands between the card's markers.

    Raises:
        ValueError: the card has no markers.
    """
    text = card.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{card}: has no lines {BEGIN} and {END}; put them where the tables belong.")
    write_whole(card, lambda out: out.write(f"{before}{BEGIN}\n{tables}\n{END}{after}".encode()))


def main() -> None:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(description="Measure every figure of the model card.")
    parser.add_argument("--model", type=Path, default=None, help="model file; the bundled one by default")
    parser.add_argument("--cache", type=Path, default=Path("cache/tiles"), help="folder of the tile cache")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--json", type=Path, default=None, help="write every picture's figures here")
    parser.add_argument("--write", action="store_true", help="put the tables into the bundled model's card")
    options = parser.parse_args()
    model = options.model or bundled_path()
    try:
        root = data_root()
    except FileNotFoundError as error:
        parser.error(str(error))
    tables, figures = measure(model, root, options.cache, options.threads)
    print(tables)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    if options.write:
        write_tables(bundled_path().with_name("CARD.md"), tables)


if __name__ == "__main__":
    main()
