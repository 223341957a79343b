"""Which pictures are to be annotated, with which masks: a folder of each, or a list."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from omni_iml.annotate.joining import pictures_below
from omni_iml.annotate.schema import DOMAINS, Domain, Split
from omni_iml.annotate.source_sets import source_set
from omni_iml.io.paths import openable
from omni_iml.types import OmniError

COLUMNS = ("image", "mask", "domain", "source", "split", "manual")
"""Of a list; the last three may be missing or empty."""


class WrongList(OmniError):  # noqa: N818 - named for what is wrong
    """A list of pictures that cannot be used."""


@dataclass(frozen=True)
class Job:
    """One picture to annotate.

    Attributes:
        name: within its source set.
        picture: path.
        mask: path; a file that is missing is found out when the picture's turn comes.
        domain: of the picture.
        source: the source set.
        split: where known.
        manual: where known.
        fragments: one object may be several regions of the mask.
    """

    name: str
    picture: Path
    mask: Path
    domain: Domain
    source: str
    split: Split | None
    manual: bool | None
    fragments: bool


def jobs_of_folders(
    pictures: Path, masks: Path, domain: Domain, source: str, *, split: Split | None, fragments: bool | None
) -> list[Job]:
    """Pair a folder of pictures with a folder of masks.

    The mask of ``a/b.jpg`` is ``a/b.jpg.mask.png``, ``a/b.jpg.png`` or ``a/b`` with any picture's suffix.

    Args:
        pictures: folder.
        masks: folder.
        domain: of all pictures.
        source: name of the source set.
        split: of all pictures.
        fragments: as for `Job`; None for what is known of the source set.

    Returns:
        The pictures that have a mask; authentic ones have none.

    Raises:
        WrongList: no picture has a mask.
        FileNotFoundError: a folder is missing.
    """
    there = {path.relative_to(masks).as_posix().casefold(): path for path in pictures_below(masks)}
    stems = {key.rpartition(".")[0]: path for key, path in there.items()}
    jobs = []
    for picture in pictures_below(pictures):
        name = picture.relative_to(pictures).as_posix()
        key = name.casefold()
        mask = there.get(f"{key}.mask.png") or there.get(f"{key}.png") or stems.get(key.rpartition(".")[0])
        if mask is not None and mask != picture:
            jobs.append(_job(name, picture, mask, domain, source, split, None, fragments))
    if not jobs:
        raise WrongList(f"{masks}: holds no mask for a picture in {pictures}; name masks like their pictures.")
    return jobs


def jobs_of_list(path: Path) -> list[Job]:
    """Read a CSV list with a line a picture.

    Args:
        path: with a head of `COLUMNS`; paths in it are relative to its folder.

    Returns:
        The jobs, in the list's order.

    Raises:
        WrongList: a line is wrong; it is named with its column.
    """
    try:
        with openable(path).open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream)
            missing = [name for name in COLUMNS[:3] if name not in (table.fieldnames or [])]
            if missing:
                raise WrongList(f"{path}: has no column {missing[0]}; the columns are {', '.join(COLUMNS)}.")
            jobs = [_listed(path, number, line) for number, line in enumerate(table, 2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WrongList(f"{path}: cannot be read ({error}); name a CSV file in UTF-8.") from error
    if not jobs:
        raise WrongList(f"{path}: lists no picture; add a line for each.")
    names = [(job.source, job.name) for job in jobs]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice:
        raise WrongList(f"{path}: lists {twice[1]} of {twice[0]} twice; give one of the lines another source.")
    return jobs


def _listed(path: Path, number: int, line: dict[str, str | None]) -> Job:
    values = {name: (line.get(name) or "").strip() for name in COLUMNS}
    place = f"{path}, line {number}"
    for name, allowed in (
        ("domain", DOMAINS),
        ("split", ("train", "test", "")),
        ("manual", ("yes", "no", "")),
    ):
        if values[name] not in allowed:
            choices = ", ".join(choice or "nothing" for choice in allowed)
            raise WrongList(f"{place}: {name} is {values[name]!r}; it must be one of: {choices}.")
    for name in ("image", "mask"):
        if not values[name]:
            raise WrongList(f"{place}: {name} is empty; give the path of a file.")
    manual = {"yes": True, "no": False}.get(values["manual"])
    domain = next(known for known in DOMAINS if known == values["domain"])
    split: Split | None = "train" if values["split"] == "train" else "test" if values["split"] == "test" else None
    picture, mask = (path.parent / values[name] for name in ("image", "mask"))
    return _job(values["image"], picture, mask, domain, values["source"] or path.stem, split, manual, None)


def _job(
    name: str,
    picture: Path,
    mask: Path,
    domain: Domain,
    source: str,
    split: Split | None,
    manual: bool | None,
    fragments: bool | None,
) -> Job:
    known = source_set(source)
    return Job(
        name=name,
        picture=picture.resolve(),
        mask=mask.resolve(),
        domain=domain,
        source=known.name if known else source,
        split=split or (known.split if known else None),
        manual=manual if manual is not None or known is None else known.manual,
        fragments=fragments if fragments is not None else bool(known and known.fragments),
    )
