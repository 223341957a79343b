"""Omni-273k as it is published: one dict {image name: annotation} per source set, pickled or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omni_iml.annotate.checking import Problem, Report, WrongAnnotations, checked
from omni_iml.annotate.schema import Annotation, Domain, Split
from omni_iml.annotate.source_sets import source_set, split_in_name
from omni_iml.annotate.unpickling import read_plain_pickle
from omni_iml.io.paths import openable

PUBLISHED_SUFFIXES = (".pkl", ".pickle", ".pk", ".json")


def read_published(
    path: Path,
    report: Report,
    *,
    source: str | None = None,
    domain: Domain | None = None,
    split: Split | None = None,
    manual: bool | None = None,
) -> Iterator[Annotation]:
    """Read one published file.

    An annotation may be the list of instances, one instance alone, or the JSON text of either.

    Args:
        path: a pickle or JSON file.
        report: takes what is wrong with an entry; the others are given.
        source: name of the source set; by default the file's name says it.
        domain: of its pictures; by default that of the source set of this name.
        split: by default what the file's name or the source set says.
        manual: whether its forgeries are made by hand; by default as known of the source set.

    Yields:
        Valid rows, in the file's order.

    Raises:
        WrongAnnotations: the file cannot be read, is no dict, or its domain is not known and not given.
    """
    source = source or path.stem
    known = source_set(source)
    if domain is None and known is None:
        raise WrongAnnotations(f"{path}: {source!r} is no source set that is known; say its domain.")
    shared = {
        "source": source if known is None else known.name,
        "domain": domain or (known.domain if known else None),
        "split": split or split_in_name(path.stem) or (known.split if known else None),
        "manual": manual if manual is not None else (known.manual if known else None),
    }
    yield from checked(_entries(path, _read(path), shared), report)


def _read(path: Path) -> Mapping[Any, Any]:
    match path.suffix.lower():
        case ".json":
            try:
                content = json.loads(openable(path).read_text(encoding="utf-8-sig"))
            except (OSError, ValueError, RecursionError) as error:
                raise WrongAnnotations(f"{path}: is no readable JSON file ({error}); check the file.") from error
        case ".pkl" | ".pickle" | ".pk":
            content = read_plain_pickle(path)
        case _:
            raise WrongAnnotations(f"{path}: is none of {', '.join(PUBLISHED_SUFFIXES)}; rename or convert it.")
    if not isinstance(content, dict):
        kind = type(content).__name__
        raise WrongAnnotations(f"{path}: holds a {kind}, not a dict of image names; name a published file.")
    return content


def _entries(
    path: Path, content: Mapping[Any, Any], shared: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any] | Problem]]:
    for number, (image, annotation) in enumerate(content.items(), 1):
        place = f"{path}, entry {number} ({image!r:.80})"
        if isinstance(annotation, str | bytes):
            try:
                annotation = json.loads(annotation)
            except (ValueError, RecursionError) as error:
                yield place, Problem(place, "", f"its annotation is no JSON ({error}); write the entry again.")
                continue
        instances = [annotation] if isinstance(annotation, dict) else annotation
        yield place, {"image": image, "instances": instances, **shared}
