"""A model by its name on the command line: ``local:FOLDER``, ``endpoint:ADDRESS`` or ``endpoint``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from omni_iml.mllm.asking import Denied, Mllm
from omni_iml.mllm.endpoint import KEY, Endpoint
from omni_iml.types import OmniError

_HUB = "hf://"


class WrongModelName(OmniError):  # noqa: N818 - named for what is wrong
    """A name of a model that stands for none."""


@dataclass(frozen=True)
class Opening:
    """How a model is opened.

    Attributes:
        model: its name, where an endpoint offers several; what a local one is called in results.
        timeout: seconds to wait for an answer.
        max_tokens: longest answer, in tokens.
        max_side: longest side of a picture that is sent, in pixels; larger ones are reduced.
        dtype: of a local model's weights; "auto" takes what they are stored in.
        bits: 4 or 8 to quantize a local model; None for none.
        device_map: where a local model goes, as transformers has it; None for the first GPU, or else the processor.
        adapter: folder of a LoRA adapter for a local model.
    """

    model: str | None = None
    timeout: float = 120.0
    max_tokens: int = 2048
    max_side: int = 4096
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    bits: Literal[4, 8] | None = None
    device_map: str | None = None
    adapter: str | None = None


def open_model(name: str, how: Opening) -> Mllm:
    """Open a model.

    Args:
        name: ``endpoint:ADDRESS`` of a server that speaks the OpenAI protocol, ``endpoint`` alone for the address in
            OPENAI_BASE_URL or else OpenAI's own, ``local:FOLDER`` for a model in this process, or
            ``local:hf://owner/name@revision`` for one of the hub.
        how: options.

    Returns:
        The model; nothing is asked of it yet.

    Raises:
        WrongModelName: the name has another form.
        Denied: there is neither a key nor an address.
        UnreadableMllm: the folder is no model that can be opened so.
        ModuleNotFoundError: a library that is needed is not installed.
    """
    kind, _, where = name.partition(":")
    if kind == "endpoint":
        try:
            return Endpoint(
                how.model or "",
                base_url=where or None,
                timeout=how.timeout,
                max_tokens=how.max_tokens,
                max_side=how.max_side,
            )
        except Denied:  # its way out is that of `annotate run`, where the address is an option of its own
            way_out = f"set {KEY}, or write endpoint:ADDRESS"
            raise Denied(f"{kind}: there is neither a key nor an address; {way_out}.") from None
    if kind != "local" or not where:
        raise WrongModelName(f"{name}: is no model; write local:FOLDER or endpoint:ADDRESS.")
    from omni_iml.mllm.local import Loading, LocalModel, load_parts

    folder, revision = folder_and_revision(where)
    loading = Loading(how.dtype, how.bits, how.device_map, how.adapter)
    model, processor = load_parts(folder, loading, revision)
    title = how.model or f"{folder}{f'@{revision}' if revision else ''}{f' + {how.adapter}' if how.adapter else ''}"
    return LocalModel(title, model, processor, timeout=how.timeout, max_tokens=how.max_tokens, max_side=how.max_side)


def folder_and_revision(where: str) -> tuple[str, str | None]:
    """What a model's place stands for.

    Args:
        where: a folder, or ``hf://owner/name@revision``, "main" being the revision if none is named.

    Returns:
        Folder and None, or the repository's name and a revision.
    """
    if not where.startswith(_HUB):
        return where, None
    repository, _, revision = where.removeprefix(_HUB).partition("@")
    return repository, revision or "main"
