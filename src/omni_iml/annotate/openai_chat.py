"""An annotator behind the OpenAI protocol: a service, vLLM, `transformers serve`, or whatever else speaks it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from omni_iml.annotate.annotator import (
    Answer,
    Denied,
    NoAnswer,
    Question,
    Refused,
    Temporary,
    TooFast,
    Unreachable,
    Unusable,
)
from omni_iml.annotate.answers import answer_schema, parse
from omni_iml.text import plain

KEY = "OPENAI_API_KEY"
"""Environment variable of the key; it is never written anywhere."""
ADDRESS = "OPENAI_BASE_URL"


class OpenAIChat:
    """Chat completions with structured outputs.

    The key comes from the environment variable ``OPENAI_API_KEY``; a server of one's own needs none.

    Args:
        model: name of the model.
        base_url: address of the service; by default ``OPENAI_BASE_URL``, or OpenAI's own.
        timeout: seconds to wait for an answer.
        max_tokens: longest answer, in tokens.
        max_side: pictures are reduced to this longest side, in pixels.
        spell_form: write the form of the answer into the prompt too, for servers that pass over ``response_format``.

    Raises:
        Denied: neither a key nor an address is given.
        ModuleNotFoundError: the extra ``annotate`` is not installed.
    """

    name = "openai"

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        timeout: float = 120.0,
        max_tokens: int = 1500,
        max_side: int = 1536,
        spell_form: bool = False,
    ) -> None:
        import openai

        self._key = os.environ.get(KEY, "")
        address = base_url or os.environ.get(ADDRESS)
        if not self._key and not address:
            raise Denied(f"There is no key: set {KEY}, or name a server of your own with --base-url.")
        self.model, self.max_tokens, self.max_side = model, max_tokens, max_side
        self.spell_form = spell_form
        self.client = openai.OpenAI(api_key=self._key or "none", base_url=address, timeout=timeout, max_retries=0)

    def body(self, question: Question) -> dict[str, Any]:
        """The request, as a plain call sends it and a line of a batch holds it.

        Args:
            question: what is asked.

        Returns:
            A JSON object.
        """
        text = question.text
        if self.spell_form:
            schema = json.dumps(question.form.model_json_schema())
            text += f"\n\nAnswer with one JSON object that fits this JSON Schema, and nothing else:\n{schema}"
        content: list[dict[str, Any]] = [{"type": "text", "text": text}]
        content += [{"type": "image_url", "image_url": {"url": url}} for url in question.urls(self.max_side)]
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "response_format": answer_schema(question.form),
            "max_completion_tokens": self.max_tokens,
            "temperature": 0,
        }

    def ask(self, question: Question) -> Answer:
        """Answer one question.

        Args:
            question: what is asked.

        Returns:
            The answer with its tokens.

        Raises:
            NoAnswer: of the kind that says whether to ask again.
        """
        import openai

        try:
            # A proxy that knows the header answers a question that was cut off once, not twice.
            completion = self.client.chat.completions.create(
                **self.body(question), extra_headers={"Idempotency-Key": question.sha256}
            )
        except openai.APIError as error:
            raise self.no_answer(error) from None  # the library's error holds the request, and with it the key
        return read_completion(completion.model_dump(), question)

    def no_answer(self, error: Exception) -> NoAnswer:
        """Sort an error of the library.

        Args:
            error: any.

        Returns:
            What it means, its text free of the key.
        """
        import openai

        match error:
            case openai.APITimeoutError():
                return Temporary("the service took too long")
            case openai.APIConnectionError():
                cause = plain(self.without_key(str(error.__cause__ or error)))
                return Unreachable(f"nobody answers at the service's address ({cause})")
            case openai.RateLimitError():
                return TooFast("the service asks for fewer questions", _wait(error.response.headers))
            case openai.APIStatusError():
                cause = f"the service answered {error.status_code} ({plain(self.without_key(error.message))})"
                return Temporary(cause) if error.status_code >= 500 else _denied_or_refused(error.status_code, cause)
        return Temporary(f"the service failed ({plain(self.without_key(str(error)))})")

    def without_key(self, text: str) -> str:
        """A text in which the key is blotted out: some services repeat it in their errors."""
        return text.replace(self._key, "***") if self._key else text


def read_completion(completion: Mapping[str, Any], question: Question) -> Answer:
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
    usage = completion.get("usage") or {}
    tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    choice = (completion.get("choices") or [{}])[0]
    message = choice.get("message") or {}
    if message.get("refusal"):
        raise Refused(f"the model declined ({plain(str(message['refusal']))})", *tokens)
    if choice.get("finish_reason") == "content_filter":
        raise Refused("the service's filter withheld the answer", *tokens)
    if choice.get("finish_reason") == "length":
        raise Unusable("the answer was cut short; raise --max-tokens", *tokens)
    try:
        return Answer(parse(question.form, message.get("content") or ""), *tokens)
    except ValueError as error:
        raise Unusable(f"the answer is not in the form ({plain(str(error))})", *tokens) from None


def _denied_or_refused(status: int, cause: str) -> NoAnswer:
    # 401 to 405 are about key, account or address, and hold for every question; others are about this one.
    return Denied(f"{cause}; check key, model and address") if 401 <= status <= 405 else Refused(cause)


def _wait(headers: Mapping[str, str]) -> float | None:
    try:
        return max(0.0, float(headers.get("retry-after-ms", "")) / 1000)
    except ValueError:
        pass
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None
