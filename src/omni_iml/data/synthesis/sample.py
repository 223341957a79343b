"""One training sample, as the network's inputs and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        operation: what was done, for logs.
    """

    image: NDArray[np.uint8]
    coefficients: NDArray[np.uint8]
    table: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    label: float
    domain: int
    operation: str
