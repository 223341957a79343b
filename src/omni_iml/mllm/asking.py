"""What is asked of a model, what it replies, and the ways in which it may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from omni_iml.types import OmniError

Ending = Literal["stop", "length", "loop", "time"]
"""Why a reply ends: the model was done; it was as long as allowed; it repeated itself; it took too long."""


@dataclass(frozen=True, eq=False)
class Query:
    """One question.

    Attributes:
        text: the prompt.
        images: uint8 ``(H, W, 3)`` RGB each, any number.
    """

    text: str
    images: tuple[NDArray[np.uint8], ...] = ()


@dataclass(frozen=True)
class Reply:
    """What a model said.

    Attributes:
        text: as it came.
        ending: why it ends there.
        tokens_in: tokens of the query, 0 where nothing counts them.
        tokens_out: tokens of the reply, likewise.
    """

    text: str
    ending: Ending = "stop"
    tokens_in: int = 0
    tokens_out: int = 0


class Mllm(Protocol):
    """A multimodal language model.

    Attributes:
        backend: "endpoint" or "local".
        model: its name.
    """

    backend: str
    model: str

    def reply(self, query: Query) -> Reply:
        """Ask once.

        Raises:
            NoAnswer: there is no reply; the kind says whether to ask again.
        """


class NoAnswer(OmniError):  # noqa: N818 - named for what happened
    """A question that got no usable answer.

    Attributes:
        tokens_in: tokens that were used all the same.
        tokens_out: likewise.
        attempts: how often it was asked; `omni_iml.mllm.patience.ask` counts.
    """

    def __init__(self, cause: str, tokens_in: int = 0, tokens_out: int = 0) -> None:
        super().__init__(cause)
        self.tokens_in, self.tokens_out = tokens_in, tokens_out
        self.attempts = 1


class Refused(NoAnswer):
    """The model declined; asking again would not help."""


class Unusable(NoAnswer):
    """The answer is cut short or not in the form; worth one more try."""


class Temporary(NoAnswer):
    """The service failed; worth asking again after a while."""


class Overdue(Temporary):
    """No answer came in the time allowed."""


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
