"""Rows of annotations for the tests of this folder."""

from __future__ import annotations

from typing import Any

from omni_iml.annotate import Annotation


def instance(**changes: Any) -> dict[str, Any]:
    """A valid instance in its published form, changed by key."""
    return {
        "Tampered Region": "A sleeping orange cat",
        "Absolute Position": "Top left of the image.",
        "Relative Position": "On the leftmost green table",
        "Artifacts": {"Edge artifacts": "The outline is cut with a hard edge."},
        **changes,
    }


def row(**changes: Any) -> dict[str, Any]:
    """A valid row, changed by key."""
    return {"image": "a.jpg", "source": "MIML", "domain": "natural", "instances": [instance()], **changes}


def annotation(**changes: Any) -> Annotation:
    """The same, validated."""
    return Annotation.model_validate(row(**changes))
