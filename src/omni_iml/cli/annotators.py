"""Opening the annotator that the options of ``omni-iml annotate run`` name."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from omni_iml.cli.failures import WrongUsage, needs
from omni_iml.cli.mllm import DTypeName, Limits, opened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from omni_iml.annotate.annotator import Annotator
    from omni_iml.annotate.schema import Domain, Instance


class AnnotatorName(StrEnum):
    """The choices of ``--annotator``."""

    EVIDENCE = "evidence"
    OPENAI = "openai"


def check_mllm(name: str, annotator: AnnotatorName | None, base_url: str | None) -> None:
    """Look at ``--mllm`` before anything is opened.

    Args:
        name: its value.
        annotator: of ``--annotator``; None if left out.
        base_url: of ``--base-url``.

    Raises:
        WrongUsage: it names no model in this process, or another option says who writes.
    """
    if not name.startswith("local:"):
        raise WrongUsage(
            f"--mllm {name}: is no model in this process; write local:FOLDER, or --annotator openai with --base-url."
        )
    if annotator is not None or base_url is not None:
        other = "--base-url" if annotator is None else f"--annotator {annotator.value}"
        raise WrongUsage(f"--mllm {name}: {other} names another writer; leave one of the two out.")


def local(
    name: str,
    model: str | None,
    limits: Limits,
    adapter: Path | None,
    dtype: DTypeName,
    bits: int | None,
    device_map: str | None,
) -> Annotator:
    """A multimodal model in this process.

    Args:
        name: ``local:FOLDER``, as `omni_iml.mllm.opening.open_model` takes it.
        model: what it is called in results; None for its folder.
        limits: of answers and pictures.
        adapter: folder of a LoRA adapter.
        dtype: precision.
        bits: 4 or 8 to quantize it.
        device_map: where it goes.

    Raises:
        WrongUsage: it cannot be opened.
    """
    from omni_iml.annotate.local_mllm import LocalMllm

    return LocalMllm(opened(name, model, limits, adapter, dtype, bits, device_map))


def openai_chat(model: str | None, base_url: str | None, limits: Limits, spell_form: bool) -> Annotator:
    """A service or server behind the OpenAI protocol.

    Args:
        model: its name; needed.
        base_url: address; None for OPENAI_BASE_URL or else OpenAI's own.
        limits: of answers and pictures.
        spell_form: write the form of the answer into the prompt.

    Raises:
        WrongUsage: there is no model's name, or a library is not installed.
        Denied: there is neither a key nor an address.
    """
    if model is None:
        raise WrongUsage(f"--annotator {AnnotatorName.OPENAI} needs --model; name one.")
    with needs("annotate", "annotate run"):
        from omni_iml.annotate.openai_chat import OpenAIChat
    return OpenAIChat(
        model,
        base_url=base_url,
        timeout=limits.timeout,
        max_tokens=limits.max_tokens,
        max_side=limits.max_side,
        spell_form=spell_form,
    )


def measured() -> Annotator:
    """Measurements in place of a model, offline."""
    from functools import cache

    from omni_iml.annotate.measured import Measured
    from omni_iml.annotate.schema import TEXT_DOMAINS
    from omni_iml.evidence.text_lines import TextReader
    from omni_iml.explain import explain

    reader = cache(TextReader)

    def measure(picture: str, mask: NDArray[np.bool_], domain: Domain) -> list[Instance]:
        found = explain(picture, mask, reader=reader() if domain in TEXT_DOMAINS else None)
        return [region.instance for region in found.regions]

    return Measured(measure)
