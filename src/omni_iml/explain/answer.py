"""What a model's text says, in the structured form of section 4.2, with a report of what did not fit.

Models that were fine-tuned answer with a JSON list; others write prose with headings, JSON inside of Markdown, or both.
All of it is read; what cannot be read stays in the raw text that the caller keeps, and nothing is filled in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from omni_iml.annotate.schema import Instance
from omni_iml.explain.headings import Field, field_of, sections
from omni_iml.explain.json_values import Value, json_values
from omni_iml.explain.positions import read_position

Form = Literal["json", "text", "none"]


@dataclass(frozen=True)
class Said:
    """One tampered region as a model gives it.

    Attributes:
        tampered_region: content; "" where none is given.
        absolute_position: one of `omni_iml.types.POSITIONS`; "" where none is given, or none of the nine.
        relative_position: "" where none is given.
        artifacts: title to description.
        problems: what was not as it should be, a sentence each.
    """

    tampered_region: str = ""
    absolute_position: str = ""
    relative_position: str = ""
    artifacts: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def published(self) -> dict[str, Any]:
        """The paper's four keys; "" stands for what was not said."""
        position = f"{self.absolute_position} of the image" if self.absolute_position else ""
        return {
            "Tampered Region": self.tampered_region,
            "Absolute Position": position,
            "Relative Position": self.relative_position,
            "Artifacts": dict(self.artifacts),
        }

    def instance(self) -> Instance | None:
        """The region as a row of a data set has it; None where content or position are missing."""
        if not self.tampered_region or not self.absolute_position:
            return None
        return Instance.model_validate(self.published())


@dataclass(frozen=True)
class ParsedAnswer:
    """A model's text, read.

    Attributes:
        regions: in the order in which they are given.
        form: "json", "text" (headings and lines), or "none" where neither was found.
        problems: what was not as it should be, of the text and of its regions, a sentence each.
    """

    regions: tuple[Said, ...]
    form: Form
    problems: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """It is in the structured form to the letter: JSON, whole, with every field."""
        return self.form == "json" and not self.problems


def parse_answer(text: str) -> ParsedAnswer:
    """Read a model's text.

    Args:
        text: as it came.

    Returns:
        What it says.
    """
    spoken = re.sub(r"<think>.*?(</think>|\Z)", "", text, flags=re.DOTALL)
    values = json_values(spoken)
    problems = []
    items = [item for value in values for item in _items(value.value)]
    if items or (values and all(_says_none(value) for value in values)):
        form: Form = "json"
        said = [_of_item(item) for item in items]
        if any(value.cut_off for value in values):
            problems.append("The JSON is cut off; its last text may be incomplete.")
        elif not all(value.strict for value in values):
            problems.append("The JSON is not well-formed.")
    else:
        said = [_of_fields(fields) for fields in sections(_spelt_out(spoken, values))]
        form = "text" if said else "none"
        problems.append("The answer is prose, not JSON." if said else "The answer names no tampered region.")
    regions = list(dict.fromkeys(_hashable(one) for one in said))
    if len(regions) < len(said):
        problems.append(f"{len(said) - len(regions)} regions are given more than once.")
    kept = {_hashable(one): one for one in said}
    ordered = tuple(kept[key] for key in regions)
    for number, one in enumerate(ordered, 1):
        problems += [f"Region {number}: {problem}" for problem in one.problems]
    return ParsedAnswer(ordered, form, tuple(problems))


def _hashable(one: Said) -> tuple[object, ...]:
    about = one.tampered_region, one.absolute_position, one.relative_position
    return *about, tuple(one.artifacts.items())


def _says_none(value: Value) -> bool:
    """An empty list, or an object that holds one under the name of the regions."""
    found = value.value
    if isinstance(found, dict):
        return len(found) == 1 and all(inner == [] for inner in found.values())
    return found == []


def _items(value: Any) -> Iterator[Mapping[str, Any]]:
    """The dicts that hold a region's fields, however deep they lie."""
    if isinstance(value, list):
        for inner in value:
            yield from _items(inner)
    elif isinstance(value, dict):
        fields = {field_of(str(key)) for key, inner in value.items() if not isinstance(inner, dict | list)}
        if fields & {"content", "absolute", "relative"}:
            yield value
        else:
            for key, inner in value.items():
                if field_of(str(key)) == "artifacts":
                    continue
                yield from _items(inner)


def _of_item(item: Mapping[str, Any]) -> Said:
    fields: dict[Field, list[Any]] = {}
    unknown = []
    for key, value in item.items():
        name = field_of(str(key))
        if name is None:
            unknown.append(str(key))
        else:
            fields.setdefault(name, []).append(value)
    said = _of_fields(fields)
    more = tuple(f"{key!r} is no field of the form." for key in unknown)
    return Said(
        said.tampered_region, said.absolute_position, said.relative_position, said.artifacts, said.problems + more
    )


def _of_fields(fields: Mapping[Field, Iterable[Any]]) -> Said:
    problems: list[str] = []

    def text(name: Field, title: str) -> str:
        given = [one for value in fields.get(name, ()) for one in (value if isinstance(value, list) else [value])]
        words = [" ".join(str(one).split()) for one in given if isinstance(one, str | int | float)]
        if len(words) < len(given):
            problems.append(f"{title} is no text.")
        found = " ".join(dict.fromkeys(word for word in words if word))
        optional = name == "relative" and given  # it may be empty, as in the data set
        if not found and len(words) == len(given) and not optional:
            problems.append(f"{title} is missing.")
        return found

    content = text("content", "Tampered Region")
    place = text("absolute", "Absolute Position")
    relative = text("relative", "Relative Position")
    position = read_position(place) or ""
    if place and not position:
        problems.append(f"Absolute Position {place[:80]!r} is none of the nine.")
    artifacts: dict[str, str] = {}
    for value in fields.get("artifacts", ()):
        problems += _take_artifacts(value, artifacts)
    if "artifacts" not in fields:
        problems.append("Artifacts is missing.")
    return Said(content, position, relative, artifacts, tuple(problems))


def _take_artifacts(value: Any, artifacts: dict[str, str]) -> list[str]:
    """Add title and description of each artifact; returns what could not be taken, a sentence each."""
    if isinstance(value, dict):
        names = {str(key).strip().casefold(): key for key in value}
        if {"title", "description"} <= names.keys():
            pairs = [(value[names["title"]], value[names["description"]])]
        else:
            pairs = list(value.items())
    elif isinstance(value, list):
        return [problem for one in value for problem in _take_artifacts(one, artifacts)]
    else:
        return ["Artifacts has a text without a title."] if str(value).strip() else []
    problems = []
    for title, description in pairs:
        parts = description if isinstance(description, list) else [description]
        words = " ".join(" ".join(part.split()) for part in parts if isinstance(part, str))
        name = " ".join(str(title).split()).strip(":* ")
        if not name or not words:
            problems.append(f"Artifact {name[:80]!r} has no description." if name else "An artifact has no title.")
        else:
            artifacts[name] = f"{artifacts[name]} {words}" if name in artifacts else words
    return problems


def _spelt_out(text: str, values: Iterable[Value]) -> str:
    """The text with JSON objects of artifacts inside of prose written as lines, as the line reader takes them."""
    parts, at = [], 0
    for value in values:
        if isinstance(value.value, dict) and all(isinstance(inner, str) for inner in value.value.values()):
            lines = [f"{key}: {' '.join(inner.split())}" for key, inner in value.value.items()]
            parts += [text[at : value.start], "\n" + "\n".join(lines) + "\n"]
            at = value.end
    return "".join(parts) + text[at:]
