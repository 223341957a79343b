"""What a service sends back, read with the suspicion that text from outside deserves."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from omni_iml.mllm.asking import Denied, Refused, Reply, Temporary
from omni_iml.mllm.loops import loop_start
from omni_iml.text import plain

FOREIGN = "the address does not answer in the OpenAI protocol; does it end in /v1?"


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a service's answer is.

    Args:
        body: the answer's bytes.

    Returns:
        The object, whatever it holds.

    Raises:
        Denied: it is something else, as the page of a web interface is: something else lives at the address.
        Temporary: it is cut off, or empty.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        if body.strip()[:1] in (b"", b"{"):
            raise Temporary("the service's answer is cut off, or no JSON") from None
        raise Denied(FOREIGN) from None
    if not isinstance(found, dict):
        raise Denied(FOREIGN)
    return found


def error_of(answer: Mapping[str, Any]) -> str:
    """The error that some services send as if all were well.

    Args:
        answer: the JSON object.

    Returns:
        Its message; "" where there is none, or there is an answer all the same.
    """
    error = None if answer.get("choices") else answer.get("error")
    message = error.get("message") if isinstance(error, Mapping) else None
    return str(message or error or "")


def read_models(answer: Mapping[str, Any]) -> list[str]:
    """The models that a service lists.

    Args:
        answer: the JSON object.

    Returns:
        Their names.

    Raises:
        Denied: it is no list of models.
    """
    listed = answer.get("data")
    names = [one.get("id") if isinstance(one, Mapping) else None for one in listed] if isinstance(listed, list) else []
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in names):
        raise Denied(FOREIGN)
    return [_writable(str(name)) for name in names]


def read_completion(completion: Mapping[str, Any]) -> Reply:
    """Read a chat completion, from a plain call or a batch.

    Args:
        completion: the JSON object.

    Returns:
        What the model said, with its tokens.

    Raises:
        Refused: the model or its filter declined.
        Temporary: the object is no completion.
    """
    usage = completion.get("usage")
    counts = usage if isinstance(usage, Mapping) else {}
    tokens = _count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens"))
    choices = completion.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, Mapping):
        raise Temporary(FOREIGN, *tokens)
    message, ending = choice.get("message"), choice.get("finish_reason")
    parts = list(_parts(message.get("content"))) if isinstance(message, Mapping) else []
    refusals = [one.get("refusal") for one in (message, *parts) if isinstance(one, Mapping)]
    if refusal := next(filter(None, refusals), None):
        raise Refused(f"the model declined ({plain(str(refusal))})", *tokens)
    if ending == "content_filter":
        raise Refused("the service's filter withheld the answer", *tokens)
    if not isinstance(message, Mapping):
        raise Temporary(FOREIGN, *tokens)
    text = _writable("".join(part["text"] for part in parts if isinstance(part.get("text"), str)))
    if ending == "length":
        return Reply(text, "length" if loop_start(text) is None else "loop", *tokens)
    return Reply(text, "stop", *tokens)


def _parts(content: Any) -> Iterator[Mapping[str, Any]]:
    """A message's content as the list of parts that the protocol allows; what is no text or refusal has neither."""
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            yield {"text": part}
        elif isinstance(part, Mapping):
            yield part
        elif part is not None:
            raise Temporary(FOREIGN)


def _writable(text: str) -> str:
    """A lone surrogate can be escaped in JSON, but not be written to a file, nor sent back."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _count(value: Any) -> int:
    """A number of tokens; 0 where it is none, since an answer is good without."""
    return int(value) if isinstance(value, int | float) and 0 <= value < math.inf else 0
