"""What people read: the same words on the command line, in notebooks and in files."""

from __future__ import annotations

from omni_iml.text import printable
from omni_iml.types import Fitness, Grade, Modality, Verdict

__all__ = ["FITNESS", "LIMITS", "MODALITIES", "VERDICTS", "fitness_sentences", "printable"]

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

FITNESS: dict[Grade, str] = {
    "good": "traces of an edit would have lasted",
    "limited": "weak traces of an edit may be gone",
    "poor": "traces of an edit can hardly be left, so finding none says nothing",
}
"""How fit the file is for the search, in words."""

LIMITS = "The model looks for local edits; it is not made to recognise wholly generated pictures."
"""What the model does not do. Every report says it."""


def fitness_sentences(fitness: Fitness | None) -> tuple[str, ...]:
    """What a reader must know of the file before believing that nothing was found.

    Args:
        fitness: of the picture.

    Returns:
        What the grade means and its reasons, a sentence each; none where the grade is "good" or nobody asked.
    """
    if fitness is None or fitness.grade == "good":
        return ()
    meaning = FITNESS[fitness.grade]
    return (f"{meaning[0].upper()}{meaning[1:]}.", *fitness.reasons)
