"""Authentic source pictures: found, and split by identity."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

Domain = Literal["natural", "document", "face", "scene_text"]
Split = Literal["train", "validation", "test"]
DOMAINS: tuple[Domain, ...] = ("natural", "document", "face", "scene_text")
SUFFIXES = {".jpg", ".jpeg", ".png"}
PLAIN_SUFFIXES = SUFFIXES | {".tif", ".tiff", ".webp", ".bmp", ".pdf"}
"""What is taken from a folder of a user's own."""

MADE_HERE = "synthesis.json"
"""A folder that holds a file of this name was written by ``omni-iml synth``: nothing in it is authentic."""

# Sets in which several files show one person or product. The trailing number is not part of a series' name, and of the
# name of the person or product these prefixes are no part either.
_PREFIX = {
    "udacity_keypoints_ytf": "",
    "facemask_without_mask": r"^\d_\d_",
    "grocery_packages": r"^.*__",
}

# Rotated copies of other pictures of their collection, one of which is in devbench: they teach nothing and would leak.
_LEFT_OUT = "augmented_image_"


@dataclass(frozen=True)
class Source:
    """One authentic picture on disk.

    Attributes:
        path: absolute path.
        origin: ``domain/set``, for example "natural/imagenet_samples".
        identity: the person, product or picture; it is in one split only.
        split: about 5% of the identities are for validation, 4% for test.
    """

    path: Path
    origin: str
    identity: str
    split: Split

    @property
    def domain(self) -> Domain:
        """The domain folder the picture lies in."""
        return domain_of(self.origin)


def data_root() -> Path:
    """The folder that recipes find pictures under.

    Raises:
        FileNotFoundError: ``OMNI_IML_DATA`` is not set, or has no ``source`` folder.
    """
    value = os.environ.get("OMNI_IML_DATA")
    root = Path(value) if value else None
    if root is None or not (root / "source").is_dir():
        raise FileNotFoundError(
            f"OMNI_IML_DATA={value!r}: no folder 'source' of authentic pictures there; set OMNI_IML_DATA to the "
            "folder that holds source/<domain>/<set>/."
        )
    return root


def data_folder() -> Path:
    """The folder that the data sets of a recipe lie below.

    Raises:
        FileNotFoundError: ``OMNI_IML_DATA`` is not set, or names no folder.
    """
    value = os.environ.get("OMNI_IML_DATA")
    if not value or not Path(value).is_dir():
        raise FileNotFoundError(f"OMNI_IML_DATA={value!r}: is no folder; set it to the one that holds the data sets.")
    return Path(value)


def find(root: Path, domain: Domain | None = None) -> list[Source]:
    """All sources of a folder, in an order that depends on their names alone.

    Args:
        root: a folder that holds ``source/<domain>/<set>/``, or any folder of pictures and PDF documents.
        domain: of a folder of the second kind, every file of which is an identity of its own; None for the first.
            Hidden files, and folders that ``omni-iml synth`` wrote, are left out.

    Raises:
        ValueError: the folder itself is one that ``omni-iml synth`` wrote.
    """
    if domain is not None:
        return _find_plain(root.absolute(), domain)
    paths = [
        (domain, path)
        for domain in DOMAINS
        # By the path's parts: Windows would otherwise sort regardless of case.
        for path in sorted((root.absolute() / "source" / domain).glob("*/*"), key=lambda p: p.parts)
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(_LEFT_OUT)
    ]
    series: dict[str, set[str]] = {}
    for _, path in paths:
        series.setdefault(_identity(path), set()).add(_series(path))
    splits = {identity: _split(members) for identity, members in series.items()}
    return [
        Source(path, f"{domain}/{path.parent.name}", _identity(path), splits[_identity(path)]) for domain, path in paths
    ]


def _find_plain(root: Path, domain: Domain) -> list[Source]:
    if (root / MADE_HERE).is_file():
        raise ValueError(f"{root}: holds pictures that omni-iml synth made; name a folder of authentic ones.")
    made = {path.parent for path in root.rglob(MADE_HERE)}
    found = []
    for path in sorted(root.rglob("*"), key=lambda p: p.parts):
        below = path.relative_to(root)
        hidden = any(part.startswith(".") for part in below.parts)
        if path.suffix.lower() in PLAIN_SUFFIXES and path.is_file() and not hidden and made.isdisjoint(path.parents):
            found.append(Source(path, f"{domain}/{root.name}", below.as_posix(), _split({below.as_posix()})))
    return found


def domain_of(origin: str) -> Domain:
    """The domain of an origin ``domain/set``."""
    return cast(Domain, origin.partition("/")[0])


def _series(path: Path) -> str:
    whole = re.sub(r"@\d+_\d+$", "", path.stem)  # of a tile that `jpeg_tiles` cut, the picture's own name
    stem = re.sub(r"[_-]?\d+$", "", whole) if path.parent.name in _PREFIX else whole
    return f"{path.parent.name}/{stem or whole}"


def _identity(path: Path) -> str:
    folder, _, series = _series(path).partition("/")
    return f"{folder}/{re.sub(_PREFIX.get(folder, ''), '', series)}"


def _split(series: set[str]) -> Split:
    """The split that all series of an identity hash to, else train.

    Going by the series keeps pictures that earlier weights were trained on out of validation and test.
    """
    buckets = {hashlib.sha256(name.encode()).digest()[0] % 16 for name in series}
    return "validation" if buckets == {0} else "test" if buckets == {1} else "train"
