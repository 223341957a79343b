"""Mirrored and turned JPEG traces: what the file would hold if it had been mirrored without loss, as jpegtran does."""

from __future__ import annotations

import numpy as np

from omni_iml.types import JpegTrace

_SIGNS = np.where(np.arange(8) % 2, -1, 1).astype(np.int16)
"""A mirrored cosine of odd frequency changes its sign."""


def mirrored(trace: JpegTrace) -> JpegTrace:
    """Left and right exchanged: the columns of blocks reversed, odd horizontal frequencies negated."""
    height, width = trace.coefficients.shape
    blocks = trace.coefficients.reshape(height, width // 8, 8)
    return JpegTrace((blocks[:, ::-1] * _SIGNS).reshape(height, width), trace.table)


def transposed(trace: JpegTrace) -> JpegTrace:
    """Rows and columns exchanged, in every block and in the table too."""
    return JpegTrace(np.ascontiguousarray(trace.coefficients.T), np.ascontiguousarray(trace.table.T))


def upside_down(trace: JpegTrace) -> JpegTrace:
    """Top and bottom exchanged."""
    return transposed(mirrored(transposed(trace)))


def cropped(trace: JpegTrace, y: int, x: int, height: int, width: int) -> JpegTrace:
    """The blocks of a window; the last ones may reach beyond it.

    Args:
        trace: of the whole picture.
        y: first row, a multiple of 8.
        x: first column, a multiple of 8.
        height: rows of the window.
        width: columns of the window.
    """
    part = trace.coefficients[y : y + -(-height // 8) * 8, x : x + -(-width // 8) * 8]
    return JpegTrace(np.ascontiguousarray(part), trace.table)
