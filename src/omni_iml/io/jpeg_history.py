"""Traces of JPEG compressions before the last save.

Three measurements on a `omni_iml.io.block_sample.BlockSample`: the 8-pixel grid of a compression in pixels that are not
a JPEG now, or were cut and compressed again; the quality of that compression; and the quality of an earlier one on the
same grid in a JPEG file. docs/fitness.md has their detection and false-alarm rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from omni_iml.io.block_sample import BlockSample
from omni_iml.io.jpeg_quality import scaled_tables
from omni_iml.io.pixels import dct_matrix
from omni_iml.types import JpegTrace

GRID_STANDS_OUT = 7.0
"""Height of a grid above the other 63 places, in robust deviations, from which on it is called one."""

SHIFTED_STANDS_OUT = 4.0
"""The same for a second grid beside a JPEG file's own, in deviations."""

EARLIER_GAIN = 0.06
"""Log likelihood a coefficient that an earlier quantization must explain better than none, in nats."""

_FEWEST_WINDOWS, _FEWEST_COEFFICIENTS = 40, 300
_MODES = ((0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0))
_LOW_MODES = tuple((u, v) for u in range(6) for v in range(6) if 0 < u + v <= 6)
_HIGH_MODES = np.add.outer(np.arange(8), np.arange(8)) >= 3
_LARGEST_STEP = 60
_QUALITIES = range(30, 100)
_FORMER_QUALITIES = range(10, 100)
_FIT = 0.6


@dataclass(frozen=True)
class Grid:
    """The 8-pixel grid of a compression.

    Attributes:
        row: offset of its first line from the picture's upper edge, 0 to 7.
        column: offset from the left edge, 0 to 7.
        height: how far it stands out, in deviations; the thresholds of this module say from where on it is one.
    """

    row: int
    column: int
    height: float


def find_grid(sample: BlockSample) -> Grid | None:
    """Find the grid on which pixels were once quantized.

    On that grid many high-frequency coefficients are nearly zero, elsewhere few are (the idea of Fan and de Queiroz,
    "Identification of bitmap compression history", 2003, with a count in place of a likelihood).

    Args:
        sample: windows of pixels that are no JPEG file now.

    Returns:
        The place that stands out most; None where there is too little to see.
    """
    shares = _near_zero(sample, 0.5)
    if shares is None:
        return None
    at = int(shares.argmax())
    others = np.delete(shares.ravel(), at)
    middle = float(np.median(others))
    spread = 1.4826 * float(np.median(np.abs(others - middle))) + 0.004
    return Grid(at // 8, at % 8, (float(shares.flat[at]) - middle) / spread)


def find_shifted_grid(sample: BlockSample) -> Grid | None:
    """Find a second grid beside a JPEG file's own: of a picture that was compressed, cut and compressed again.

    Places that share a line with the file's own grid are left out; of the others, what their row and column explain
    together is taken off.

    Args:
        sample: windows of a JPEG file.

    Returns:
        The place that stands out most; None where there is too little to see.
    """
    shares = _near_zero(sample, 2.0)
    if shares is None:
        return None
    inner = shares[1:, 1:]
    rest = inner - inner.mean(axis=0, keepdims=True) - inner.mean(axis=1, keepdims=True) + inner.mean()
    at = int(rest.argmax())
    spread = float(np.delete(rest.ravel(), at).std()) + 0.0005
    return Grid(at // 7 + 1, at % 7 + 1, float(rest.flat[at]) / spread)


def former_quality(sample: BlockSample, grid: Grid) -> int | None:
    """Estimate the quality of a compression from the lattice that coefficients lie on.

    Args:
        sample: windows of pixels that are no JPEG file now.
        grid: where the compression's grid lies.

    Returns:
        The lowest quality whose standard luma steps divide the coefficients; None where none does: the quality was
        above about 92, or the tables were not standard.
    """
    blocks = sample.luma[:, grid.row : grid.row + 8, grid.column : grid.column + 8]
    coefficients = _dct(blocks)
    values = np.stack([coefficients[:, u, v] for u, v in _LOW_MODES])  # (modes, N)
    values = np.where(np.abs(values) > 1.5, values, np.nan)
    count = int(np.isfinite(values).sum())
    if count < _FEWEST_COEFFICIENTS:
        return None
    fits = np.zeros((len(_LOW_MODES), _LARGEST_STEP + 1))
    candidates = np.arange(1, _LARGEST_STEP + 1)
    for mode, row in enumerate(values):
        some = row[np.isfinite(row)][:512, None]
        # On a lattice the cosine is near 1; what lies between zero and the first step contradicts it.
        fit = np.where(np.abs(some) < candidates / 2, -1.0, np.cos(2 * np.pi * some / candidates))
        fits[mode, 1:] = np.isfinite(row).sum() / max(1, len(some)) * fit.sum(axis=0)
    steps = _steps(_FORMER_QUALITIES, _LOW_MODES)  # (qualities, modes)
    totals = fits[np.arange(len(_LOW_MODES)), steps].sum(axis=1) / count
    if totals.max() < _FIT:
        return None
    # Half of a step divides too: the lowest quality that fits is the one. Its neighbours share most of its steps.
    first = int(np.flatnonzero(totals >= 0.9 * totals.max())[0])
    near = totals[first : first + 4]
    return _FORMER_QUALITIES[first + int(near.argmax())]


def earlier_quality(sample: BlockSample, trace: JpegTrace) -> tuple[int, float] | None:
    """Estimate the quality of an earlier compression on the same grid of a JPEG file.

    What the coefficients would be without it is estimated from the pixels, four pixels off the grid (the calibration of
    Fridrich, Goljan and Hogea 2002). Those are quantized by each candidate's step and then by the file's own; the
    candidate whose histogram explains the file's nonzero coefficients best is the answer (compare Bianchi and Piva,
    "Image forgery localization via block-grained analysis of JPEG artifacts", 2012).

    Args:
        sample: windows of the file's pixels.
        trace: the file's coefficients and table.

    Returns:
        The quality, of standard tables, and how much better it explains a coefficient than no earlier compression, in
        nats; `EARLIER_GAIN` says from where on that is a trace. None where there is too little to see.
    """
    if len(sample.luma) < _FEWEST_WINDOWS:
        return None
    unquantized = _dct(sample.luma[:, 4:12, 4:12])
    steps = _steps(_QUALITIES, _MODES)
    gains, count = np.zeros(len(_QUALITIES)), 0
    for mode, (u, v) in enumerate(_MODES):
        own = int(trace.table[u, v])
        most = _most(own)
        observed = trace.coefficients[sample.rows * 8 + u, sample.columns * 8 + v]
        # Zeros and the tails tell little and are what the calibration gets wrong.
        told = np.bincount(np.clip(observed, -most, most) + most, minlength=2 * most + 1).astype(np.float64)
        told[[0, most, -1]] = 0
        candidates, index = np.unique(steps[:, mode], return_inverse=True)
        likelihoods = told @ np.log(_histograms(unquantized[:, u, v], candidates, own, most)).T
        gains += likelihoods[1:][index] - likelihoods[0]
        count += int(told.sum())
    if count < _FEWEST_COEFFICIENTS:
        return None
    same = [np.array_equal(scaled_tables(quality)[0], trace.table) for quality in _QUALITIES]
    gains[same] = -np.inf
    best = int(gains.argmax())
    return _QUALITIES[best], float(gains[best]) / count


def likelihood_gains(
    sample: BlockSample, trace: JpegTrace, quality: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How much better an earlier compression explains each block than none, block by block.

    Args:
        sample: windows of the file's pixels.
        trace: the file's coefficients and table.
        quality: of the earlier compression; see `earlier_quality`.

    Returns:
        Log likelihood ratio of each block in nats, and how many of its coefficients it comes from: both
        ``(ceil(H/8), ceil(W/8))``.
    """
    unquantized = _dct(sample.luma[:, 4:12, 4:12])
    shape = tuple(side // 8 for side in trace.coefficients.shape)
    gains, counts = np.zeros(shape), np.zeros(shape, np.int64)
    for (u, v), step in zip(_MODES, _steps(range(quality, quality + 1), _MODES)[0], strict=True):
        own = int(trace.table[u, v])
        most = _most(own)
        once, twice = _histograms(unquantized[:, u, v], np.array([step]), own, most)
        gain = np.log(twice) - np.log(once)
        gain[[0, most, -1]] = 0
        levels = np.clip(trace.coefficients[u::8, v::8], -most, most)
        gains += gain[levels + most]
        counts += (levels != 0) & (np.abs(levels) < most)
    return gains, counts


def _most(own: int) -> int:
    """The level up to which a histogram is kept, at a quantization step."""
    return max(3, min(40, -(-120 // own)))


def _histograms(values: NDArray[np.float32], steps: NDArray[np.int64], own: int, most: int) -> NDArray[np.float64]:
    """Probability of each nonzero level after one quantization (first row) and after two (a row a candidate step)."""
    fine = np.bincount((np.clip(np.rint(2 * values), -300, 300) + 300).astype(np.intp), minlength=601)
    centers = np.arange(-300, 301) / 2
    once = np.concatenate([centers[None], np.rint(centers / steps[:, None]) * steps[:, None]])  # (1 + steps, 601)
    rows = np.arange(len(once))[:, None] * (2 * most + 1)
    counts = np.zeros(len(once) * (2 * most + 1))
    weights = np.broadcast_to(fine, once.shape).ravel().astype(np.float64)
    for rounding in (-0.45, 0.0, 0.45):  # pixels were rounded between the two
        levels = np.clip(np.rint((once + rounding) / own), -most, most).astype(np.intp) + most
        counts += np.bincount((rows + levels).ravel(), weights=weights, minlength=counts.size)
    shares = counts.reshape(len(once), -1) / max(1, counts[: 2 * most + 1].sum())
    # A part that the earlier quantization never touched keeps no level impossible.
    smooth = np.convolve(np.pad(shares[0], 2, mode="edge"), np.full(5, 0.2), mode="valid")
    shares = 0.85 * shares + 0.15 * smooth
    shares[:, [0, most, -1]] = 0
    return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9) + 1e-6)


def _near_zero(sample: BlockSample, limit: float) -> NDArray[np.float64] | None:
    """Share of high-frequency coefficients below ``limit``, at each of the 64 places: ``(8, 8)``."""
    if len(sample.luma) < _FEWEST_WINDOWS:
        return None
    luma = sample.luma[:: max(1, len(sample.luma) // 384)]
    shares = np.zeros((8, 8))
    for row in range(8):
        for column in range(8):
            high = _dct(luma[:, row : row + 8, column : column + 8])[:, _HIGH_MODES]
            shares[row, column] = (np.abs(high) < limit).mean()
    return shares


def _dct(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    matrix = dct_matrix().astype(np.float32)
    return np.asarray(matrix @ (blocks - np.float32(128)) @ matrix.T)


@cache
def _steps(qualities: range, modes: tuple[tuple[int, int], ...]) -> NDArray[np.int64]:
    tables = [scaled_tables(quality)[0] for quality in qualities]
    steps = [[min(_LARGEST_STEP, int(table[u, v])) for u, v in modes] for table in tables]
    return np.array(steps, dtype=np.int64)
