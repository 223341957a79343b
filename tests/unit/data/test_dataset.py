from __future__ import annotations

import traceback
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from omni_iml.data import dataset
from omni_iml.data.dataset import Batch, Dealt, Samples, collate, single_thread
from omni_iml.data.sources import DOMAINS
from omni_iml.data.synthesis import Engine


def batches(engine: Engine, workers: int, context: str | None = None) -> list[Batch]:
    loader = DataLoader(
        Samples(engine, 22, start=100),
        batch_size=5,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=single_thread,
        multiprocessing_context=context,
    )
    return list(loader)


def assert_equal(some: list[Batch], others: list[Batch]) -> None:
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        assert all(torch.equal(getattr(one, name), value) for name, value in vars(other).items())


def test_a_data_set_is_a_stretch_of_the_engines_samples(engine: Callable[..., Engine]) -> None:
    draw = engine()
    data = Samples(draw, 4, start=30)
    assert len(data) == 4
    for place in range(4):
        np.testing.assert_array_equal(data[place].image, draw(30 + place).image)


@pytest.mark.parametrize("index", [-1, 4, 100])
def test_a_data_set_ends(index: int, engine: Callable[..., Engine]) -> None:
    with pytest.raises(IndexError):
        Samples(engine(), 4)[index]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_failure_names_its_sample(workers: int) -> None:
    def fails(number: int) -> None:
        raise OSError("no room") if number == 7 else ValueError(number)

    with pytest.raises(OSError, match="no room") as caught:
        list(DataLoader(Samples(fails, 3, start=7), batch_size=1, num_workers=workers))
    told = "".join(traceback.format_exception(caught.value))
    assert "It happened in sample 7; the same seed" in told


def test_batches(engine: Callable[..., Engine]) -> None:
    draw = engine()
    samples = [draw(index) for index in range(6)]
    batch = collate(samples)
    shapes = {name: (tuple(value.shape), value.dtype) for name, value in vars(batch).items()}
    assert shapes == {
        "image": ((6, 3, 96, 96), torch.uint8),
        "coefficients": ((6, 96, 96), torch.uint8),
        "table": ((6, 8, 8), torch.uint8),
        "mask": ((6, 96, 96), torch.uint8),
        "label": ((6,), torch.float32),
        "domain": ((6,), torch.int64),
        "skipped": ((6,), torch.int64),
    }
    for place, sample in enumerate(samples):
        for name in ("image", "coefficients", "table", "mask"):
            np.testing.assert_array_equal(getattr(batch, name)[place].numpy(), getattr(sample, name))
        assert batch.label[place] == sample.label
        assert 0 <= batch.domain[place] == sample.domain < len(DOMAINS)


def test_a_batch_moves_whole(engine: Callable[..., Engine]) -> None:
    batch = collate([engine()(0)]).to("meta")
    assert {value.device.type for value in vars(batch).values()} == {"meta"}


def test_workers_make_the_same_samples(engine: Callable[..., Engine]) -> None:
    draw = engine()
    assert_equal(batches(draw, 2), batches(draw, 0))


@pytest.mark.timeout(60)
def test_workers_do_not_wait_for_the_parents_opencv_threads(engine: Callable[..., Engine]) -> None:
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        picture = np.zeros((1500, 1500, 3), np.uint8)
        for _ in range(5):
            cv2.GaussianBlur(picture, (0, 0), 3)  # large enough for OpenCV to start its threads
        draw = engine()
        assert_equal(batches(draw, 2), batches(draw, 0))
    finally:
        cv2.setNumThreads(before)


@pytest.mark.slow
def test_workers_started_afresh_make_the_same_samples(engine: Callable[..., Engine]) -> None:
    draw = engine()
    expected = batches(draw, 0)  # the memory map is open in this process by now, and must not travel
    assert_equal(batches(draw, 2, "spawn"), expected)


@pytest.mark.parametrize(("length", "count"), [(8, 2), (7, 2), (5, 3)])
def test_numbers_are_dealt_out_one_by_one(length: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = []
    for rank in range(count):
        monkeypatch.setattr(dataset, "_place", lambda rank=rank: (rank, count))
        shares.append(list(Dealt(length)))
        assert len(Dealt(length)) == len(shares[-1])
    together = [number for turn in zip(*shares, strict=True) for number in turn]
    assert together[:length] == list(range(length))
    assert together[length:] == list(range(len(together) - length))
