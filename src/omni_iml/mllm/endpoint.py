"""A model behind the OpenAI protocol: a service, vLLM, `transformers serve`, or whatever else speaks it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from omni_iml.mllm.asking import (
    Denied,
    NoAnswer,
    Overdue,
    Query,
    Refused,
    Reply,
    Temporary,
    TooFast,
    Unreachable,
)
from omni_iml.mllm.completion import error_of, read_completion, read_models, read_object
from omni_iml.mllm.deadline import within
from omni_iml.mllm.pictures import as_data_url
from omni_iml.text import plain

if TYPE_CHECKING:
    from openai import OpenAI

KEY = "OPENAI_API_KEY"
"""Environment variable of the key; it is never written anywhere."""
ADDRESS = "OPENAI_BASE_URL"
_OVERDUE = "the service took too long"


class Endpoint:
    """Chat completions.

    The key comes from the environment variable ``OPENAI_API_KEY``; a server of one's own needs none.

    Args:
        model: name of the model; "" for the one that the service offers, which `reply` asks for.
        base_url: address of the service; by default ``OPENAI_BASE_URL``, or OpenAI's own.
        timeout: seconds to wait for an answer, from the question to its last byte.
        max_tokens: longest answer, in tokens.
        max_side: pictures are reduced to this longest side, in pixels.

    Raises:
        Denied: neither a key nor an address is given.
        ModuleNotFoundError: the library openai is not installed.
    """

    backend = "endpoint"

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        timeout: float = 120.0,
        max_tokens: int = 1500,
        max_side: int = 1536,
    ) -> None:
        import openai

        self._key = os.environ.get(KEY, "")
        address = base_url or os.environ.get(ADDRESS)
        if not self._key and not address:
            raise Denied(f"There is no key: set {KEY}, or name a server of your own with --base-url.")
        self.model, self.max_tokens, self.max_side = model, max_tokens, max_side
        self._timeout = timeout
        self._options: dict[str, Any] = {"api_key": self._key or "none", "base_url": address, "max_retries": 0}
        # Without a time-out of its own, which would begin anew with every byte. A connection that was kept open would
        # outlive the endpoint.
        self._asking = openai.AsyncOpenAI(**self._options, timeout=None, default_headers={"Connection": "close"})

    @cached_property
    def client(self) -> OpenAI:
        """The library's client, for what `complete` and `reply` do not do: files and batches."""
        import openai

        return openai.OpenAI(**self._options, timeout=self._timeout)

    def only_model(self) -> str:
        """The one model that the service offers.

        Raises:
            Denied: it offers none or several.
            NoAnswer: it cannot be asked.
        """
        names = read_models(self._object(self._asking.models.with_raw_response.list))
        if len(names) != 1:
            some = plain(", ".join(names[:5])) or "none"
            raise Denied(f"the service offers {len(names)} models ({some}); name one")
        return names[0]

    def body(self, query: Query, **more: Any) -> dict[str, Any]:
        """The request, as a plain call sends it and a line of a batch holds it.

        Args:
            query: what is asked.
            **more: further fields.

        Returns:
            A JSON object.
        """
        content: list[dict[str, Any]] = [{"type": "text", "text": query.text}]
        urls = [as_data_url(image, self.max_side) for image in query.images]
        content += [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "max_completion_tokens": self.max_tokens,
            "temperature": 0,
            **more,
        }

    def complete(self, body: Mapping[str, Any], **headers: str) -> dict[str, Any]:
        """Send a request.

        Args:
            body: as `body` makes it.
            **headers: of HTTP, "_" standing for "-".

        Returns:
            The chat completion, a JSON object.

        Raises:
            NoAnswer: of the kind that says whether to ask again.
        """
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        chat = self._asking.chat.completions.with_raw_response
        return self._object(partial(chat.create, **body, extra_headers=names))

    def _object(self, call: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
        """The JSON object that a call is answered with; the library itself takes any page for one."""
        import openai

        try:
            response = within(self._timeout, call)
        except TimeoutError:
            raise Overdue(_OVERDUE) from None
        except openai.APIError as error:
            raise self.no_answer(error) from None  # the library's error holds the request, and with it the key
        answer = read_object(response.http_response.content)
        if cause := error_of(answer):
            raise Temporary(f"the service answered with an error ({plain(self.without_key(cause))})")
        return answer

    def reply(self, query: Query) -> Reply:
        """Ask once.

        Args:
            query: what is asked.

        Returns:
            What the model said.

        Raises:
            NoAnswer: of the kind that says whether to ask again.
        """
        self.model = self.model or self.only_model()
        return read_completion(self.complete(self.body(query)))

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
                return Overdue(_OVERDUE)
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
