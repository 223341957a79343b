"""The forms that an annotator answers in: one model a step, sent to the service as a JSON Schema."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Position = Literal[
    "Top left", "Top center", "Top right",
    "Left side", "Center", "Right side",
    "Bottom left", "Bottom center", "Bottom right",
]  # fmt: skip


class Form(BaseModel):
    """An answer. Fields have no defaults and no further keys, as structured outputs demand."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(Form):
    """One artifact: title and description."""

    title: str
    description: str


class Findings(Form):
    """Steps 2 and 3: the artifacts of one instance."""

    findings: list[Finding]


class Recognition(Form):
    """Step 1: what an object is, and where among others."""

    content: str
    relative_position: str


class Placing(Form):
    """Step 1 of a grouped object: where it is among others."""

    relative_position: str


class GroupedObject(Form):
    """One object of several regions."""

    regions: list[int]
    content: str
    position: Position


class Grouping(Form):
    """Step 0: regions put together to objects."""

    objects: list[GroupedObject]


class SingleInstance(Form):
    """One instance as the baseline gives it."""

    content: str
    position: Position
    relative_position: str
    artifacts: list[Finding]


class Single(Form):
    """The baseline's one answer."""

    instances: list[SingleInstance]


def answer_schema(form: type[Form]) -> dict[str, Any]:
    """The form as ``response_format`` of the chat protocol.

    Args:
        form: a form of this module.

    Returns:
        A JSON object, strict.
    """
    return {
        "type": "json_schema",
        "json_schema": {"name": form.__name__, "strict": True, "schema": form.model_json_schema()},
    }


def spelt(form: type[Form]) -> str:
    """The form as words of a prompt, for models that are not held to ``response_format``.

    Args:
        form: a form of this module.

    Returns:
        A paragraph.
    """
    schema = json.dumps(form.model_json_schema())
    return f"Answer with one JSON object that fits this JSON Schema, and nothing else:\n{schema}"


def listed(findings: list[Finding]) -> str:
    """Findings as a numbered list, as step 3 is shown them.

    Args:
        findings: of step 2.

    Returns:
        One line a finding.
    """
    return "\n".join(f"{number}. {each.title}: {each.description}" for number, each in enumerate(findings, 1))


def titled(findings: list[Finding]) -> dict[str, str]:
    """Findings as the annotation has them: descriptions of one title joined, empty ones left out.

    Args:
        findings: in any number.

    Returns:
        Title to description.
    """
    artifacts: dict[str, str] = {}
    for each in findings:
        title, description = each.title.strip().rstrip(":"), each.description.strip()
        if title and description:
            artifacts[title] = f"{artifacts[title]} {description}" if title in artifacts else description
    return artifacts


def parse(form: type[Form], text: str) -> Form:
    """Read an answer, also one in a Markdown fence, as models without structured outputs give it.

    Args:
        form: what it should be.
        text: the answer.

    Returns:
        The form.

    Raises:
        ValueError: it is something else.
    """
    start, end = text.find("{"), text.rfind("}")
    return form.model_validate(json.loads(text[start : end + 1] if start >= 0 else text))
