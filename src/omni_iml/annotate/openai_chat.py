"""An annotator behind the OpenAI protocol: a service, vLLM, `transformers serve`, or whatever else speaks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_iml.annotate.annotator import Answer, Question, in_form
from omni_iml.annotate.answers import answer_schema
from omni_iml.mllm.completion import read_completion
from omni_iml.mllm.endpoint import Endpoint


class OpenAIChat:
    """Chat completions with structured outputs.

    Args:
        model: name of the model.
        spell_form: write the form of the answer into the prompt too, for servers that pass over ``response_format``.
        **options: of `omni_iml.mllm.endpoint.Endpoint`.

    Raises:
        Denied: neither a key nor an address is given.
        ModuleNotFoundError: the extra ``annotate`` is not installed.
    """

    name = "openai"

    def __init__(self, model: str, *, spell_form: bool = False, **options: Any) -> None:
        self.model, self.spell_form = model, spell_form
        self.endpoint = Endpoint(model, **options)

    def body(self, question: Question) -> dict[str, Any]:
        """The request, as a plain call sends it and a line of a batch holds it.

        Args:
            question: what is asked.

        Returns:
            A JSON object.
        """
        query = question.query(spell_form=self.spell_form)
        return self.endpoint.body(query, response_format=answer_schema(question.form))

    def ask(self, question: Question) -> Answer:
        """Answer one question.

        Args:
            question: what is asked.

        Returns:
            The answer with its tokens.

        Raises:
            NoAnswer: of the kind that says whether to ask again.
        """
        # A proxy that knows the header answers a question that was cut off once, not twice.
        return read_answer(self.endpoint.complete(self.body(question), Idempotency_Key=question.sha256), question)


def read_answer(completion: Mapping[str, Any], question: Question) -> Answer:
    """Read a chat completion, from a plain call or a batch.

    Args:
        completion: the JSON object.
        question: what was asked.

    Returns:
        The answer with its tokens.

    Raises:
        Refused: the model or its filter declined.
        Unusable: the answer is cut short, or not in the form.
    """
    return in_form(read_completion(completion), question)
