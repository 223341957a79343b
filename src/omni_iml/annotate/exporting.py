"""From the queue to rows of the data set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from omni_iml.annotate.queue import WHOLE, Queue
from omni_iml.annotate.schema import Annotation, Instance, Provenance, Review


@dataclass(frozen=True)
class Status:
    """Where a work directory stands.

    Attributes:
        pictures: entered.
        finished: with an annotation.
        steps: rows by step and status.
        failures: name of the picture, instance, step and error of each failed row.
        tokens_in: used, and set aside for questions that nobody came back from.
        tokens_out: likewise.
        cost: of both.
        calls: questions by how they ended.
    """

    pictures: int
    finished: int
    steps: dict[str, dict[str, int]]
    failures: list[tuple[str, int, str, str]]
    tokens_in: int
    tokens_out: int
    cost: float
    calls: dict[str, int]


def status(queue: Queue) -> Status:
    """Count.

    Args:
        queue: of a work directory.

    Returns:
        Where it stands.
    """
    steps: dict[str, dict[str, int]] = {}
    for step, state, count in queue.read("SELECT step, status, COUNT(*) FROM steps GROUP BY 1, 2 ORDER BY MIN(id)"):
        steps.setdefault(step, {})[state] = count
    failures = queue.read(
        "SELECT p.name, s.instance, s.step, s.error FROM steps s JOIN pictures p ON p.id = s.picture "
        "WHERE s.status = 'failed' ORDER BY s.picture, s.id"
    )
    totals = queue.read("SELECT SUM(tokens_in), SUM(tokens_out), SUM(cost) FROM calls")[0]
    return Status(
        pictures=queue.read("SELECT COUNT(*) FROM pictures")[0][0],
        finished=len(_finished(queue)),
        steps=steps,
        failures=[(name, instance, step, error) for name, instance, step, error in failures],
        tokens_in=totals[0] or 0,
        tokens_out=totals[1] or 0,
        cost=totals[2] or 0.0,
        calls=dict(queue.read("SELECT outcome, COUNT(*) FROM calls GROUP BY 1 ORDER BY 1")),
    )


def export(queue: Queue, *, corrected: bool = False) -> Iterator[Annotation]:
    """Give the finished pictures as rows, in the order in which they were entered.

    Args:
        queue: of a work directory.
        corrected: put corrections in the place of the model's text, and leave out rejected instances; of several
            reviewers, the last by name decides. By default both stand beside each other.

    Yields:
        Valid rows. A picture with a step that failed or is to come is left out.
    """
    facts = queue.facts()
    for picture in _finished(queue):
        name, source, job = queue.read("SELECT name, source, job FROM pictures WHERE id = ?", picture)[0]
        about = json.loads(job)
        instances, removed = instances_of(queue, picture)
        reviews = reviews_of(queue, picture)
        if corrected:
            instances = _corrected(instances, reviews)
            reviews = ()
            if not instances:
                continue
        yield Annotation(
            image=name,
            source=source,
            domain=about["domain"],
            split=about["split"],
            manual=about["manual"],
            instances=tuple(instances),
            reviews=reviews,
            provenance=Provenance(
                annotator=facts["annotator"],
                model=facts["model"],
                method="single" if facts["method"] == "single" else "chain",
                prompts=json.loads(facts["prompts"]),
                removed=removed,
            ),
        )


def instances_of(queue: Queue, picture: int) -> tuple[list[Instance], int]:
    """The instances of a finished picture, in the model's own words.

    Args:
        queue: of a work directory.
        picture: its id.

    Returns:
        The instances, and how many findings self-examination removed.
    """
    single = queue.answer_of(picture, WHOLE, "single")
    if single is not None:
        return [Instance.model_validate(each) for each in single["instances"]], 0
    split = queue.answer_of(picture, WHOLE, "split")
    objects = (queue.answer_of(picture, WHOLE, "group") or split)["objects"]
    boxes = split["boxes"]
    instances, removed = [], 0
    for index, each in enumerate(objects):
        recognised = queue.answer_of(picture, index, "recognise")
        examined = queue.answer_of(picture, index, "examine") or {"artifacts": {}, "removed": 0}
        x0, y0, x1, y1 = zip(*(boxes[region] for region in each["regions"]), strict=True)
        removed += examined["removed"]
        instances.append(
            Instance.model_validate(
                {
                    "Tampered Region": recognised["content"],
                    "Absolute Position": each["position"],
                    "Relative Position": recognised["relative_position"],
                    "Artifacts": examined["artifacts"],
                    "box": (min(x0), min(y0), max(x1), max(y1)),
                }
            )
        )
    return instances, removed


def reviews_of(queue: Queue, picture: int) -> tuple[Review, ...]:
    """What people made of a picture's instances, by instance and reviewer.

    Args:
        queue: of a work directory.
        picture: its id.

    Returns:
        The reviews.
    """
    found = queue.read(
        "SELECT instance, reviewer, decision, quality, correction FROM reviews WHERE picture = ? ORDER BY 1, 2", picture
    )
    return tuple(
        Review.model_validate(
            {
                "instance": instance,
                "reviewer": reviewer,
                "decision": decision,
                "quality": quality,
                "correction": json.loads(correction) if correction else None,
            }
        )
        for instance, reviewer, decision, quality, correction in found
    )


def _corrected(instances: list[Instance], reviews: tuple[Review, ...]) -> list[Instance]:
    kept: dict[int, Instance | None] = dict(enumerate(instances))
    for review in reviews:
        if review.decision == "rejected":
            kept[review.instance] = None
        elif review.correction is not None:
            kept[review.instance] = review.correction
        else:
            kept[review.instance] = instances[review.instance]
    return [instance for instance in kept.values() if instance is not None]


def _finished(queue: Queue) -> list[int]:
    rows: list[tuple[Any, ...]] = queue.read(
        "SELECT picture FROM steps GROUP BY picture HAVING SUM(status != 'done') = 0 ORDER BY picture"
    )
    return [picture for (picture,) in rows]
