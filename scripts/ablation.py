"""C-T5 and C-T3 in small, and the bundled recipe's own choices left out one by one, with an equal budget each.

    OMNI_IML_DATA=DATA python scripts/ablation.py runs/ablation --samples 30000 --seeds 1 2
    python scripts/ablation.py --print --page docs/reproduction.md

The first trains the bundled size on synthetic samples of the four domains (`recipes/bundled_scratch.yaml`), one run
after the other, and prints tables of the validation scores, mean and spread over the seeds, beside the paper's. What a
finished run scored is kept in `benchmarks/results/ablation/SAMPLES`, by run and seed, and not measured again, so
the same command goes on after a stop, on whatever machine. The budget is samples, not minutes: a busy machine changes
nothing. A change of the recipe or of the synthesis does change the scores: move the folder away then. The second trains
nothing: it prints what is there, of every budget, and writes it between the page's marks.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from omni_iml.data.sources import DOMAINS
from omni_iml.evaluation.pages import replaced
from omni_iml.evaluation.tables import published
from omni_iml.io.whole_file import write_whole
from omni_iml.training.recipe import Recipe, load_recipe
from omni_iml.training.train import train

ROOT = Path(__file__).parents[1]
RECIPE, KEPT = ROOT / "recipes" / "bundled_scratch.yaml", ROOT / "benchmarks" / "results" / "ablation"
FULL = "Omni-IML"
T5 = {
    FULL: "iclr2026",
    "Baseline": "baseline",
    "w.o. MG": "without-mg",
    "w.o. MG*": "without-mg-vision",
    "w.o. DWD": "without-dwd",
    "w.o. DW": "without-dw",
    "w.o. AE": "without-ae",
}
"""The rows of C-T5 and the variants that they are."""

CHOICES = {
    "no dice loss": "loss.dice=0",
    "no coarse losses": "loss.coarse=0",
    "no gate loss": "loss.gate=0",
    "no image loss": "loss.image=0",
    "average of the weights": "optim.ema=0.998",
}
"""What the bundled recipe adds to the paper or takes from it, and the one entry that changes in its row."""

_PAPERS_ORDER = ("natural", "document", "scene_text", "face")
_PAPERS_TASKS = ("Natural", "Document", "SceneText", "Face")

Scores = Mapping[str, Sequence[Mapping[str, float]]]
"""Of each run the last validation's scores, a seed each."""


def runs(samples: int, settings: Sequence[str] = ()) -> dict[str, Recipe]:
    """Name of each run -> its recipe: C-T5 on all domains, the full network on one each, the choices.

    `settings` are entries of the recipe that all runs share, `optim.precision=32-true` say.
    """

    def recipe(variant: str, *more: str) -> Recipe:
        # The detector trains: without it there would be no anomaly enhancement to leave out.
        common = ["loss.detection=1", "validation.every=1000000", *settings, *more]
        made = load_recipe(RECIPE, [f"model={{preset: bundled, variant: {variant}}}", *common])
        return replace(made, optim=replace(made.optim, steps=samples // made.optim.batch))

    rows = {name: recipe(variant) for name, variant in T5.items()}
    rows |= {alone(domain): recipe("iclr2026", f"synthesis.domains={{{domain}: 1}}") for domain in DOMAINS}
    return rows | {name: recipe("iclr2026", setting) for name, setting in CHOICES.items()}


def alone(domain: str) -> str:
    """Name of the run on one domain."""
    return f"{domain} alone"


def file_name(run: str) -> str:
    """What a run's files are called, before the seed."""
    return run.lower().replace(" ", "-").replace("*", "-vision").replace(".", "")


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


def kept_scores(folder: Path) -> Scores:
    """What the finished runs of one budget scored; runs that are not there have no seeds."""
    names = [*T5, *map(alone, DOMAINS), *CHOICES]
    return {
        name: [json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob(f"{file_name(name)}-[0-9]*.json"))]
        for name in names
    }


def all_tables(kept: Path = KEPT) -> str:
    """The tables of every budget that has results, as `--page` writes them."""
    budgets = sorted(int(folder.name) for folder in kept.glob("[0-9]*") if any(folder.glob("*.json")))
    return "\n".join(tables(kept_scores(kept / str(budget)), budget) for budget in budgets) or "No run is kept yet."


def tables(found: Scores, samples: int) -> str:
    """C-T5 and C-T3 in small, beside the paper's, and the recipe's choices, in Markdown."""
    paper = {t["id"]: {row["method"]: row["values"] for row in t["rows"]} for t in published()["tables"]}
    lines = [f"**C-T5 in small: {samples:,} samples a run**", "", *_ablation(found, paper["C-T5"]), ""]
    lines += [f"**C-T3 in small: {samples:,} samples a run**", "", *_tasks(found, paper["C-T3"]), ""]
    return "\n".join([*lines, f"**The recipe's choices: {samples:,} samples a run**", "", *_choices(found), ""])


def _ablation(found: Scores, paper: Mapping[str, Sequence[float]]) -> list[str]:
    """The rows of C-T5; its averages are the means of the domains."""
    heads = [name.replace("_", " ") for name in _PAPERS_ORDER]
    papers_heads = (f"paper: {name}" for name in (*heads, "average", f"minus {FULL}"))
    columns = ["seeds", *heads, "average", f"minus {FULL}", *papers_heads]
    lines = [f"| run | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    averages, theirs = _averages(found, T5), paper["Ours"]
    for name in T5:
        printed = paper["Ours" if name == FULL else name]
        cells = [str(len(found[name])), *(cell(_values(found[name], domain)) for domain in _PAPERS_ORDER)]
        cells += [cell(averages[name]), _gain(averages, name)]
        cells += [f"{value:.3f}" for value in printed]
        cells.append("" if name == FULL else f"{printed[-1] - theirs[-1]:+.3f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    if all(averages.values()):
        order = sorted(T5, key=lambda name: -statistics.mean(averages[name]))
        papers = sorted(T5, key=lambda name: -paper["Ours" if name == FULL else name][-1])
        lines += ["", f"By the average, here: {' > '.join(order)}; in the paper: {' > '.join(papers)}."]
    return lines


def _tasks(found: Scores, paper: Mapping[str, Sequence[float | None]]) -> list[str]:
    """C-T3: the full network on one domain alone against the same on all four."""
    lines = ["| domain | alone | joint | joint - alone | paper: alone | joint | joint - alone |", "|---" * 7 + "|"]
    for place, (domain, method) in enumerate(zip(_PAPERS_ORDER, _PAPERS_TASKS, strict=True)):
        single, joint = _values(found[alone(domain)], domain), _values(found[FULL], domain)
        gain = f"{statistics.mean(joint) - statistics.mean(single):+.3f}" if single and joint else ""
        one, all_ = paper[f"Ours ({method})"][place], paper["Ours (All)"][len(DOMAINS) + place]
        assert one is not None
        assert all_ is not None
        theirs = f"{one:.3f} | {all_:.3f} | {all_ - one:+.3f}"
        lines.append(f"| {domain.replace('_', ' ')} | {cell(single)} | {cell(joint)} | {gain} | {theirs} |")
    return lines


def _choices(found: Scores) -> list[str]:
    """The full network with one entry of its recipe changed."""
    heads = [*(domain.replace("_", " ") for domain in _PAPERS_ORDER), "average", f"minus {FULL}", "picture right"]
    lines = [f"| run | entry | seeds | {' | '.join(heads)} |", "|---" * (len(heads) + 3) + "|"]
    averages = _averages(found, (FULL, *CHOICES))
    for name in averages:
        cells = [f"`{CHOICES[name]}`" if name in CHOICES else "", str(len(found[name]))]
        cells += [cell(_values(found[name], domain)) for domain in _PAPERS_ORDER]
        right = [one["image_accuracy"] for one in found[name] if "image_accuracy" in one]
        cells += [cell(averages[name]), _gain(averages, name), cell(right)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _values(found: Sequence[Mapping[str, float]], domain: str) -> list[float]:
    return [one[f"iou_{domain}"] for one in found if f"iou_{domain}" in one]


def _averages(found: Scores, names: Iterable[str]) -> dict[str, list[float]]:
    """Of each run the average over the domains, a seed each."""
    return {name: [a for one in found[name] if (a := _average(one)) is not None] for name in names}


def _gain(averages: Mapping[str, Sequence[float]], name: str) -> str:
    """By how much a run's average is above the full network's; nothing where one of them was not run."""
    if name == FULL or not averages[name] or not averages[FULL]:
        return ""
    return f"{statistics.mean(averages[name]) - statistics.mean(averages[FULL]):+.3f}"


def _average(one: Mapping[str, float]) -> float | None:
    """Mean over the domains, as the paper's; None where one of them was not validated."""
    values = [one.get(f"iou_{domain}") for domain in DOMAINS]
    return None if None in values else statistics.mean(value for value in values if value is not None)


def cell(values: Sequence[float]) -> str:
    """Mean and, of several seeds, half the range; of none that it was not run."""
    if not values:
        return "not run"
    spread = f" ± {(max(values) - min(values)) / 2:.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def main() -> None:
    """Train what is missing and print the tables."""
    parser = argparse.ArgumentParser(description="C-T5, C-T3 and the recipe's choices in small.")
    parser.add_argument("out", type=Path, nargs="?", help="folder of the runs; not needed with --print")
    parser.add_argument("--samples", type=int, default=30_000, help="of each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="*", help="names of runs")
    parser.add_argument("--set", nargs="+", default=[], dest="settings", help="entries of the recipe, of every run")
    parser.add_argument("--print", action="store_true", dest="only_print", help="train nothing")
    parser.add_argument("--page", type=Path, help="also write the tables between this page's marks")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, help="of torch on the CPU")
    parser.add_argument("--cache", type=Path, help="tile cache; OUT/tiles without it")
    options = parser.parse_args()
    if options.out is None and not options.only_print:
        parser.error("name the folder of the runs, or say --print")
    for name, recipe in {} if options.only_print else runs(options.samples, options.settings).items():
        if options.only and name not in options.only:
            continue
        for seed in options.seeds:
            kept = KEPT / str(options.samples) / f"{file_name(name)}-{seed}.json"
            if not kept.is_file():
                cache = options.cache or options.out / "tiles"
                seeded, run = replace(recipe, seed=seed), options.out / f"{file_name(name)}-{seed}"
                keep(scores(seeded, run, cache, options.workers, options.threads), kept)
    print(all_tables())
    if options.page is not None:
        text = replaced(options.page.read_text(encoding="utf-8"), "ablation", all_tables(), str(options.page))
        write_whole(options.page, lambda file: file.write(text.encode()))


if __name__ == "__main__":
    main()
