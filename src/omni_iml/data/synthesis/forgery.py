"""One synthetic picture as a file: what `omni-iml synth` writes and training reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omni_iml.data.sources import Domain
from omni_iml.data.synthesis.history import Jpeg, Png
from omni_iml.data.synthesis.pixels import Mask, Pixels

AUTHENTIC = "authentic"
"""Name of the operation of pictures in which no tampered pixel is seen."""


@dataclass(frozen=True)
class Forgery:
    """A picture just before its last save, and all that is known of it.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` RGB, before the last save.
        mask: uint8 ``(H, W)``: 1 tampered, 0 not.
        save: the last save.
        label: 1.0 tampered, 0.0 authentic, -1.0 neither (a generated picture that nobody edited).
        domain: the domain of its source.
        operation: what was done, or `AUTHENTIC`.
        recipe: everything that was drawn, in plain values: source, operation and its choices, history.
    """

    pixels: Pixels
    mask: Mask
    save: Jpeg | Png
    label: float
    domain: Domain
    operation: str
    recipe: dict[str, Any]

    @property
    def suffix(self) -> str:
        """Of the file: ".jpg" or ".png"."""
        return ".jpg" if isinstance(self.save, Jpeg) else ".png"

    def data(self) -> bytes:
        """The bytes of the file."""
        return self.save.encode(self.pixels)
