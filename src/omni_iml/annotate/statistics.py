"""What the data set holds: the statistics of C-T7, the row of C-T1, and how far both are from the published ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from omni_iml.annotate.schema import DOMAINS, Annotation, Domain
from omni_iml.annotate.source_sets import source_set

METHODS = ("CM", "SP", "PT", "AIGC")
"""C-T1's abbreviations: copy-move, splicing, printing, generated."""


@dataclass(frozen=True)
class DomainStatistics:
    """One row of C-T7.

    Attributes:
        images: tampered pictures.
        targets: mean number of instances a picture.
        length: mean number of characters of a picture's annotation, counted in its published form as JSON text. The
            paper does not say what it counts.
    """

    images: int
    targets: float
    length: float


@dataclass(frozen=True)
class Statistics:
    """Statistics of a data set.

    Attributes:
        domains: C-T7, by domain.
        samples: all pictures.
        training: pictures of the training split.
        test: pictures of the test split.
        manual: pictures forged by hand.
        methods: ways of forging, of `METHODS`, as known of the source sets.
        several: whether some picture has more than one instance.
    """

    domains: Mapping[Domain, DomainStatistics]
    samples: int
    training: int
    test: int
    manual: int
    methods: tuple[str, ...]
    several: bool


PUBLISHED = Statistics(
    domains={
        "natural": DomainStatistics(126_366, 1.269, 1925),
        "document": DomainStatistics(84_733, 1.481, 2131),
        "face": DomainStatistics(60_689, 2.078, 1265),
        "scene_text": DomainStatistics(1_978, 2.533, 3379),
    },
    samples=273_776,
    training=217_907,
    test=55_869,
    manual=131_658,
    methods=METHODS,
    several=True,
)
"""Omni-273k by its own account: C-T7, C-T1, section 4.3 and appendix E. C-T7's pictures sum to 273,766."""


def statistics(rows: Iterable[Annotation]) -> Statistics:
    """Count.

    Args:
        rows: read once.

    Returns:
        The statistics; domains without pictures have zeros.
    """
    images, targets, length = (dict.fromkeys(DOMAINS, 0) for _ in range(3))
    splits: dict[str | None, int] = {}
    manual, several = 0, False
    methods: set[str] = set()
    for row in rows:
        images[row.domain] += 1
        targets[row.domain] += len(row.instances)
        length[row.domain] += len(json.dumps(row.published(), ensure_ascii=False))
        splits[row.split] = splits.get(row.split, 0) + 1
        manual += row.manual is True
        several |= len(row.instances) > 1
        if known := source_set(row.source):
            methods.update(known.methods)
    return Statistics(
        domains={
            domain: DomainStatistics(
                images[domain], targets[domain] / max(1, images[domain]), length[domain] / max(1, images[domain])
            )
            for domain in DOMAINS
        },
        samples=sum(images.values()),
        training=splits.get("train", 0),
        test=splits.get("test", 0),
        manual=manual,
        methods=tuple(method for method in METHODS if method in methods),
        several=several,
    )


def report(found: Statistics, expected: Statistics = PUBLISHED) -> str:
    """Statistics beside the published ones, as Markdown.

    Args:
        found: what was counted.
        expected: what to compare with.

    Returns:
        C-T7, C-T1's row and the totals, each with the difference.
    """
    lines = ["| domain | images | published | difference | targets | published | length | published |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|--:|")
    for domain in DOMAINS:
        ours, theirs = found.domains[domain], expected.domains[domain]
        lines.append(
            f"| {domain} | {ours.images:,} | {theirs.images:,} | {ours.images - theirs.images:+,} "
            f"| {ours.targets:.3f} | {theirs.targets:.3f} | {ours.length:.0f} | {theirs.length:.0f} |"
        )
    lines += ["", "| total | here | published | difference |", "|---|--:|--:|--:|"]
    for name in ("samples", "training", "test", "manual"):
        here, there = getattr(found, name), getattr(expected, name)
        lines.append(f"| {name} | {here:,} | {there:,} | {here - there:+,} |")
    summed = sum(each.images for each in expected.domains.values())
    if summed != expected.samples:
        lines += [
            "",
            f"The published domains sum to {summed:,}, {summed - expected.samples:+,} from the published total.",
        ]
    if found.training + found.test != found.samples:
        lines += ["", f"{found.samples - found.training - found.test:,} pictures are of no known split."]
    lines += [
        "",
        "| image types | methods | target type | forgeries | manual | structured |",
        "|---|---|---|--:|--:|---|",
    ]
    types = " + ".join(domain for domain in DOMAINS if found.domains[domain].images) or "none"
    target = "single and multiple" if found.several else "single"
    methods = ", ".join(found.methods) or "not known"
    lines.append(f"| {types} | {methods} | {target} | {found.samples:,} | {found.manual:,} | yes |")
    return "\n".join(lines) + "\n"
