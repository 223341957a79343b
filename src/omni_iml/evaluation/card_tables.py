"""The card's tables in Markdown: one pure function a table, from results to text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np

from omni_iml.data.sources import DOMAINS
from omni_iml.evaluation.calibration import SIZE_BINS
from omni_iml.evaluation.devbench import REAL_EDITS, SETS, PictureResult
from omni_iml.evaluation.reliability import reliability
from omni_iml.evaluation.synthetic import SampleResult
from omni_iml.evaluation.whole_pictures import Judged
from omni_iml.inference.verdict import UNIT_AREA
from omni_iml.metrics import bootstrap_mean, image_level

FALSE_ALARMS = 0.05

_Result = TypeVar("_Result", PictureResult, Judged)


def devbench_table(results: Sequence[PictureResult]) -> str:
    """Localisation on the development benchmark, a row a set, and the pooled real edits."""
    rows = [(name, [r for r in results if r.dataset == name and r.tampered]) for name in SETS]
    rows.append(("pooled real edits", _real_edits(results)))
    lines = ["| devbench | n | IoU | F1 | pixel AUC | vision alone |", "|---|---|---|---|---|---|"]
    for name, rows_of_set in rows:
        vision = np.mean([r.gate >= 0.5 for r in rows_of_set])
        lines.append(
            f"| {name} | {len(rows_of_set)} | {_mean(r.iou for r in rows_of_set)} | {_mean(r.f1 for r in rows_of_set)} "
            f"| {_mean(r.auc for r in rows_of_set)} | {vision:.0%} |"
        )
    return "\n".join(lines)


def alarms_table(results: Sequence[PictureResult]) -> str:
    """Image-level figures on the sets that have authentic pictures."""
    lines = [
        "| devbench | tampered / authentic | image AUC | recall at 5% false alarms | authentic called tampered "
        "| tampered called tampered | area marked on authentic |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in SETS:
        tampered = [r for r in results if r.dataset == name and r.tampered]
        authentic = [r for r in results if r.dataset == name and not r.tampered]
        if not authentic:
            continue
        # facemask's tampered files are all Q75 and its authentic ones Q95: an image-level figure would score that.
        fair = name != "facemask"
        positive, negative = [r.score for r in tampered], [r.score for r in authentic]
        lines.append(
            f"| {name} | {len(tampered)} / {len(authentic)} | {_auc(positive, negative) if fair else 'not comparable'} "
            f"| {_recall(positive, negative) if fair else 'not comparable'} "
            f"| {_share(authentic, lambda r: r.verdict == 'tampered')} "
            f"| {_share(tampered, lambda r: r.verdict == 'tampered')} | {np.mean([r.area for r in authentic]):.1%} |"
        )
    return "\n".join(lines)


def synthetic_table(results: Sequence[SampleResult]) -> str:
    """Localisation on the synthetic test split, a row a domain."""
    lines = [
        "| synthetic test, 512 px | n tampered | IoU | F1 | pixel AUC | image AUC | vision alone |",
        "|---|---|---|---|---|---|---|",
    ]
    for domain in DOMAINS:
        chosen = [r for r in results if r.domain == domain]
        tampered = [r for r in chosen if not math.isnan(r.iou)]
        auc = _auc([r.logit for r in chosen if r.label == 1], [r.logit for r in chosen if r.label == 0])
        lines.append(
            f"| {domain} | {len(tampered)} | {_mean(r.iou for r in tampered)} | {_mean(r.f1 for r in tampered)} "
            f"| {_mean(r.auc for r in tampered)} | {auc} | {np.mean([r.gate >= 0 for r in chosen]):.0%} |"
        )
    return "\n".join(lines)


def whole_pictures_table(results: Sequence[Judged]) -> str:
    """Image-level figures on whole pictures of the test split: by domain, size, grade, and of untouched sources."""
    lines = [
        "| whole pictures, test split | tampered / authentic | image AUC | recall at 5% false alarms "
        "| authentic called tampered | tampered called tampered | tampered called no trace |",
        "|---|---|---|---|---|---|---|",
    ]
    synthetic = [r for r in results if r.kind == "synthetic"]
    groups: list[tuple[str, list[Judged]]] = [(d, [r for r in synthetic if r.domain == d]) for d in DOMAINS]
    for low, high in pairwise(SIZE_BINS):
        name = f"{low * UNIT_AREA / 1e6:.2f} to {high * UNIT_AREA / 1e6:.2f} Mpx"
        groups.append(
            (name if math.isfinite(high) else name.replace("to inf", "and more"), _between(synthetic, low, high))
        )
    groups += [
        (f"fitness {grade}", [r for r in synthetic if r.grade == grade]) for grade in ("good", "limited", "poor")
    ]
    groups += [
        (f"untouched sources, {d}", [r for r in results if r.kind == "source" and r.domain == d]) for d in DOMAINS
    ]
    for name, chosen in groups:
        tampered, authentic = [r for r in chosen if r.tampered], [r for r in chosen if not r.tampered]
        positive, negative = [r.score for r in tampered], [r.score for r in authentic]
        lines.append(
            f"| {name} | {len(tampered)} / {len(authentic)} | {_auc(positive, negative)} "
            f"| {_recall(positive, negative)} "
            f"| {_share(authentic, lambda r: r.verdict == 'tampered')} "
            f"| {_share(tampered, lambda r: r.verdict == 'tampered')} "
            f"| {_share(tampered, lambda r: r.verdict == 'no_trace')} |"
        )
    return "\n".join(lines)


def reliability_table(results: Sequence[Judged]) -> str:
    """How often pictures of a score were tampered with: synthetic whole pictures of the test split, half authentic."""
    chosen = [r for r in results if r.kind == "synthetic"]
    scores, truth = [r.score for r in chosen], [r.tampered for r in chosen]
    bins = reliability(scores, truth)
    lines = ["| score | pictures | mean score | tampered |", "|---|---|---|---|"]
    lines += [
        f"| {b.low:.2f} to {b.high:.2f} | {b.count} | {b.mean_score:.2f} | {b.tampered_share:.0%} |" for b in bins
    ]
    return (
        "\n".join(lines)
        + f"\n\nExpected calibration error {image_level.calibration_error(np.array(scores), np.array(truth)):.3f}."
    )


def robustness_table(results: Mapping[str, Sequence[PictureResult]]) -> str:
    """Localisation of the pooled real edits after each distortion, by name."""
    lines = ["| pooled real edits | n | IoU | F1 | pixel AUC |", "|---|---|---|---|---|"]
    for name, rows in results.items():
        chosen = _real_edits(rows)
        lines.append(
            f"| {name} | {len(chosen)} | {_mean(r.iou for r in chosen)} | {_mean(r.f1 for r in chosen)} "
            f"| {_mean(r.auc for r in chosen)} |"
        )
    return "\n".join(lines)


def _real_edits(results: Iterable[PictureResult]) -> list[PictureResult]:
    return [r for r in results if r.dataset in REAL_EDITS and r.tampered]


def _between(results: Sequence[Judged], low: float, high: float) -> list[Judged]:
    return [r for r in results if low * UNIT_AREA <= r.pixels < high * UNIT_AREA]


def _auc(tampered: Sequence[float], authentic: Sequence[float]) -> str:
    return _figure(image_level.auc, tampered, authentic, "{:.3f}")


def _recall(tampered: Sequence[float], authentic: Sequence[float]) -> str:
    return _figure(image_level.recall_at(FALSE_ALARMS), tampered, authentic, "{:.0%}")


def _figure(
    measure: Callable[[image_level.Scores, image_level.Labels], float],
    tampered: Sequence[float],
    authentic: Sequence[float],
    form: str,
) -> str:
    if not tampered or not authentic:
        return "–"
    labels = np.repeat([True, False], [len(tampered), len(authentic)])
    return form.format(measure(np.array([*tampered, *authentic]), labels))


def _mean(values: Iterable[float]) -> str:
    estimate = bootstrap_mean([value for value in values if not math.isnan(value)])
    return f"{estimate.mean:.3f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _share(results: Sequence[_Result], test: Callable[[_Result], bool]) -> str:
    return f"{np.mean([test(r) for r in results]):.0%}" if results else "–"
