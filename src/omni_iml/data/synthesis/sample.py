"""One training sample: the network's inputs and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omni_iml.data.sources import DOMAINS
from omni_iml.data.synthesis.forgery import Forgery
from omni_iml.data.synthesis.history.steps import Png, decode
from omni_iml.data.synthesis.pixels import Pixels
from omni_iml.inference.tiles import cut
from omni_iml.io import trace_of_pixels
from omni_iml.io.jpeg import read_trace
from omni_iml.types import EvidenceImage, JpegTrace

IGNORE = 255
"""Label of padded pixels: no loss and no metric reads them."""


@dataclass(frozen=True)
class Sample:
    """A picture crop with its labels.

    Attributes:
        image: uint8 ``(3, S, S)`` RGB.
        coefficients: uint8 ``(S, S)``, min(|c|, 20).
        table: uint8 ``(8, 8)``, min(q, 63).
        mask: uint8 ``(S, S)``: 1 tampered, 0 not, 255 padding.
        label: 1.0 tampered, 0.0 authentic, -1.0 neither (a generated picture that nobody edited).
        domain: index into `omni_iml.data.sources.DOMAINS`.
        operation: what was done, for logs; "authentic" where no tampered pixel is seen.
    """

    image: NDArray[np.uint8]
    coefficients: NDArray[np.uint8]
    table: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    label: float
    domain: int
    operation: str


def assemble(forgery: Forgery, size: int) -> Sample:
    """Save the picture for the last time and read it as inference would; pad right and bottom.

    Args:
        forgery: at most ``size`` pixels a side.
        size: side S of the sample, a multiple of 8.
    """
    pixels, trace = _saved(forgery)
    height, width = forgery.mask.shape
    # Tiles are samples: the very function that cuts tiles at inference pads and clips here.
    tile = cut(EvidenceImage(pixels, trace, "array", 1, "synthesis", ""), 0, 0, size)
    return Sample(
        image=tile.image[0],
        coefficients=tile.coefficients[0],
        table=tile.table[0],
        mask=np.pad(forgery.mask, ((0, size - height), (0, size - width)), constant_values=IGNORE),
        label=forgery.label,
        domain=DOMAINS.index(forgery.domain),
        operation=forgery.operation,
    )


def _saved(forgery: Forgery) -> tuple[Pixels, JpegTrace]:
    """The pixels that a reader decodes, and the coefficients and table in the file."""
    if isinstance(forgery.save, Png):  # no loss: need not be written
        return forgery.pixels, trace_of_pixels(forgery.pixels)
    data = forgery.data()
    return decode(data), read_trace(data)
