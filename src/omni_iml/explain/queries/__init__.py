"""The queries of F.2 as versioned files, filled in for a picture."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from omni_iml.annotate.prompts import Prompt, read_prompt
from omni_iml.annotate.schema import Domain

Mode = Literal["reference", "plain", "zero_shot"]
"""The three kinds of C-T6: fine-tuned with the reference prompt, fine-tuned without it, not fine-tuned."""
MODES: tuple[Mode, ...] = ("reference", "plain", "zero_shot")
VERSION = "1"


@cache
def query_prompt(name: Mode | Literal["form"]) -> Prompt:
    """A query's file.

    Args:
        name: a mode, or "form" for the paragraph that spells out the answer's form.

    Returns:
        The prompt, with the digest of its file.
    """
    return read_prompt(files(__name__) / VERSION, name)


def query_text(mode: Mode, domain: Domain | None, halves: tuple[str, str] = ("left", "right")) -> str:
    """What the model is asked.

    Args:
        mode: which of the three.
        domain: of the picture; None leaves the word out ("a tampered image"). Only "reference" names it.
        halves: what the two halves of the picture are called; only "reference" has them.

    Returns:
        The text.
    """
    kind = "" if domain is None else domain.replace("_", " ") + " "
    return query_prompt(mode).fill(kind=kind, first=halves[0], second=halves[1])
