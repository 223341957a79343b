"""The annotator that asks nobody: findings that were measured, in the same form, offline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from omni_iml.annotate.annotator import Answer, Question, Subject
from omni_iml.annotate.answers import Finding, Findings, Form, Grouping, Placing, Recognition, Single, SingleInstance
from omni_iml.annotate.schema import Domain, Instance
from omni_iml.version import __version__

Measure = Callable[[str, NDArray[np.bool_], Domain], Sequence[Instance]]
"""Path of a picture, bool ``(H, W)`` mask in displayed orientation and domain, to the mask's connected regions, the
largest first, each with what was measured; `omni_iml.explain.explain` is behind it."""

_REMEMBERED = 64
"""Objects whose measurements are kept: steps 1 and 2 ask about the same."""


class Measured:
    """Answers with measurements.

    Nothing is recognised and nothing grouped: an object is called by its size, and fragments stay apart. A measured
    sentence does not hedge, so self-examination leaves it as it is.

    Args:
        measure: does the measuring.
    """

    name = "evidence"
    model = f"omni-iml {__version__}"

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._known: dict[tuple[str, bytes], Instance] = {}
        self._lock = threading.Lock()

    def ask(self, question: Question) -> Answer:
        """Answer one question.

        Args:
            question: what is asked.

        Returns:
            The answer; it used no tokens.
        """
        return Answer(self._answer(question.step, question.subject))

    def _answer(self, step: str, subject: Subject) -> Form:
        match step:
            case "group":
                return Grouping(objects=[])
            case "examine" if subject.findings is not None:
                return subject.findings
            case "single":
                measured = [self._instance(subject, index) for index in range(len(subject.masks))]
                return Single(instances=[_single(each) for each in measured])
        instance = self._instance(subject, 0)
        match step:
            case "recognise":
                return Recognition(content=instance.tampered_region, relative_position=instance.relative_position)
            case "locate":
                return Placing(relative_position=instance.relative_position)
        return Findings(findings=_findings(instance))

    def _instance(self, subject: Subject, index: int) -> Instance:
        mask = subject.masks[index]
        key = subject.picture, np.packbits(mask).tobytes()
        with self._lock:
            if key in self._known:
                return self._known[key]
        parts = self._measure(subject.picture, mask, subject.domain)
        artifacts: dict[str, str] = {}
        for part in parts:
            for title, description in part.artifacts.items():
                artifacts.setdefault(title, description)
        whole = parts[0].model_copy(update={"artifacts": artifacts})
        with self._lock:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = whole
        return whole


def _findings(instance: Instance) -> list[Finding]:
    return [Finding(title=title, description=description) for title, description in instance.artifacts.items()]


def _single(instance: Instance) -> SingleInstance:
    return SingleInstance.model_validate(
        {
            "content": instance.tampered_region,
            "position": instance.absolute_position,
            "relative_position": instance.relative_position,
            "artifacts": _findings(instance),
        }
    )
