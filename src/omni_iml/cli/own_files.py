"""Which of the files beside one another our commands wrote: a map is ours where its JSON file is, and that says so."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from omni_iml.io.paths import openable
from omni_iml.io.whole_file import UnwritableFile

_PART = re.compile(r"\.[pi]\d{2,}|!")
"""How the name of a part goes on after that of its file: see `omni_iml.types.EvidenceImage`."""
_LONGEST = 16 * 2**20
"""Bytes of a JSON file that is looked into; ours have some kilobytes."""


@dataclass(frozen=True)
class Kind:
    """What a command writes for a picture: files with the picture's name and these endings.

    Attributes:
        schema: how the ``schema`` of its JSON file begins.
        json: ending of that file, which is written last.
        maps: endings of the pictures that lie beside it.
    """

    schema: str
    json: str
    maps: tuple[str, ...]

    def files(self, stem: Path) -> list[Path]:
        """The paths of a picture's results, the JSON file last."""
        return [stem.with_name(stem.name + ending) for ending in (*self.maps, self.json)]


DETECTION = Kind("omni-iml/detection/", ".json", (".mask.png", ".heatmap.png", ".overlay.png"))
EXPLANATION = Kind("omni-iml/explanation/", ".explanation.json", (".explanation.png",))
REFINEMENT = Kind("omni-iml/refinement/", ".refinement.json", (".mask.png",))
_KINDS = (DETECTION, EXPLANATION, REFINEMENT)


def is_own_json(path: Path, kind: Kind) -> bool:
    """Whether a command of ours wrote the file.

    Args:
        path: named like a JSON file of that kind.
        kind: of its results.

    Returns:
        False too if it is not there, cannot be read or is no JSON.
    """
    try:
        with openable(path).open("rb") as stream:
            text = stream.read(_LONGEST + 1)
        held = json.loads(text) if len(text) <= _LONGEST else None
    except (OSError, ValueError, RecursionError):
        return False
    schema = held.get("schema") if isinstance(held, dict) else None
    return isinstance(schema, str) and schema.startswith(kind.schema)


def is_own_map(path: Path) -> bool:
    """Whether a command of ours wrote the picture: it has a map's name, and the JSON file beside it is ours.

    Args:
        path: of any file.

    Returns:
        True also for one that somebody put in our map's place: nothing tells the two apart.
    """
    for kind in _KINDS:
        for ending in kind.maps:
            if path.name.endswith(ending) and openable(path).is_file():
                stem = path.name.removesuffix(ending)
                if is_own_json(path.with_name(stem + kind.json), kind):
                    return True
    return False


def first_foreign(stem: Path, kind: Kind) -> Path | None:
    """What results of a picture would replace although no command of ours wrote it.

    Args:
        stem: path of the results without their endings.
        kind: of the results.

    Returns:
        The first such file; None where there is none.
    """
    *maps, last = kind.files(stem)
    if os.path.lexists(openable(last)) and not is_own_json(last, kind):
        return last
    return next((path for path in maps if os.path.lexists(openable(path)) and not is_own_map(path)), None)


def earlier_results(stem: Path, kind: Kind) -> list[Path]:
    """Results of ours that lie there of a picture or of the parts of a document.

    Args:
        stem: path of the picture's results without their endings.
        kind: of the results.

    Returns:
        The path without endings of each, sorted; those whose JSON file is not ours are left out.
    """
    folder, own = stem.parent, stem.name
    try:
        names = [entry.name for entry in openable(folder).iterdir()]
    except OSError:
        return []
    jsons = []
    for name in names:
        if name == own + kind.json or (name.startswith(own) and _PART.match(name, len(own))):
            jsons.append(folder / name)
            top = openable(folder / name)  # of "report.docx!word/media/a.jpg" a folder; of a file nothing is walked
            for place, _, inside in os.walk(top):
                jsons += [folder / name / Path(place).relative_to(top) / each for each in inside]
    ours = (path for path in jsons if path.name.endswith(kind.json) and is_own_json(path, kind))
    return sorted(path.with_name(path.name.removesuffix(kind.json)) for path in ours)


def remove(paths: Iterable[Path]) -> None:
    """Remove files of ours.

    Args:
        paths: of a picture's results, the JSON file last: a map without it would look like somebody else's.

    Raises:
        UnwritableFile: one cannot be removed.
    """
    for path in paths:
        try:
            openable(path).unlink(missing_ok=True)
        except OSError as error:
            raise UnwritableFile(path, error) from error
