"""Confusion counts of binary masks, one row a picture: every pixel metric is a reduction of these four numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

IGNORED = 255
"""Truth label of pixels that no metric looks at (padding, unknown)."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Confusion counts of N pictures; "positive" means tampered.

    Attributes:
        table: int64 ``(N, 4)``, columns true positive, false positive, false negative, true negative, in pixels.

    Raises:
        ValueError: the table is not ``(N, 4)`` whole numbers of zero or more.
    """

    table: NDArray[np.int64]

    def __post_init__(self) -> None:
        table = np.asarray(self.table)
        if table.ndim != 2 or table.shape[1] != 4:
            raise ValueError(f"counts must have the shape (N, 4), not {table.shape}; give TP, FP, FN, TN a picture.")
        if table.size and (not np.issubdtype(table.dtype, np.integer) or table.min() < 0):
            raise ValueError("counts must be whole numbers of zero or more; count pixels, do not average them.")
        table = table.astype(np.int64)  # a copy, so that the caller's array may change
        table.flags.writeable = False
        object.__setattr__(self, "table", table)

    def __len__(self) -> int:
        """Number of pictures."""
        return int(self.table.shape[0])

    @property
    def tp(self) -> NDArray[np.int64]:
        """int64 ``(N,)``: tampered pixels found."""
        return self.table[:, 0]

    @property
    def fp(self) -> NDArray[np.int64]:
        """int64 ``(N,)``: authentic pixels called tampered."""
        return self.table[:, 1]

    @property
    def fn(self) -> NDArray[np.int64]:
        """int64 ``(N,)``: tampered pixels missed."""
        return self.table[:, 2]

    @property
    def tn(self) -> NDArray[np.int64]:
        """int64 ``(N,)``: authentic pixels left alone."""
        return self.table[:, 3]

    @property
    def authentic(self) -> NDArray[np.bool_]:
        """Which pictures, bool ``(N,)``, have no tampered pixel in the truth."""
        return np.asarray(self.tp + self.fn == 0)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Counts:
        """The counts of some of the pictures."""
        return Counts(self.table[rows])

    def pooled(self) -> Counts:
        """One row: the counts as if all pictures were one (the "global" aggregation)."""
        return Counts(self.table.sum(axis=0, keepdims=True))

    @classmethod
    def concatenate(cls, parts: Iterable[Counts]) -> Counts:
        """The rows of several counts under one another; no part at all gives N = 0."""
        tables = [part.table for part in parts]
        return cls(np.concatenate(tables) if tables else np.zeros((0, 4), np.int64))


def count_pixels(prediction: ArrayLike, truth: ArrayLike, valid: ArrayLike | None = None) -> Counts:
    """Count the pixels of one picture or of a stack of equally large pictures.

    Args:
        prediction: bool or 0/1, ``(H, W)`` or ``(N, H, W)``; 1 = tampered.
        truth: bool or integer of the same shape; 0 = authentic, 1 = tampered, 255 = ignored. A mask *file* with white
            for tampered is not such an array: compare it with 127 first.
        valid: bool or 0/1 of the same shape; pixels that are 0 here are left out as well.

    Returns:
        One row for each picture. A row sums to the pixels that were looked at.

    Raises:
        ValueError: the shapes differ, or a value is none of those above.
    """
    prediction, truth = np.asarray(prediction), np.asarray(truth)
    if prediction.shape != truth.shape:
        raise ValueError(
            f"the prediction has the shape {prediction.shape} and the truth {truth.shape}; "
            "bring both to the truth's size before counting."
        )
    if prediction.ndim not in (2, 3):
        raise ValueError(f"masks must be (H, W) or (N, H, W), not {prediction.shape}; drop the channel axis.")
    looked_at = kept_pixels(truth, valid)
    tampered = truth == 1
    called = _as_bool(prediction, "prediction")

    axes = (-2, -1)
    tp = np.count_nonzero(called & tampered & looked_at, axis=axes)
    positives = np.count_nonzero(called & looked_at, axis=axes)
    actual = np.count_nonzero(tampered & looked_at, axis=axes)
    total = np.count_nonzero(looked_at, axis=axes)
    table = np.stack([tp, positives - tp, actual - tp, total - positives - actual + tp], axis=-1)
    return Counts(np.atleast_2d(table).astype(np.int64))


def kept_pixels(truth: NDArray[np.generic], valid: ArrayLike | None = None) -> NDArray[np.bool_]:
    """Which pixels a metric looks at: not labelled 255, and valid.

    Args:
        truth: bool or integer labels 0, 1, 255 of any shape.
        valid: bool or 0/1 of the same shape, None = all.

    Returns:
        bool of the truth's shape.

    Raises:
        ValueError: another label, or a validity mask of another shape or with other values.
    """
    if truth.dtype == np.bool_:
        kept = np.ones(truth.shape, np.bool_)
    else:
        kept = truth != IGNORED
        if not np.all((truth == 0) | (truth == 1) | ~kept):
            raise ValueError(
                "the truth holds labels other than 0, 1 and 255 (ignored); threshold it first, for example mask > 127."
            )
    if valid is not None:
        valid = np.asarray(valid)
        if valid.shape != truth.shape:
            raise ValueError(
                f"the validity mask has the shape {valid.shape} and the truth {truth.shape}; give one flag a pixel."
            )
        kept &= _as_bool(valid, "validity mask")
    return kept


def _as_bool(mask: NDArray[np.generic], name: str) -> NDArray[np.bool_]:
    if mask.dtype == np.bool_:
        return mask.view(np.bool_)
    if not np.all((mask == 0) | (mask == 1)):
        raise ValueError(f"the {name} holds values other than 0 and 1; threshold it first, for example map > 0.5.")
    return np.asarray(mask == 1)
