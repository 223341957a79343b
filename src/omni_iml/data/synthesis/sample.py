"""One training sample: the network's inputs and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omni_iml.data.sources import DOMAINS
from omni_iml.data.synthesis.forgery import Forgery
from omni_iml.data.synthesis.history.steps import Png, decode
from omni_iml.data.synthesis.pixels import Mask, Pixels
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
        recipe: everything that was drawn for it, in plain values (`Forgery.recipe`).
        skipped: pictures that could not be read before this one.
    """

    image: NDArray[np.uint8]
    coefficients: NDArray[np.uint8]
    table: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    label: float
    domain: int
    operation: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    skipped: int = 0


def sample_of(forgery: Forgery, size: int) -> Sample:
    """Save a picture for the last time and read it as inference would.

    Args:
        forgery: at most ``size`` pixels a side.
        size: side S of the sample, a multiple of 8.
    """
    if isinstance(forgery.save, Png):  # no loss: the bytes need not be written
        pixels, trace = forgery.pixels, trace_of_pixels(forgery.pixels)
    else:
        data = forgery.data()
        pixels, trace = decode(data), read_trace(data)
    return assemble(
        pixels,
        trace,
        forgery.mask,
        size,
        label=forgery.label,
        domain=DOMAINS.index(forgery.domain),
        operation=forgery.operation,
        recipe=forgery.recipe,
    )


def assemble(pixels: Pixels, trace: JpegTrace, mask: Mask, size: int, **known: Any) -> Sample:
    """Clip coefficients and table as the model file wants them and pad right and bottom, as inference does.

    Args:
        pixels: uint8 ``(H, W, 3)``, H and W at most ``size``.
        trace: of these pixels; its last blocks may reach beyond them, and are kept whole.
        mask: uint8 ``(H, W)``: 1 tampered, 0 not.
        size: side S of the sample, a multiple of 8.
        known: the other attributes of `Sample`.
    """
    height, width = mask.shape
    # Tiles are samples: the very function that cuts tiles at inference pads and clips here.
    tile = cut(EvidenceImage(pixels, trace, "array", 1, "synthesis", ""), 0, 0, size)
    return Sample(
        image=tile.image[0],
        coefficients=tile.coefficients[0],
        table=tile.table[0],
        mask=np.pad(mask, ((0, size - height), (0, size - width)), constant_values=IGNORE),
        **known,
    )
