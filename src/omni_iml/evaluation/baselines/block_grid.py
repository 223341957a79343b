"""Votes for the origin of the JPEG grid (ZERO; Nikoukhah et al. 2021): blocks that vote for another grid were moved."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.io.orientation import to_displayed
from omni_iml.types import EvidenceImage

_SIDE = 8
_WINDOW = 33  # pixels over which votes are gathered
_NEGLIGIBLE = 0.5  # of a coefficient


def block_grid(image: EvidenceImage) -> NDArray[np.float32]:
    """How sure it is that the votes around a pixel are for another grid than the picture's.

    A pixel votes for the origin of the one 8x8 block, among the 64 that hold it, whose DCT has the most coefficients
    near zero. Under chance, an origin gets one vote in 64; where an origin that is not the picture's main one has far
    more, by the normal approximation of the binomial law, the place is called, the more surely the fewer false alarms
    are expected in the whole picture.

    Args:
        image: the picture.

    Returns:
        float32 ``(H, W)``, 0..1: 0.5 where one false alarm is expected a picture; displayed orientation.
    """
    luma = cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    votes = _votes(luma)
    main = int(np.bincount(votes[votes >= 0], minlength=64).argmax()) if (votes >= 0).any() else 0
    best = np.zeros(luma.shape, np.float32)
    window = (_WINDOW, _WINDOW)
    cast = cv2.boxFilter((votes >= 0).astype(np.float32), -1, window, normalize=False)
    for origin in range(64):
        if origin != main:
            mine = cv2.boxFilter((votes == origin).astype(np.float32), -1, window, normalize=False)
            # Neighbouring pixels share blocks: about one vote in 64 is independent.
            n, k = cast / 64, mine / 64
            z = (k - n / 64) / np.sqrt(np.maximum(n * (1 / 64) * (63 / 64), 1e-6))
            best = np.maximum(best, np.where(n >= 4, z, 0))
    tests = 63 * max(1.0, luma.size / _WINDOW**2)
    alone = math.sqrt(2 * math.log(tests))  # about the largest deviation that chance gives in so many tests
    return np.asarray(to_displayed(np.clip(best / (2 * alone), 0, 1).astype(np.float32), image.orientation))


def _votes(luma: NDArray[np.float32]) -> NDArray[np.int16]:
    """Each pixel's origin, 8 * (row mod 8) + column mod 8 of the block it votes for; -1 where two blocks tie."""
    height, width = luma.shape
    most = np.full(luma.shape, -1, np.int16)
    votes = np.full(luma.shape, -1, np.int16)
    basis = _basis()
    for row in range(_SIDE):
        for column in range(_SIDE):
            rows, columns = (height - row) // _SIDE, (width - column) // _SIDE
            if not rows or not columns:
                continue
            part = luma[row : row + rows * _SIDE, column : column + columns * _SIDE]
            blocks = part.reshape(rows, _SIDE, columns, _SIDE).transpose(0, 2, 1, 3)  # rows, columns, 8, 8
            dct = basis @ blocks @ basis.T
            zeros = (np.abs(dct) < _NEGLIGIBLE).sum((2, 3)).astype(np.int16)
            # A flat block has them all, wherever the grid lies: it has no vote.
            zeros[(np.abs(dct) >= _NEGLIGIBLE).sum((2, 3)) <= 1] = -1
            spread = zeros.repeat(_SIDE, 0).repeat(_SIDE, 1)
            place = np.s_[row : row + rows * _SIDE, column : column + columns * _SIDE]
            better, same = spread > most[place], spread == most[place]
            votes[place] = np.where(better, row * _SIDE + column, np.where(same, -1, votes[place]))
            most[place] = np.maximum(spread, most[place])
    return votes


def _basis() -> NDArray[np.float32]:
    k, n = np.arange(_SIDE)[:, None], np.arange(_SIDE)[None]
    basis = np.cos((2 * n + 1) * k * np.pi / (2 * _SIDE)) / 2
    basis[0] /= math.sqrt(2)
    return basis.astype(np.float32)
