"""A region's fields in prose: "Tampered Region 1: ...", "**Absolute Position:** ...", and the artifacts that follow."""

from __future__ import annotations

import re
from typing import Literal

Field = Literal["content", "absolute", "relative", "artifacts"]

_NAMES: dict[str, Field] = {
    "tampered region": "content", "tampered object": "content", "tampered text": "content", "content": "content",
    "region": "content", "object": "content", "tampered content": "content", "tampered area": "content",
    "absolute position": "absolute",
    "relative position": "relative",
    "artifacts": "artifacts", "visible artifacts": "artifacts", "image artifacts": "artifacts",
    "artifact": "artifacts", "description of visible artifacts": "artifacts",
}  # fmt: skip
# Possessive (*+): what follows begins with something else, so nothing need be taken back; and a long row of marks,
# which could be shared out among these parts in any way, is not tried in every one.
_MARKS = r"[\s>#*_`\-\u2022]*+(?:\d++[.)]\s*+)?+[\s*_`]*+"
_LINE = re.compile(rf"^{_MARKS}(?P<title>[A-Za-z][^:\n]{{0,60}}?)[\s*_`]*+[:\uff1a][\s*_`]*+(?P<rest>.*)$")
_HEADING = re.compile(rf"^{_MARKS}(?P<title>[A-Za-z][^:\n]{{0,60}}?)[\s*_`]*+$")
_NUMBER = re.compile(r"(?: |(?<!\d))\d++$")  # tried once in a row of digits


def field_of(title: str) -> Field | None:
    """The field that a title or a key names.

    Args:
        title: in any case, with or without a number, underscores and marks: "tampered_region_2".

    Returns:
        The field; None where it is none of the four.
    """
    plain = re.sub(r"[\s_\-#*()\[\]]+", " ", title.casefold()).strip()
    return _NAMES.get(_NUMBER.sub("", plain))


def sections(text: str) -> list[dict[Field, list[object]]]:
    """Regions from lines with titles.

    A line "title: words" whose title is a field begins that field; a field that the region has already, or a new
    content, begins the next region. Lines with other titles are artifacts once the region's place was given; lines
    without a title go on with what stands before them.

    Args:
        text: prose.

    Returns:
        A dict a region: field to its values, artifacts as dicts of title to description. Without content and positions
        there is none.
    """
    reading = _Reading()
    for line in text.splitlines():
        if line.strip() and not line.strip().startswith("```"):
            reading.take(line)
    return [one for one in reading.regions if any(one.get(name) for name in ("content", "absolute", "relative"))]


class _Reading:
    """Regions so far, and what a line without a title goes on with: a field, or an artifact of that title."""

    def __init__(self) -> None:
        self.regions: list[dict[Field, list[object]]] = []
        self._artifacts: dict[str, str] = {}
        self._field: Field | None = None
        self._title: str | None = None

    def take(self, line: str) -> None:
        titled, alone = _LINE.match(line), _HEADING.match(line)
        if titled is not None and (name := field_of(titled["title"])) is not None:
            self._begin_field(name, _bare(titled["rest"]))
        elif alone is not None and (name := field_of(alone["title"])) is not None:
            self._begin_heading(name)
        elif titled is not None and self.regions and {"absolute", "relative", "artifacts"} & self.regions[-1].keys():
            self._add_artifact(_bare(titled["title"]), _bare(titled["rest"]))
        elif self._title is not None:
            self._artifacts[self._title] = f"{self._artifacts[self._title]} {_bare(line)}".strip()
        elif self._field is not None:
            self.regions[-1][self._field].append(_bare(line))

    def _begin_region(self) -> None:
        self._artifacts = {}
        self.regions.append({})

    def _begin_field(self, name: Field, rest: str) -> None:
        if not self.regions or (name != "artifacts" and name in self.regions[-1]):
            self._begin_region()
        self._field, self._title = None if name == "artifacts" else name, None
        if name == "artifacts":
            self._list_artifacts()
        values = self.regions[-1].setdefault(name, [])
        if rest:
            values.append(rest)

    def _begin_heading(self, name: Field) -> None:
        """A title on a line of its own: "### Tampered object 1", "Artifacts"."""
        self._field = self._title = None
        if name == "content":
            self._begin_region()
        elif name == "artifacts" and self.regions:
            self._list_artifacts()

    def _list_artifacts(self) -> None:
        listed = self.regions[-1].setdefault("artifacts", [])
        if not any(one is self._artifacts for one in listed):
            listed.append(self._artifacts)

    def _add_artifact(self, title: str, words: str) -> None:
        self._list_artifacts()
        self._field, self._title = None, title
        self._artifacts[title] = f"{self._artifacts[title]} {words}" if title in self._artifacts else words


def _bare(text: str) -> str:
    """Without marks of Markdown around it."""
    return text.strip(" *_`")
