"""What a file claims of its pictures before any of them is decoded, and the bounds on finding that out."""

from __future__ import annotations

from dataclasses import dataclass

from omni_iml.types import UnreadableImage

MAX_FRAMES = 10_000
"""Frames and pages after this many are not counted and not read."""

MAX_BLOCKS = 1_000_000
"""A file of more blocks (chunks, sub-blocks, directories) than this on the way is refused; real ones have thousands."""


@dataclass(frozen=True)
class Claims:
    """What the structure of a file says of one of its pictures.

    Attributes:
        size: width and height in pixels of what the decoder will make; None where it can be asked without cost.
        frames: pictures that the file holds, at most ``MAX_FRAMES + 1``, which stands for more.
        pixels: pixels of all its pictures together, which explain the file's length; of one picture in formats whose
            decoder takes the whole file into memory.
        bits: bits of a sample, where the structure says so; 8 otherwise.
        composed: True for an animation, each of whose frames is painted over the one before.
    """

    size: tuple[int, int] | None = None
    frames: int = 1
    pixels: int = 0
    bits: int = 8
    composed: bool = False


class Budget:
    """Counts the blocks that a walk through a file visits, and ends it when they are too many.

    Args:
        source: how to name the file in errors.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._left = MAX_BLOCKS

    def spend(self) -> None:
        """Count one block.

        Raises:
            UnreadableImage: it is one too many.
        """
        self._left -= 1
        if self._left < 0:
            raise UnreadableImage(
                self._source, f"it is made of more than {MAX_BLOCKS} blocks", "save the picture in it on its own"
            )
