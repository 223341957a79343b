"""What an operation is, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.pixels import Mask, Pixels
from omni_iml.data.synthesis.scene import Donor, Scene


class NothingToEdit(Exception):  # noqa: N818 - it is news, not an error
    """This scene has nothing that the operation works on; another operation or another scene may do."""


@dataclass(frozen=True)
class Edit:
    """A picture after one operation.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` RGB.
        mask: uint8 ``(H, W)``: 1 where the operation worked, 0 elsewhere. No pixel outside it differs from the scene's.
        did: what was chosen, in plain values for the sample's JSON: kind, angle_degrees, shift_pixels, ...
    """

    pixels: Pixels
    mask: Mask
    did: Mapping[str, Any] = field(default_factory=dict)


class Operation(Protocol):
    """A way of tampering: a frozen dataclass of its parameters, called with a generator.

    Attributes:
        practice: the paper or data set whose practice it follows, in a few words.
    """

    practice: ClassVar[str]

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """Tamper with the scene.

        Args:
            rng: source of all choices: the same state, the same edit.
            scene: what to work on; it is not changed.
            donor: draws other pictures, for the operations that need one.

        Raises:
            NothingToEdit: the scene lacks what is needed: a word, a face, room.
        """
        ...


def differs(before: Pixels, edit: Edit) -> bool:
    """Whether the masked pixels differ by more than a level on average: blank paper on blank paper is no tampering."""
    inside = edit.mask > 0
    if not inside.any():
        return False
    return float(np.abs(edit.pixels[inside].astype(np.int16) - before[inside]).mean()) > 1.0
