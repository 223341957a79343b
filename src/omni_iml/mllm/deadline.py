"""One deadline for a whole answer, however slowly it drips in: an HTTP library's own starts anew with every byte."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TypeVar

T = TypeVar("T")
_beginning = threading.Lock()


def within(seconds: float, call: Callable[[], Awaitable[T]]) -> T:
    """Wait for a call, from any thread, also one in which an event loop runs, as in a notebook.

    Args:
        seconds: to wait at most.
        call: begins it; all calls of the process run in one event loop.

    Returns:
        What it returns.

    Raises:
        TimeoutError: it is not done; it was cancelled, and what it had open is closed.
    """

    async def bounded() -> T:
        async with asyncio.timeout(seconds):
            return await call()

    with _beginning:
        loop = _loop()
    waiting = asyncio.run_coroutine_threadsafe(bounded(), loop)
    try:
        return waiting.result()
    finally:
        waiting.cancel()  # of use where Ctrl-C ended the waiting


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="answers of models", daemon=True).start()
    return loop
