"""The structured annotation of Omni-273k (section 4.2), as versioned pydantic models.

A row is one tampered picture; an instance is one tampered object of it, with the paper's four keys. The keys are spelt
as the paper spells them, so that a row's instances are the published annotation and nothing needs to be translated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from omni_iml.regions import parse_position
from omni_iml.types import POSITIONS

SCHEMA: Final = "omni-iml/annotation/1"
"""Name and version of the row; a change that an older reader would misread raises the number."""

Domain = Literal["natural", "document", "face", "scene_text"]
DOMAINS: tuple[Domain, ...] = ("natural", "document", "face", "scene_text")
TEXT_DOMAINS: frozenset[Domain] = frozenset({"document", "scene_text"})
"""Domains whose instances are text: read by OCR, placed by their text line (appendix D.1)."""

Split = Literal["train", "test"]
Decision = Literal["accepted", "corrected", "rejected"]

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Text that says something."""
PlainText = Annotated[str, StringConstraints(strip_whitespace=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Instance(_Strict):
    """One tampered object.

    Attributes:
        tampered_region: the tampered text as read, or a description of the tampered object.
        absolute_position: one of `omni_iml.types.POSITIONS`; "... of the image" is understood and left off.
        relative_position: the text line that holds the text, or where the object is among others; may be empty.
        artifacts: title to description; empty where none was found to hold.
        box: ``(x0, y0, x1, y1)`` in displayed pixels, half-open; None in published files, which have no boxes.
    """

    tampered_region: Words = Field(alias="Tampered Region")
    absolute_position: str = Field(alias="Absolute Position", json_schema_extra={"enum": list(POSITIONS)})
    relative_position: PlainText = Field(alias="Relative Position")
    artifacts: dict[Words, Words] = Field(alias="Artifacts")
    box: tuple[int, int, int, int] | None = None

    @field_validator("absolute_position")
    @classmethod
    def _one_of_nine(cls, value: str) -> str:
        return parse_position(value)

    @field_validator("box")
    @classmethod
    def _holds_pixels(cls, value: tuple[int, int, int, int] | None) -> tuple[int, int, int, int] | None:
        if value is not None and not (0 <= value[0] < value[2] and 0 <= value[1] < value[3]):
            raise ValueError(f"{list(value)} holds no pixel; give [x0, y0, x1, y1] with 0 <= x0 < x1 and 0 <= y0 < y1.")
        return value


class Review(_Strict):
    """What one person made of one instance; the model's own text stays in the row's instances.

    Attributes:
        instance: index into the row's instances.
        reviewer: who.
        decision: accepted as it is, corrected, or rejected.
        quality: 0 (lowest) to 5 (highest), as in appendix D.2; None where no score was given.
        correction: the instance as it should read; only where the decision is "corrected".
    """

    instance: int = Field(ge=0)
    reviewer: Words
    decision: Decision
    quality: int | None = Field(default=None, ge=0, le=5)
    correction: Instance | None = None


class Provenance(_Strict):
    """Where the model's text came from.

    Attributes:
        annotator: "openai", "local", "evidence".
        model: the model's name as the annotator knows it.
        method: "chain" for the three steps, "single" for one query a picture (H.4).
        prompts: name of each prompt file used to the sha256 of its text.
        removed: findings that self-examination deleted, over all instances.
    """

    annotator: Words
    model: Words
    method: Literal["chain", "single"]
    prompts: dict[str, str] = Field(default_factory=dict)
    removed: int = Field(default=0, ge=0)


class Annotation(_Strict):
    """One tampered picture and its instances: a row of the data set.

    Attributes:
        schema_name: always `SCHEMA`.
        image: the picture's name within its source set.
        source: the source set, for example "CASIAv2".
        domain: natural, document, face or scene_text.
        split: "train" or "test"; None where neither is known.
        manual: made by hand (C-T1 counts these); None where it is not known.
        instances: at least one.
        reviews: what people made of the instances.
        provenance: where the text came from; None in published files.
    """

    schema_name: Literal["omni-iml/annotation/1"] = Field(default=SCHEMA, alias="schema")
    image: Words
    source: Words
    domain: Domain
    split: Split | None = None
    manual: bool | None = None
    instances: tuple[Instance, ...] = Field(min_length=1)
    reviews: tuple[Review, ...] = ()
    provenance: Provenance | None = None

    def published(self) -> list[dict[str, Any]]:
        """The instances as the published files have them: a list of dicts with the paper's four keys."""
        return published_form(self.instances)


def published_form(instances: Iterable[Instance]) -> list[dict[str, Any]]:
    """Instances as a list of dicts with the paper's four keys, the position followed by "of the image".

    Args:
        instances: any.

    Returns:
        Plain dicts, ready for JSON.
    """
    return [
        {
            "Tampered Region": instance.tampered_region,
            "Absolute Position": f"{instance.absolute_position} of the image",
            "Relative Position": instance.relative_position,
            "Artifacts": dict(instance.artifacts),
        }
        for instance in instances
    ]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a row; ``schemas/annotation-1.schema.json`` holds the same."""
    schema = Annotation.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:omni-iml:schema:annotation:1",
        **schema,
    }


def to_json(row: Annotation) -> str:
    """A row as one line of JSON.

    Args:
        row: any.

    Returns:
        The line, without its end.
    """
    return json.dumps(row.model_dump(mode="json"), ensure_ascii=False)
