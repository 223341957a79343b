"""One training sample: the network's inputs and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omni_iml.data.synthesis.pixels import Mask, Pixels
from omni_iml.inference.tiles import cut
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


def assemble(
    pixels: Pixels, trace: JpegTrace, mask: Mask, size: int, label: float, domain: int, operation: str
) -> Sample:
    """Clip coefficients and table as the model file wants them and pad right and bottom, as inference does.

    Args:
        pixels: uint8 ``(H, W, 3)``, H and W at most ``size``.
        trace: of these pixels; its last blocks may reach beyond them, and are kept whole.
        mask: uint8 ``(H, W)``: 1 tampered, 0 not.
        size: side S of the sample, a multiple of 8.
        label: as in `Sample`.
        domain: as in `Sample`.
        operation: as in `Sample`.
    """
    height, width = mask.shape
    below, beside = size - height, size - width
    # Tiles are samples: the very function that cuts tiles at inference pads and clips here.
    tile = cut(EvidenceImage(pixels, trace, "array", 1, "synthesis", ""), 0, 0, size)
    return Sample(
        image=tile.image[0],
        coefficients=tile.coefficients[0],
        table=tile.table[0],
        mask=np.pad(mask, ((0, below), (0, beside)), constant_values=IGNORE),
        label=label,
        domain=domain,
        operation=operation,
    )
