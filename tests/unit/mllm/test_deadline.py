from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from omni_iml.mllm.deadline import within


async def doubled(value: int) -> int:
    await asyncio.sleep(0.05)
    return 2 * value


def test_many_threads_wait_at_once() -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda value: within(30, lambda: doubled(value)), range(8)))
    assert found == [0, 2, 4, 6, 8, 10, 12, 14]


def test_an_event_loop_may_run_already() -> None:
    async def notebook() -> int:
        return within(30, lambda: doubled(4))

    assert asyncio.run(notebook()) == 8


def test_what_is_overdue_is_cancelled() -> None:
    ended: list[str] = []

    async def endless() -> None:
        try:
            while True:
                await asyncio.sleep(0.01)
        finally:
            ended.append("closed")

    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        within(0.1, endless)
    assert time.monotonic() - begin < 5
    assert ended == ["closed"]


def test_an_error_comes_out_as_it_is() -> None:
    async def broken() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        within(30, broken)
