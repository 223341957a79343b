"""Torch data set over whatever draws samples: the synthesis engine, a collection of data sets, a mixture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from omni_iml.data.synthesis import Sample


@dataclass
class Batch:
    """A batch on its way through training.

    Attributes:
        image: uint8 ``(B, 3, S, S)``.
        coefficients: uint8 ``(B, S, S)``.
        table: uint8 ``(B, 8, 8)``.
        mask: uint8 ``(B, S, S)``: 1 tampered, 0 not, 255 padding.
        label: float32 ``(B,)``: 1 tampered, 0 authentic, -1 left out of the image-level loss.
        domain: int64 ``(B,)``.
        skipped: int64 ``(B,)``, pictures that could not be read before each sample.
    """

    image: Tensor
    coefficients: Tensor
    table: Tensor
    mask: Tensor
    label: Tensor
    domain: Tensor
    skipped: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The batch on another device."""
        return Batch(**{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})


class Samples(Dataset[Sample]):
    """Samples ``start .. start + length - 1`` of an engine; the same for any number of workers.

    Args:
        engine: index -> sample.
        length: how many.
        start: index of the first.
    """

    def __init__(self, engine: Callable[[int], Sample], length: int, start: int = 0) -> None:
        self.engine, self.length, self.start = engine, length, start

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < self.length:
            raise IndexError(index)
        number = self.start + index
        try:
            return self.engine(number)
        except Exception as error:
            error.add_note(f"It happened in sample {number}; the same seed and settings make it again.")
            raise


class Dealt(Sampler[int]):
    """Numbers dealt out one by one to the processes that train together, so that a step has the samples it has in one.

    Lightning's own sampler shuffles, which would leave the order to the epoch and the processes.

    Args:
        length: of the data set. Where it cannot be divided, the last shares begin again with the first numbers.
    """

    def __init__(self, length: int) -> None:
        self.length = length

    def __iter__(self) -> Iterator[int]:
        rank, count = _place()
        return ((turn * count + rank) % self.length for turn in range(len(self)))

    def __len__(self) -> int:
        return -(-self.length // _place()[1])


def _place() -> tuple[int, int]:
    """Rank of this process, and how many there are; asked late, for nobody knows before training starts."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def collate(samples: list[Sample]) -> Batch:
    """Stack samples into a batch."""

    def stack(name: str) -> Tensor:
        return torch.from_numpy(np.stack([getattr(s, name) for s in samples]))

    return Batch(
        image=stack("image"),
        coefficients=stack("coefficients"),
        table=stack("table"),
        mask=stack("mask"),
        label=torch.tensor([s.label for s in samples], dtype=torch.float32),
        domain=torch.tensor([s.domain for s in samples]),
        skipped=torch.tensor([s.skipped for s in samples]),
    )


def single_thread(_: int) -> None:
    """Worker start-up: no OpenCV threads in a worker, since the workers are the parallelism."""
    # 1 would stop the thread pool, and in a forked worker wait for ever for threads that only its parent has.
    cv2.setNumThreads(0)
