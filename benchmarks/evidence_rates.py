"""How often each measurement of `omni_iml.evidence` calls an authentic region unusual, and the thresholds for it.

    python benchmarks/evidence_rates.py train --rows runs/evidence-train.jsonl --write
    python benchmarks/evidence_rates.py validation test
    python benchmarks/evidence_rates.py train --lettering --write
    python benchmarks/evidence_rates.py validation test --lettering
    python benchmarks/evidence_rates.py validation test --marked

Needs the extra named train, and OMNI_IML_DATA (see docs/guides/train.md). Regions are of three kinds: shapes at random
(ellipses, rectangles, polygons), segments (what a mask that follows an object looks like), and pieces of text lines;
with --marked those that the bundled model reports, all of them false. Half of the pictures are saved once more, as an
editor would that changed nothing. With --write each threshold becomes the lowest that the rule of `evidence_limits.py`
allows for every kind; without, the rates are counted. The rows of --rows, one a region, are kept as they come: a run
that was cut off goes on, one that is done takes seconds.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

import omni_iml.evidence
from evidence_limits import FEWEST_PICTURES, limit, upper_bound
from evidence_regions import KINDS, line_boxes, marked, pictures, prepared, regions, runs
from omni_iml.data.sources import DOMAINS, Source
from omni_iml.evidence.lettering import TEXT_MEASURES, measure_lettering
from omni_iml.evidence.measures import MEASURES, measure_regions, thresholds
from omni_iml.evidence.measuring import Measurement
from omni_iml.inference.detector import Detector
from omni_iml.io import load
from omni_iml.io.whole_file import write_whole
from omni_iml.types import OmniError

AIM = 0.05
"""Share of authentic regions that a measurement may call unusual."""

LETTERING_AIM = 0.015
"""The same for the measurements of text, where all come from one collection of receipts: a margin for other print."""

Found = Iterable[tuple[str, Iterable[Measurement]]]
"""Kind of each authentic region of a picture, and what was measured there."""

Strengths = tuple[NDArray[np.float64], NDArray[np.int64], list[str]]


class Row(TypedDict):
    """One authentic region and how strong each measurement was there."""

    picture: str
    domain: str
    kind: str
    strengths: dict[str, float]


def drawn_regions(source: Source, rng: np.random.Generator) -> Found:
    """Shapes at random, segments and text lines of one picture."""
    if (ready := prepared(source, rng)) is not None:
        for kind, mask in regions(source, *ready, rng):
            yield kind, measure_regions(ready[0], [mask])[0]


def marked_regions(source: Source, rng: np.random.Generator, detector: Detector) -> Found:
    """What the model marks in one picture, measured together as `explain` does."""
    if (ready := prepared(source, rng)) is not None:
        for measured in measure_regions(ready[0], marked(ready[0], detector)):
            yield "marked", measured


def runs_of_text(source: Source, rng: np.random.Generator) -> Found:
    """Pieces of the text lines of one picture, by the measurements of text."""
    boxes = [(x0, y0, x1, y1) for x0, y0, x1, y1 in line_boxes(source).tolist()]
    if boxes:
        luma = np.asarray(cv2.cvtColor(load(source.path).pixels, cv2.COLOR_RGB2GRAY), np.float32)
        for mask in runs(source, luma, rng):
            yield "text", measure_lettering(luma, boxes, [mask], thresholds())[0]


def rows_of(source: Source, found: Found) -> Iterator[Row]:
    """The rows of one picture."""
    for kind, measured in found:
        strengths = {one.name: one.strength for one in measured}
        yield Row(picture=name_of(source), domain=source.domain, kind=kind, strengths=strengths)


def name_of(source: Source) -> str:
    """The picture's name in the rows."""
    return f"{source.origin}/{source.path.name}"


def measured_rows(
    sources: list[Source], measure: Callable[[Source, np.random.Generator], Found], kept: Path | None
) -> list[Row]:
    """What each authentic region gave; ``kept`` is read first, and each new picture is added to it."""
    rows: list[Row] = []
    if kept is not None and kept.exists():
        asked = {name_of(source) for source in sources}
        rows = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
        if foreign := {row["picture"] for row in rows} - asked:
            raise SystemExit(f"{kept} holds {len(foreign)} pictures that were not asked for; name another file.")
    done = {row["picture"] for row in rows}
    for number, source in enumerate(sources):
        if name_of(source) in done:
            continue
        try:
            fresh = list(rows_of(source, measure(source, np.random.default_rng(number))))
        except OmniError as error:
            logging.warning("left out: %s", error)
            continue
        rows += fresh
        if kept is not None:
            with kept.open("a", encoding="utf-8") as lines:
                lines.writelines(json.dumps(row) + "\n" for row in fresh)
        logging.info("%d of %d", number + 1, len(sources))
    return rows


def strengths_of(rows: list[Row], measure: str, kind: str) -> Strengths:
    """Strengths of one measurement at the regions of one kind, their pictures by number, and their domains."""
    told = [row for row in rows if row["kind"] == kind and measure in row["strengths"]]
    numbers = np.unique([row["picture"] for row in told], return_inverse=True)[1]
    return np.array([row["strengths"][measure] for row in told], float), numbers, [row["domain"] for row in told]


def write(limits: dict[str, float]) -> None:
    """Set the thresholds of the package."""
    path = Path(omni_iml.evidence.__file__).with_name("thresholds.json")
    text = json.dumps(limits, indent=2) + "\n"
    write_whole(path, lambda out: out.write(text.encode()))


def kinds_of(rows: list[Row]) -> list[str]:
    """The kinds of region that there are, in the order of the table."""
    there = {row["kind"] for row in rows}
    return [kind for kind in (*KINDS, "marked") if kind in there]


def table(rows: list[Row], names: list[str], limits: dict[str, float]) -> Iterator[str]:
    """Lines of Markdown: of each kind the rate, its upper bound in brackets and how many regions; the worst domain."""
    kinds = kinds_of(rows)
    yield "| measurement | threshold | " + " | ".join(kinds) + " | worst domain |"
    yield "|---" * (3 + len(kinds)) + "|"
    for name in names:
        cells, worst = [], (0.0, "")
        for kind in kinds:
            strengths, numbers, domains = strengths_of(rows, name, kind)
            above = strengths > limits[name]
            bound = upper_bound(above, numbers) if len(above) else 1
            cells.append(f"{above.mean():.1%} ({bound:.1%}) of {len(above)}" if len(above) else "none")
            for domain in DOMAINS:
                here = np.array(domains, str) == domain
                if len(np.unique(numbers[here])) >= FEWEST_PICTURES and above[here].mean() > worst[0]:
                    of = f"{above[here].mean():.1%} of {here.sum()}, {kind}, {domain}"
                    worst = float(above[here].mean()), of
        yield f"| `{name}` | {limits[name]:.2f} | " + " | ".join(cells) + f" | {worst[1]} |"


def together(rows: list[Row], limits: dict[str, float]) -> Iterator[str]:
    """How many regions of each kind have a finding of any measurement."""
    for kind in kinds_of(rows):
        each = [sum(s > limits[name] for name, s in row["strengths"].items()) for row in rows if row["kind"] == kind]
        share, mean = np.mean(np.array(each) > 0), np.mean(each)
        yield f"{kind}: {share:.1%} of {len(each)} regions with a finding, {mean:.2f} each"


def main() -> None:
    """Print the table; with --write, set the thresholds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("splits", nargs="+", choices=["train", "validation", "test"])
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--rows", type=Path, help="JSON lines to keep what was measured in, and to go on from")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--lettering", action="store_true", help="the measurements of text alone")
    what.add_argument("--marked", action="store_true", help="at the regions that the bundled model reports")
    parser.add_argument("--write", action="store_true", help="set the thresholds of the package")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.write and options.splits != ["train"]:
        parser.error("thresholds are set on the split train alone")
    if options.write and options.marked:
        parser.error("thresholds hold for any model, so they are not set on the regions of one")
    measure = runs_of_text if options.lettering else drawn_regions
    if options.marked:
        measure = partial(marked_regions, detector=Detector())
    rows = measured_rows(pictures(options.splits, options.pictures), measure, options.rows)
    names = [measure.name for measure in (TEXT_MEASURES if options.lettering else MEASURES)]
    limits = dict(thresholds())
    if options.write:
        rate = LETTERING_AIM if options.lettering else AIM
        for name in names:
            of_kinds = [limit(*strengths_of(rows, name, kind), AIM, rate) for kind in KINDS]
            limits[name] = math.ceil(100 * max(of_kinds)) / 100
        write(limits)
    print("\n".join([*table(rows, names, limits), "", *together(rows, limits)]))


if __name__ == "__main__":
    main()
