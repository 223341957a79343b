"""The interpretation module: picture and mask to a multimodal model, its words back in the structured form (C 3.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from omni_iml.annotate.schema import Domain
from omni_iml.explain.answer import ParsedAnswer, parse_answer
from omni_iml.explain.queries import Mode, query_prompt, query_text
from omni_iml.explain.reference import MAX_SIDE, Axis, MaskColours, reference_prompt
from omni_iml.mllm import Denied, Mllm, NoAnswer, Overdue, Query, Refused, Reply
from omni_iml.mllm.loops import loop_start
from omni_iml.mllm.patience import Patience, ask
from omni_iml.mllm.pictures import reduced

Status = Literal["answered", "unreadable", "refused", "timed out", "failed"]
"""Regions were read, or the model names none in the form; nothing could be read; it declined; it took too long; the
service or the model failed."""

_DECLINES = re.compile(
    r"^\W*(i['\u2019]?m |i am )?(sorry|unable to|afraid)|^\W*(i|we) (can['\u2019]?t|cannot|can not|won['\u2019]?t)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Asking:
    """How the model is asked.

    Attributes:
        mode: which query of F.2, and with it whether the reference prompt is shown.
        axis: along which picture and reference are joined.
        colours: of the mask in the reference.
        max_side: longest side of the picture, in pixels; the reference comes beside it.
        spell_form: append a paragraph (ours) that spells out the structured form, for models that were not fine-tuned.
        patience: attempts and pauses.
    """

    mode: Mode = "reference"
    axis: Axis = "longest"
    colours: MaskColours = field(default_factory=MaskColours)
    max_side: int = MAX_SIDE
    spell_form: bool = False
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Interpretation:
    """What a model said of a picture.

    Attributes:
        backend: "local" or "endpoint".
        model: its name.
        mode: the kind of query.
        query: its text.
        query_sha256: digest of the query's file.
        status: what came of it.
        cause: a sentence where the status is not "answered", or where the text ended early; else "".
        answer: what was read.
        raw: the text as it came, all of it.
        tokens_in: tokens of the query, 0 where nothing counts them.
        tokens_out: of the answer, likewise.
        attempts: how often it was asked.
        seconds: how long all attempts took.
    """

    backend: str
    model: str
    mode: Mode
    query: str
    query_sha256: str
    status: Status
    cause: str
    answer: ParsedAnswer
    raw: str
    tokens_in: int
    tokens_out: int
    attempts: int
    seconds: float


def query_of(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], domain: Domain | None, asking: Asking) -> Query:
    """What the model is asked about a picture.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB, displayed orientation.
        mask: bool ``(H, W)``, the predicted one; empty if nothing was found: the model looks all the same (H.7).
        domain: of the picture; None where it is not known.
        asking: how.

    Returns:
        The query with one image.
    """
    if asking.mode == "reference":
        prompt = reference_prompt(pixels, mask, axis=asking.axis, colours=asking.colours, max_side=asking.max_side)
        text, image = query_text("reference", domain, prompt.halves), prompt.image
    else:
        text, image = query_text(asking.mode, domain), reduced(pixels, asking.max_side)
    if asking.spell_form:
        text = f"{text}. {query_prompt('form').text}"
    return Query(text, (image,))


class Interpreter:
    """Asks a model about pictures.

    Args:
        model: who is asked.
        asking: how.
    """

    def __init__(self, model: Mllm, asking: Asking | None = None) -> None:
        self.model, self.asking = model, asking or Asking()
        self._denied = ""

    def interpret(
        self, pixels: NDArray[np.uint8], mask: NDArray[np.bool_], domain: Domain | None = None
    ) -> Interpretation:
        """Ask about one picture.

        Args:
            pixels: uint8 ``(H, W, 3)`` RGB, displayed orientation.
            mask: bool ``(H, W)``; may be empty.
            domain: of the picture; None where it is not known.

        Returns:
            What the model said; where it said nothing usable, why. A model that turned a question away for its key,
            name or address is not asked again.
        """
        query = query_of(pixels, mask, domain, self.asking)
        begin = perf_counter()
        try:
            if self._denied:
                raise Denied(self._denied)
            reply, attempts = ask(self.model, query, self.asking.patience)
        except NoAnswer as error:
            if isinstance(error, Denied):
                self._denied = str(error)
            reply, attempts = Reply("", tokens_in=error.tokens_in, tokens_out=error.tokens_out), error.attempts
            status, cause = _status_of(error), str(error)
            answer = ParsedAnswer((), "none")
        else:
            status, cause, answer = _read(reply)
        return Interpretation(
            backend=self.model.backend,
            model=self.model.model,
            mode=self.asking.mode,
            query=query.text,
            query_sha256=query_prompt(self.asking.mode).sha256,
            status=status,
            cause=cause,
            answer=answer,
            raw=reply.text,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            attempts=attempts,
            seconds=perf_counter() - begin,
        )


def _status_of(error: NoAnswer) -> Status:
    return "refused" if isinstance(error, Refused) else "timed out" if isinstance(error, Overdue) else "failed"


def _read(reply: Reply) -> tuple[Status, str, ParsedAnswer]:
    start = loop_start(reply.text) if reply.ending == "loop" else None
    answer = parse_answer(reply.text if start is None else reply.text[:start])
    ends = {
        "stop": "",
        "length": "the answer is as long as allowed and was cut off; allow more tokens",
        "loop": "the model repeated itself without end; the repetition is left out",
        "time": "the answer was not finished in the time allowed; what had come is kept",
    }[reply.ending]
    if answer.regions or answer.form == "json":
        return "answered", ends, answer
    if reply.ending == "time":
        return "timed out", ends, answer
    if _DECLINES.match(reply.text):
        return "refused", "the model declined", answer
    said = "the model said nothing" if not reply.text.strip() else "no region could be read in what the model said"
    return "unreadable", f"{said}; {ends}" if ends else said, answer
