"""What an annotator is: it gets one question about one instance and answers in a form."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from omni_iml.annotate.answers import Form, parse, spelt
from omni_iml.annotate.schema import Domain
from omni_iml.mllm import Query, Reply, Unusable
from omni_iml.text import plain
from omni_iml.types import Box


@dataclass(frozen=True, eq=False)
class Subject:
    """What a question is about, for annotators that measure rather than read.

    Attributes:
        picture: path of the picture.
        pixels: uint8 ``(H, W, 3)`` RGB, displayed.
        masks: bool ``(H, W)``, one for each object that is asked about.
        boxes: of the same.
        domain: of the picture.
        findings: of the step before, for examination.
    """

    picture: str
    pixels: NDArray[np.uint8]
    masks: tuple[NDArray[np.bool_], ...]
    boxes: tuple[Box, ...]
    domain: Domain
    findings: Form | None = None


@dataclass(frozen=True, eq=False)
class Question:
    """One query.

    Attributes:
        step: "group", "recognise", "locate", "describe", "examine" or "single".
        text: the prompt, filled in.
        images: A and B, uint8 ``(H, W, 3)`` RGB.
        form: of the answer.
        subject: what it is about.
    """

    step: str
    text: str
    images: tuple[NDArray[np.uint8], ...]
    form: type[Form]
    subject: Subject

    @cached_property
    def sha256(self) -> str:
        """Digest of text and images: the same question has the same, in every run."""
        digest = hashlib.sha256(f"{self.step}\0{self.form.__name__}\0{self.text}".encode())
        for image in self.images:
            digest.update(repr(image.shape).encode())
            digest.update(image.tobytes())
        return digest.hexdigest()

    def query(self, *, spell_form: bool = False) -> Query:
        """The question as a model is asked it.

        Args:
            spell_form: write the form of the answer into the prompt, for models that are not held to it.
        """
        return Query(f"{self.text}\n\n{spelt(self.form)}" if spell_form else self.text, self.images)


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        form: the answer itself.
        tokens_in: tokens of the question, 0 where nothing counts them.
        tokens_out: tokens of the answer.
    """

    form: Form
    tokens_in: int = 0
    tokens_out: int = 0


class Annotator(Protocol):
    """Answers questions; called from several threads at a time."""

    name: str
    model: str

    def ask(self, question: Question) -> Answer:
        """Answer one question.

        Raises:
            NoAnswer: there is none; its kind says whether to ask again.
        """


def in_form(reply: Reply, question: Question) -> Answer:
    """Read a reply in the question's form.

    Args:
        reply: what a model said.
        question: what was asked.

    Returns:
        The answer with its tokens.

    Raises:
        Unusable: the answer is cut short, repeats itself, or is not in the form.
    """
    tokens = reply.tokens_in, reply.tokens_out
    match reply.ending:
        case "length":
            raise Unusable("the answer was cut short; raise --max-tokens", *tokens)
        case "loop":
            raise Unusable("the answer repeats itself without end", *tokens)
        case "time":
            raise Unusable("the answer was not finished in time; raise --timeout", *tokens)
    try:
        return Answer(parse(question.form, reply.text), *tokens)
    except ValueError as error:
        raise Unusable(f"the answer is not in the form ({plain(str(error))})", *tokens) from None
