"""Quantization tables -> the encoder's quality setting, and the family of tables it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.uint16]

_ANNEX_K_LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_ANNEX_K_CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    *(99,) * 32,
)  # fmt: skip
_ROBIDOUX = (
    16, 16, 16, 18, 25, 37, 56, 85,
    16, 17, 20, 27, 34, 40, 53, 75,
    16, 20, 24, 31, 43, 62, 91, 135,
    18, 27, 31, 40, 53, 74, 106, 156,
    25, 34, 43, 53, 69, 94, 131, 189,
    37, 40, 62, 74, 94, 124, 169, 238,
    56, 53, 91, 106, 131, 169, 226, 311,
    85, 75, 135, 156, 189, 238, 311, 418,
)  # fmt: skip

_FAMILIES = {"standard": (_ANNEX_K_LUMA, _ANNEX_K_CHROMA), "robidoux": (_ROBIDOUX, _ROBIDOUX)}
"""Base tables, luma and chroma, in natural order: ITU-T T.81 annex K, as libjpeg scales them; the table of N. Robidoux
that mozjpeg uses for all components unless told otherwise."""


@dataclass(frozen=True)
class JpegQuality:
    """What the quantization tables say of the encoder.

    Attributes:
        family: "standard" or "robidoux" where every table is one of the family's, scaled by one quality; "custom"
            elsewhere.
        quality: 1 to 100; for custom tables, the quality whose standard luma table comes nearest.
        exact: True where the tables are the family's own.
        distance: mean absolute difference between the luma table and the standard one at that quality; 0 where exact.
    """

    family: str
    quality: int
    exact: bool
    distance: float


def estimate_quality(tables: Sequence[Table]) -> JpegQuality:
    """Find the quality setting behind quantization tables.

    Args:
        tables: one ``(8, 8)`` table a component, luma first, in natural order.

    Returns:
        The exact setting where there is one, else the nearest.
    """
    flat = np.stack([np.asarray(table, dtype=np.int64).reshape(64) for table in tables])
    chroma = [index not in (0, 3) for index in range(len(flat))]  # the fourth component is black
    for family in _FAMILIES:
        matches = (_all_tables(family)[:, np.array(chroma, dtype=np.intp)] == flat).all(axis=(1, 2))
        if matches.any():
            return JpegQuality(family, 100 - int(matches[::-1].argmax()), exact=True, distance=0.0)
    distances = np.abs(_all_tables("standard")[:, 0] - flat[0]).mean(axis=1)
    best = int(distances.argmin())
    return JpegQuality("custom", best + 1, exact=False, distance=round(float(distances[best]), 3))


def scaled_tables(quality: int, family: str = "standard") -> tuple[Table, Table]:
    """A family's tables at a quality setting, by libjpeg's rule.

    Args:
        quality: 1 to 100.
        family: "standard" or "robidoux".

    Returns:
        uint16 ``(8, 8)`` luma and chroma tables in natural order, 1 to 255.
    """
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    luma, chroma = (
        np.clip((np.array(base) * percent + 50) // 100, 1, 255).astype(np.uint16).reshape(8, 8)
        for base in _FAMILIES[family]
    )
    return luma, chroma


@cache
def _all_tables(family: str) -> NDArray[np.int64]:
    """Luma and chroma table of every quality: ``(100, 2, 64)``, quality 1 first."""
    return np.stack([[table.reshape(64).astype(np.int64) for table in scaled_tables(q, family)] for q in range(1, 101)])
