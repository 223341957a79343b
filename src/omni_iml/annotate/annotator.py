"""What an annotator is: it gets one question about one instance and answers in a form."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from omni_iml.annotate.answers import Form
from omni_iml.annotate.highlighting import as_data_url
from omni_iml.annotate.schema import Domain
from omni_iml.types import Box, OmniError


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

    def urls(self, max_side: int) -> list[str]:
        """The images as data URLs, none larger than ``max_side``."""
        return [as_data_url(image, max_side) for image in self.images]


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


class NoAnswer(OmniError):  # noqa: N818 - named for what happened
    """A question that got no usable answer.

    Attributes:
        tokens_in: tokens that were used all the same.
        tokens_out: likewise.
    """

    def __init__(self, cause: str, tokens_in: int = 0, tokens_out: int = 0) -> None:
        super().__init__(cause)
        self.tokens_in, self.tokens_out = tokens_in, tokens_out


class Refused(NoAnswer):
    """The model declined; asking again would not help."""


class Unusable(NoAnswer):
    """The answer is cut short or not in the form; worth one more try."""


class Temporary(NoAnswer):
    """The service failed or took too long; worth asking again after a while."""


class Unreachable(Temporary):
    """Nobody answers at the address."""


class TooFast(NoAnswer):
    """The service asks for fewer questions.

    Attributes:
        wait: seconds that it asks for; None where it does not say.
    """

    def __init__(self, cause: str, wait: float | None) -> None:
        super().__init__(cause)
        self.wait = wait


class Denied(NoAnswer):
    """Key, model or address are wrong: no question will be answered."""
