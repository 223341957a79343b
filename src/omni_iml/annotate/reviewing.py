"""Reviews: which instances a person is shown, and how what they say is kept beside the model's text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from omni_iml.annotate.exporting import export
from omni_iml.annotate.queue import Queue
from omni_iml.annotate.schema import DOMAINS, Annotation, Decision, Domain, Instance, Review


@dataclass(frozen=True)
class Item:
    """One instance to review.

    Attributes:
        picture: id in the queue.
        name: of the picture.
        domain: of the picture.
        instance: index.
        text: the model's.
    """

    picture: int
    name: str
    domain: Domain
    instance: int
    text: Instance


def items(queue: Queue, *, sample: int | None = None, seed: int = 0) -> list[Item]:
    """The instances of finished pictures.

    Args:
        queue: of a work directory.
        sample: pictures of each domain that are drawn; None for all. D.2 drew 500.
        seed: of the draw; the same for all reviewers, so that they see the same pictures.

    Returns:
        The instances, picture by picture.
    """
    numbers = {(name, source): number for number, name, source in queue.read("SELECT id, name, source FROM pictures")}
    rows = list(export(queue))
    if sample is not None:
        random = Random(seed)
        drawn = []
        for domain in DOMAINS:
            of_domain = [row for row in rows if row.domain == domain]
            drawn += random.sample(of_domain, min(sample, len(of_domain)))
        rows = [row for row in rows if row in drawn]
    return [
        Item(numbers[row.image, row.source], row.image, row.domain, index, text)
        for row in rows
        for index, text in enumerate(row.instances)
    ]


def keep_review(
    queue: Queue, item: Item, reviewer: str, *, accepted: bool, quality: int | None, text: Instance | None
) -> Review:
    """Keep what a person said; a second time replaces the first. The model's text stays as it is.

    Args:
        queue: of a work directory.
        item: the instance.
        reviewer: who.
        accepted: False to reject it.
        quality: 0 to 5, or None.
        text: how it should read, or None; the model's own words are no correction.

    Returns:
        The review.

    Raises:
        ValueError: the reviewer has no name, or the quality is not 0 to 5.
    """
    changed = accepted and text is not None and text != item.text
    decision: Decision = "corrected" if changed else "accepted" if accepted else "rejected"
    review = Review(
        instance=item.instance,
        reviewer=reviewer,
        decision=decision,
        quality=quality,
        correction=text if changed else None,
    )
    correction = None if review.correction is None else review.correction.model_dump_json()
    with queue.write() as db:
        db.execute(
            "INSERT OR REPLACE INTO reviews VALUES (?, ?, ?, ?, ?, ?)",
            (item.picture, item.instance, review.reviewer, decision, quality, correction),
        )
    return review


def review_by(queue: Queue, item: Item, reviewer: str) -> Review | None:
    """What a person said of an instance before.

    Args:
        queue: of a work directory.
        item: the instance.
        reviewer: who.

    Returns:
        The review, or None.
    """
    found = queue.read(
        "SELECT decision, quality, correction FROM reviews WHERE picture = ? AND instance = ? AND reviewer = ?",
        item.picture,
        item.instance,
        reviewer,
    )
    if not found:
        return None
    decision, quality, correction = found[0]
    text = Instance.model_validate(json.loads(correction)) if correction else None
    return Review(instance=item.instance, reviewer=reviewer, decision=decision, quality=quality, correction=text)


def truth_of(rows: Sequence[Annotation]) -> dict[tuple[str, str], dict[int, Instance]]:
    """The reviewed text: what people accepted, or how they corrected it.

    Args:
        rows: with reviews; of several reviewers the last by name decides.

    Returns:
        Instances by index, by source and image; rejected and unreviewed ones are left out.
    """
    truth: dict[tuple[str, str], dict[int, Instance]] = {}
    for row in rows:
        for review in row.reviews:
            chosen = truth.setdefault((row.source, row.image), {})
            chosen.pop(review.instance, None)
            if review.decision != "rejected":
                chosen[review.instance] = review.correction or row.instances[review.instance]
    return {key: chosen for key, chosen in truth.items() if chosen}


def artifacts_to_text(artifacts: dict[str, str]) -> str:
    """Artifacts as people edit them: ``title: description``, a line each.

    Args:
        artifacts: title to description.

    Returns:
        The text.
    """
    return "\n".join(f"{title}: {' '.join(text.split())}" for title, text in artifacts.items())


def artifacts_from_text(text: str) -> dict[str, str]:
    """Read edited artifacts.

    Args:
        text: ``title: description`` lines; empty lines are passed over.

    Returns:
        Title to description.

    Raises:
        ValueError: a line has no title or no description, or a title comes twice.
    """
    artifacts: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        title, _, description = (part.strip() for part in line.partition(":"))
        if not title or not description:
            raise ValueError(f"The line {line!r} is not of the form title: description; add what is missing.")
        if title in artifacts:
            raise ValueError(f"The title {title!r} stands there twice; join the two lines.")
        artifacts[title] = description
    return artifacts
