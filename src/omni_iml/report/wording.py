"""What people read: the same words on the command line, in notebooks and in files."""

from __future__ import annotations

from omni_iml.text import printable
from omni_iml.types import Modality, Verdict

__all__ = ["LIMITS", "MODALITIES", "VERDICTS", "printable"]

VERDICTS: dict[Verdict, str] = {
    "tampered": "tampered",
    "inconclusive": "inconclusive",
    "no_trace": "no trace found",
}
"""The verdicts in words. The absence of a trace is never called authenticity: it only says that none was found."""

MODALITIES: dict[Modality, str] = {
    "vision": "the pixels alone",
    "vision+frequency": "the pixels and the compression traces",
}
"""What the modal gate chose to look at, in words."""

LIMITS = "The model looks for local edits; it is not made to recognise wholly generated pictures."
"""What the model does not do. Every report says it."""
