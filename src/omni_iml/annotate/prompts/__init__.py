"""Prompts as versioned files: what was sent is known by the hash of the file that it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from omni_iml.annotate.schema import DOMAINS
from omni_iml.types import OmniError

VERSION = "1"
"""Folder of the prompts that are sent unless another is given; an edited prompt is another version."""

NAMES = (
    "group",
    "recognise",
    "locate",
    *(f"{step}_{domain}" for step in ("describe", "examine") for domain in DOMAINS),
    "single",
)


class WrongPrompt(OmniError):  # noqa: N818 - named for what is wrong
    """A prompt file that is missing or cannot be filled in."""


@dataclass(frozen=True)
class Prompt:
    """One prompt.

    Attributes:
        name: one of `NAMES`.
        text: with ``$names`` to fill in; comment lines, which begin with "#", are left out.
        sha256: of the file's text with the line ends of Unix.
    """

    name: str
    text: str
    sha256: str

    def fill(self, **values: str) -> str:
        """The prompt for one instance.

        Args:
            **values: of the names; the values themselves are not searched for names.

        Returns:
            What is sent.

        Raises:
            WrongPrompt: the file asks for a name that has no value.
        """
        try:
            return Template(self.text).substitute(values)
        except (KeyError, ValueError) as error:
            names = ", ".join(f"${name}" for name in values)
            raise WrongPrompt(f"Prompt {self.name}: {error} cannot be filled in; it may use {names}.") from error


def load_prompts(folder: Path | None = None) -> Mapping[str, Prompt]:
    """Read the prompts.

    Args:
        folder: with a file ``<name>.txt`` for each of `NAMES`; None for those of the package.

    Returns:
        The prompts by name.

    Raises:
        WrongPrompt: a file is missing or is no UTF-8.
    """
    root = folder or files(__name__) / VERSION
    return {name: read_prompt(root, name) for name in NAMES}


def read_prompt(folder: Traversable, name: str) -> Prompt:
    """Read one prompt.

    Args:
        folder: where its file ``<name>.txt`` lies.
        name: of the prompt.

    Returns:
        The prompt.

    Raises:
        WrongPrompt: the file is missing or is no UTF-8.
    """
    try:
        whole = (folder / f"{name}.txt").read_text(encoding="utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongPrompt(f"{folder}: has no readable {name}.txt; copy the package's files.") from error
    text = "\n".join(line for line in whole.split("\n") if not line.startswith("#")).strip()
    return Prompt(name, text, hashlib.sha256(whole.encode()).hexdigest())
