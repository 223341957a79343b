"""The manifest of sources: names, hashes, identities, splits, origins and licences, so that anyone draws the same."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from typing import cast

from omni_iml.data.sources import Source, Split

LICENCES: Mapping[str, str] = {
    "natural/imagenet_samples": "none stated; ImageNet research terms",
    "natural/metadata_extractor_jpg": "free to use these media files however you wish",
    "natural/elementary_wallpapers": "per file, Creative Commons",
    "document/sroie": "repository MIT; ICDAR data for research",
    "document/docbank": "Apache-2.0",
    "document/receipts_lv": "none stated",
    "document/publaynet_examples": "not confirmed",
    "scene_text/openalpr_endtoend": "repository AGPL",
    "scene_text/grocery_packages": "MIT",
    "scene_text/ctpn_demo": "not confirmed",
    "scene_text/easyocr_examples": "not confirmed",
    "face/faker_ai_portraits_cc0": "CC0",
    "face/facemask_without_mask": "MIT",
    "face/udacity_keypoints_ytf": "MIT",
}
"""What the public repository of each set states."""


@dataclass(frozen=True)
class Listed:
    """One source in a manifest.

    Attributes:
        path: ``<domain>/<set>/<file>``, below the folder ``source``.
        sha256: of the file's bytes, hexadecimal.
        identity: as in `Source`.
        split: as in `Source`.
        licence: as its repository states it.
    """

    path: str
    sha256: str
    identity: str
    split: str
    licence: str


def listed(sources: Sequence[Source]) -> list[Listed]:
    """The manifest's lines of sources, their files hashed."""
    return [
        Listed(
            f"{source.origin}/{source.path.name}",
            hashlib.sha256(source.path.read_bytes()).hexdigest(),
            source.identity,
            source.split,
            LICENCES.get(source.origin, "not stated"),
        )
        for source in sources
    ]


def to_csv(lines: Sequence[Listed]) -> str:
    """The manifest as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Listed)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(line) for line in lines)
    return text.getvalue()


def from_csv(text: str) -> list[Listed]:
    """The lines of a manifest that `to_csv` wrote."""
    return [Listed(**row) for row in csv.DictReader(io.StringIO(text))]


def committed() -> list[Listed]:
    """The manifest that ships with the package: the sources of the bundled model and of the synthetic test sets."""
    return from_csv(files(__package__).joinpath("sources.csv").read_text(encoding="utf-8"))


def select(sources: Sequence[Source], manifest: Sequence[Listed]) -> list[Source]:
    """The sources that a manifest lists, with its splits, in its order.

    Args:
        sources: what is there.
        manifest: what shall be there; other sources are left out.

    Raises:
        FileNotFoundError: a listed file is missing.
        ValueError: a file has other bytes than the manifest says.
    """
    there = {f"{source.origin}/{source.path.name}": source for source in sources}
    if missing := [line.path for line in manifest if line.path not in there]:
        raise FileNotFoundError(
            f"source/{missing[0]}: is in the manifest and not there ({len(missing)} such files); "
            "docs/synthesis.md says where each set comes from."
        )
    chosen = []
    for line in manifest:
        source = there[line.path]
        if hashlib.sha256(source.path.read_bytes()).hexdigest() != line.sha256:
            raise ValueError(f"{source.path}: has other bytes than the manifest says; fetch the file again.")
        chosen.append(Source(source.path, source.origin, line.identity, cast(Split, line.split)))
    return chosen
