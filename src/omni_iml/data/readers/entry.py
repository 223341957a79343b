"""One picture of a data set: where its bytes lie, what its mask is and what it is labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omni_iml.data.readers.masks import Mask, NoMask
from omni_iml.data.readers.stored import Stored, read_stored
from omni_iml.io import load
from omni_iml.types import EvidenceImage, UnreadableImage

AUTHENTIC = NoMask()


@dataclass(frozen=True)
class Entry:
    """One picture with its truth; nothing is read before it is asked for.

    Attributes:
        key: name of the picture in its set, unique there, the same on every machine.
        image: the file.
        mask: the truth; `NoMask` of an authentic picture.
        label: 1 tampered, 0 authentic.
    """

    key: str
    image: Stored
    mask: Mask = AUTHENTIC
    label: int = 1

    def data(self) -> bytes:
        """The picture file's bytes.

        Raises:
            UnreadableImage: it is missing or cannot be read.
        """
        return read_stored(self.image)

    def load(self) -> tuple[EvidenceImage, NDArray[np.uint8]]:
        """Picture and truth.

        Returns:
            The picture in stored orientation with its trace, and its mask, uint8 ``(H, W)``: 1 tampered, 0 not.

        Raises:
            UnreadableImage: one of both is missing, cannot be read, or the mask is of another size.
        """
        try:
            picture = load(self.data())
        except UnreadableImage as error:
            raise UnreadableImage(str(self.image), error.cause, error.way_out) from error
        return picture, self.mask.read(*picture.pixels.shape[:2])
