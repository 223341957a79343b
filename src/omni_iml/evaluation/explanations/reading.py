"""What is compared: the true annotations, and what anybody's model said, from any form that explanations have.

A prediction is read as leniently as a model's answer is (`omni_iml.explain.answer`): a missing field is empty and
scores nothing, and a text of which nothing can be read still counts as a whole string.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from omni_iml.annotate import read_published, read_rows
from omni_iml.annotate.checking import Problem, Report, WrongAnnotations
from omni_iml.annotate.joining import join
from omni_iml.annotate.published import PUBLISHED_SUFFIXES
from omni_iml.annotate.schema import Annotation, Domain, Instance, published_form
from omni_iml.annotate.storage import read_objects
from omni_iml.explain.answer import Said, parse_answer
from omni_iml.io.paths import same_spelling

LONGEST = 20_000
"""Characters of a text that are compared: a model that repeats itself for ever would take the longest to score."""

EXPLANATION = ".explanation.json"
"""How the files of `omni-iml explain` end."""


@dataclass(frozen=True)
class Prediction:
    """What was said of one picture.

    Attributes:
        image: name of the picture.
        source: name of its source set; None where the file does not say.
        said: the regions that could be read, none where nothing could.
        text: the whole string: the regions in the published form as JSON, or the raw text where none could be read.
        place: file and row.
    """

    image: str
    source: str | None
    said: tuple[Said, ...]
    text: str
    place: str


@dataclass(frozen=True)
class Paired:
    """Truth and predictions brought together.

    Attributes:
        pairs: true row and what was said of it, None where nothing was, in the order of the truth.
        extra: predictions of pictures that the truth does not have.
    """

    pairs: tuple[tuple[Annotation, Prediction | None], ...]
    extra: tuple[Prediction, ...]


def read_truth(path: Path, report: Report, domain: Domain | None = None) -> list[Annotation]:
    """Read the true annotations.

    Args:
        path: rows (``.jsonl``, ``.parquet``) or a published file (``.pkl``, ``.json``).
        report: takes what is wrong with a row; the others are given.
        domain: of a published file's pictures, where its name is no known source set.

    Returns:
        Rows; of reviewed ones the text as people corrected it, without what they rejected.

    Raises:
        WrongAnnotations: the file cannot be read.
    """
    if path.suffix.lower() in PUBLISHED_SUFFIXES:
        return list(read_published(path, report, domain=domain))
    return [row for found in read_rows(path, report) if (row := _as_reviewed(found)) is not None]


def read_predictions(path: Path, report: Report) -> list[Prediction]:
    """Read what a model said.

    Args:
        path: the folder that `omni-iml explain --out` wrote, of which the measurements count, or what a multimodal
            model said where one was asked; or JSON lines, each with "image" and either "instances" in
            the published form or "output", a model's raw text; or a published file, or Parquet rows.
        report: takes what cannot be read; the others are given. Of two for one picture the first counts.

    Returns:
        One a picture, in the order of the file.

    Raises:
        WrongAnnotations: there is no such folder, or the file cannot be read.
    """
    if path.is_dir():
        found: Iterable[Prediction] = _of_folder(path, report)
    elif path.suffix.lower() == ".jsonl":
        found = _of_lines(path, report)
    elif path.suffix.lower() in PUBLISHED_SUFFIXES:
        # The domain does not matter here, and the truth says it.
        rows = read_published(path, report, domain="natural")
        found = (_of_row(row, str(path), with_source=False) for row in rows)
    else:
        found = (_of_row(row, str(path), with_source=True) for row in read_rows(path, report))
    kept: dict[tuple[str | None, str], Prediction] = {}
    for one in found:
        if (one.source, same_spelling(one.image)) in kept:
            report(Problem(one.place, "", f"{one.image!r} is there twice; the first counts, remove one."))
        kept.setdefault((one.source, same_spelling(one.image)), one)
    return list(kept.values())


def pair(truth: Iterable[Annotation], predictions: Iterable[Prediction]) -> Paired:
    """Find what was said of each true row: by source set and name, or by name alone as `annotate.joining` has it.

    Args:
        truth: true rows.
        predictions: one a picture.

    Returns:
        The pairs, and what has no row.
    """
    rows, given = list(truth), list(predictions)
    named = {(one.source, same_spelling(one.image)): one for one in given if one.source is not None}
    unnamed = {Path(one.image): one for one in given if one.source is None}
    found = {(row.source, row.image): unnamed[file] for row, file in join(rows, unnamed).pairs}
    pairs = tuple(
        (row, named.get((row.source, same_spelling(row.image)), found.get((row.source, row.image)))) for row in rows
    )
    used = {id(one) for _, one in pairs}
    return Paired(pairs, tuple(one for one in given if id(one) not in used))


def true_text(instances: Iterable[Instance]) -> str:
    """The whole string of the truth: its instances in the published form, as one line of JSON."""
    return json.dumps(published_form(instances), ensure_ascii=False)


def _as_reviewed(row: Annotation) -> Annotation | None:
    instances = dict(enumerate(row.instances))
    for review in row.reviews:
        if review.decision == "rejected":
            instances.pop(review.instance, None)
        elif review.correction is not None:
            instances[review.instance] = review.correction
    return row.model_copy(update={"instances": tuple(instances.values())}) if instances else None


def _of_folder(folder: Path, report: Report) -> Iterator[Prediction]:
    files = sorted(folder.rglob(f"*{EXPLANATION}"))
    if not files:
        raise WrongAnnotations(f"{folder}: holds no {EXPLANATION} file; name the folder that explain wrote.")
    for file in files:
        name = file.relative_to(folder).as_posix().removesuffix(EXPLANATION)
        try:
            content = json.loads(file.read_text(encoding="utf-8-sig"))
            asked, items = content.get("interpretation"), content["explanation"]
            raw = None if asked is None else str(asked["raw"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            report(Problem(str(file), "", "is no explanation; let omni-iml explain write it again."))
            continue
        if raw is not None:
            yield _of_text(name, None, raw, str(file), report)
        else:
            yield _of_items(name, None, items, str(file))


def _of_lines(path: Path, report: Report) -> Iterator[Prediction]:
    for place, line in read_objects(path):
        if isinstance(line, Problem):
            report(line)
            continue
        image, source = line.get("image"), line.get("source")
        if not isinstance(image, str) or not image.strip() or not isinstance(source, str | None):
            report(Problem(place, "image", "is missing or no text; name the picture."))
        elif isinstance(line.get("instances"), list):
            yield _of_items(image, source, line["instances"], place)
        elif isinstance(line.get("output"), str):
            yield _of_text(image, source, line["output"], place, report)
        else:
            report(Problem(place, "", "has neither a list of instances nor an output text; give one of them."))


def _of_row(row: Annotation, place: str, *, with_source: bool) -> Prediction:
    source = row.source if with_source else None
    return _of_items(row.image, source, published_form(row.instances), f"{place}, {row.image}")


def _of_items(image: str, source: str | None, items: Any, place: str) -> Prediction:
    without_boxes = [
        {key: value for key, value in item.items() if key != "box"} if isinstance(item, Mapping) else item
        for item in (items if isinstance(items, list) else [items])
    ]
    return _prediction(image, source, json.dumps(without_boxes, ensure_ascii=False), place)


def _of_text(image: str, source: str | None, text: str, place: str, report: Report) -> Prediction:
    if len(text) > LONGEST:
        report(Problem(place, "output", f"has {len(text)} characters; the first {LONGEST} are compared."))
    return _prediction(image, source, text[:LONGEST], place)


def _prediction(image: str, source: str | None, text: str, place: str) -> Prediction:
    said = parse_answer(text).regions
    whole = json.dumps([one.published() for one in said], ensure_ascii=False)[:LONGEST] if said else text
    return Prediction(image, source, said, whole, place)


def all_texts(paired: Paired) -> list[str]:
    """Every text that will be compared, for vectors that are read for their words only."""
    return list(chain.from_iterable((true_text(row.instances), one.text if one else "") for row, one in paired.pairs))
