"""Which prediction belongs to which truth mask: by name, inside the same relative folder.

A **truth** mask is named after its picture, with or without the picture's own suffix: ``photo.png`` or
``photo.jpg.png`` (also ``photo.jpg.mask.png``) for ``photo.jpg``. A **prediction** is a file as `omni-iml detect`
names it, ``photo.jpg.mask.png`` and ``photo.jpg.heatmap.png``, or a plain picture named like a truth mask. The rules:

1. Both folders are read with their subfolders, linked ones included; only files in the same relative folder match.
2. Names match when they are the same, or when one of them has no picture suffix and equals the other without its own:
   ``photo`` matches ``photo.jpg``; ``photo.png`` does not. Upper and lower case matter in names, not in suffixes; how
   accents are encoded (NFC or NFD) does not matter.
3. ``.mask`` and ``.heatmap`` of one picture go together; any other two files that match one name are an error, and
   so are two truth masks that match one prediction.
4. Hidden files, ``.overlay`` pictures and files that are no pictures (reports) are not looked at.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from omni_iml.metrics.walking import files_below
from omni_iml.types import OmniError

PICTURE_SUFFIXES = frozenset({".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jpg", ".jpeg", ".pgm", ".pbm"})
"""What a mask or a heat map may be stored as."""

Kind = Literal["mask", "heatmap", "plain"]

# Metrics import nothing of omni_iml.io: a test compares this with the suffixes that `detect` looks for.
SOURCE_SUFFIXES = PICTURE_SUFFIXES | {
    ".jpe", ".jfif", ".mpo", ".apng", ".dib", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".avif", ".avifs",
    ".heic", ".heics", ".heif", ".heifs", ".hif", ".ppm", ".pdf",
}  # fmt: skip
"""What a predicted picture, or the document that it is a page of, may be stored as."""

_SOURCE = "|".join(re.escape(suffix) for suffix in sorted(SOURCE_SUFFIXES))
_NAME = re.compile(rf"(?P<stem>.+?)(?P<suffix>{_SOURCE})?(?P<page>\.p\d{{3,}})?", re.IGNORECASE)


@dataclass(frozen=True)
class Prediction:
    """The files that predict one picture.

    Attributes:
        name: relative folder and name of the picture as the files' names give it, with "/", accents composed (NFC).
        mask: the ``.mask`` file, or None.
        heatmap: the ``.heatmap`` file, or None.
        plain: the plain file, which is a mask or a heat map, or None; the only one when there is one.
    """

    name: str
    mask: Path | None = None
    heatmap: Path | None = None
    plain: Path | None = None


@dataclass(frozen=True)
class Matching:
    """What belongs together.

    Attributes:
        pairs: truth mask and prediction, in the order of the truth's names.
        missing: truth masks that no prediction matches.
        extra: predictions that no truth mask matches.
        ambiguous: groups of files that match one name, so that none of them can be used.
    """

    pairs: tuple[tuple[Path, Prediction], ...]
    missing: tuple[Path, ...]
    extra: tuple[Prediction, ...]
    ambiguous: tuple[tuple[Path, ...], ...]


def match_folders(predictions: Path, truths: Path) -> Matching:
    """Pair the predictions of one folder with the truth masks of another by the rules above.

    Args:
        predictions: folder of masks and heat maps.
        truths: folder of truth masks.

    Returns:
        The pairs, and all that could not be paired.

    Raises:
        OmniError: one of the two is no folder or holds no picture, or both are the same folder.
    """
    if predictions.is_dir() and truths.is_dir() and predictions.samefile(truths):
        raise OmniError(f"{predictions}: the truth would be scored against itself; name two different folders.")
    found = _group(_pictures(predictions, "prediction"), predictions)
    wanted = _group(_pictures(truths, "truth mask"), truths)

    by_bare_name: dict[str, list[str]] = defaultdict(list)
    for name in found:
        by_bare_name[bare_name(name)].append(name)
    fitting = {name: [other for other in by_bare_name[bare_name(name)] if _match(name, other)] for name in wanted}
    claims: dict[str, list[str]] = defaultdict(list)
    for name, others in fitting.items():
        for other in others:
            claims[other].append(name)

    pairs: list[tuple[Path, Prediction]] = []
    missing: list[Path] = []
    ambiguous: dict[tuple[Path, ...], None] = {}  # a set that keeps its order
    for name, files in wanted.items():
        others = fitting[name]
        if len(files) > 1:
            ambiguous[_paths(files)] = None
        elif not others:
            missing.append(files[0][1])
        elif len(others) > 1:
            ambiguous[_paths(file for other in others for file in found[other])] = None
        elif len(claims[others[0]]) > 1:
            ambiguous[_paths(file for claim in claims[others[0]] for file in wanted[claim])] = None
        elif (prediction := _prediction(others[0], found[others[0]])) is None:
            ambiguous[_paths(found[others[0]])] = None
        else:
            pairs.append((files[0][1], prediction))
    extra = []
    for name, files in found.items():
        if name in claims:
            continue
        if (prediction := _prediction(name, files)) is None:
            ambiguous[_paths(files)] = None
        else:
            extra.append(prediction)
    return Matching(tuple(pairs), tuple(missing), tuple(extra), tuple(ambiguous))


def predictions_by_name(folder: Path) -> dict[str, Prediction | tuple[Path, ...]]:
    """The predictions of a folder that may hold none, or files that match one name: those stand in place of one.

    Args:
        folder: of masks and heat maps.

    Raises:
        OmniError: it is no folder, or cannot be listed.
    """
    groups = _group(_pictures(folder, "prediction", empty=True), folder)
    return {name: _prediction(name, files) or _paths(files) for name, files in groups.items()}


def bare_name(name: str) -> str:
    """A relative name without the picture's suffix, in NFC; a page number (``scan.pdf.p002``) stays."""
    name = unicodedata.normalize("NFC", name)
    folder, slash, last = name.rpartition("/")
    parts = _NAME.fullmatch(last)
    if parts is None:  # an empty name, as of a file called ".mask.png": hidden, never here
        return name
    return f"{folder}{slash}{parts['stem']}{parts['page'] or ''}"


def _pictures(folder: Path, what: str, *, empty: bool = False) -> list[Path]:
    if not folder.is_dir():
        raise OmniError(f"{folder}: this is not a folder; name the folder that holds the {what}s.")
    files = sorted(filter(_is_picture, files_below(folder)))
    if not files and not empty:
        raise OmniError(f"{folder}: no {what} is in this folder; it must hold pictures such as photo.png.")
    return files


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in PICTURE_SUFFIXES and not file.stem.lower().endswith(".overlay")


def _group(files: Iterable[Path], root: Path) -> dict[str, list[tuple[Kind, Path]]]:
    """Files by the relative name of the picture that they speak of, with what each of them is."""
    groups: dict[str, list[tuple[Kind, Path]]] = defaultdict(list)
    for file in files:
        kind: Kind = "plain"
        name = file.stem
        if name.lower().endswith(".mask"):
            kind, name = "mask", name[: -len(".mask")]
        elif name.lower().endswith(".heatmap"):
            kind, name = "heatmap", name[: -len(".heatmap")]
        relative = (PurePosixPath(*file.relative_to(root).parent.parts) / name).as_posix()
        # macOS hands on decomposed names, other systems composed ones, and both look the same.
        groups[unicodedata.normalize("NFC", relative)].append((kind, file))
    return dict(sorted(groups.items()))


def _match(name: str, other: str) -> bool:
    """Whether two names with the same bare name mean the same picture (rule 2)."""
    return name == other or bare_name(name) in (name, other)


def _prediction(name: str, files: list[tuple[Kind, Path]]) -> Prediction | None:
    """One prediction from its files; None when they cannot go together (rule 3)."""
    by_kind = dict(files)
    if len(by_kind) < len(files) or ("plain" in by_kind and len(files) > 1):
        return None
    return Prediction(name, by_kind.get("mask"), by_kind.get("heatmap"), by_kind.get("plain"))


def _paths(files: Iterable[tuple[Kind, Path]]) -> tuple[Path, ...]:
    return tuple(path for _, path in files)
