"""A model by its name on the command line: ``local:FOLDER``, ``endpoint:ADDRESS`` or ``endpoint``."""

from __future__ import annotations

from dataclasses import dataclass

from omni_iml.mllm.asking import Mllm
from omni_iml.mllm.endpoint import Endpoint
from omni_iml.types import OmniError


class WrongModelName(OmniError):  # noqa: N818 - named for what is wrong
    """A name of a model that stands for none."""


@dataclass(frozen=True)
class Opening:
    """How a model is opened.

    Attributes:
        model: its name, where an endpoint offers several.
        timeout: seconds to wait for an answer.
        max_tokens: longest answer, in tokens.
        max_side: longest side of a picture that is sent, in pixels; larger ones are reduced.
    """

    model: str | None = None
    timeout: float = 120.0
    max_tokens: int = 2048
    max_side: int = 4096


def open_model(name: str, how: Opening) -> Mllm:
    """Open a model.

    Args:
        name: ``endpoint:ADDRESS`` of a server that speaks the OpenAI protocol, ``endpoint`` alone for the address in
            OPENAI_BASE_URL or else OpenAI's own.
        how: options.

    Returns:
        The model; nothing is asked of it yet.

    Raises:
        WrongModelName: the name has another form.
        Denied: there is neither a key nor an address.
        ModuleNotFoundError: the library that is needed is not installed.
    """
    kind, _, where = name.partition(":")
    if kind != "endpoint":
        raise WrongModelName(f"{name}: is no model; write endpoint:ADDRESS.")
    return Endpoint(
        how.model or "",
        base_url=where or None,
        timeout=how.timeout,
        max_tokens=how.max_tokens,
        max_side=how.max_side,
    )
