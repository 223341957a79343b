"""Where a window lies in a picture: on its JPEG grid, with a thing in it if there is one to show."""

from __future__ import annotations

from numpy.random import Generator


def draw_start(rng: Generator, length: int, window: int, first: int = 0, last: int = 0) -> int:
    """The first row or column of a window, a multiple of 8.

    Args:
        rng: source of the choice.
        length: of the picture along this axis, pixels.
        window: of the window, pixels, at most ``length``.
        first: first row or column of the thing that the window shall show.
        last: the one after its last; with ``last <= first`` there is no such thing, and any start is as likely. Of a
            thing larger than the window, the beginning is shown.
    """
    low, high = 0, (length - window) // 8
    if last > first:
        low = min(high, max(0, -(-(last - window) // 8)))
        high = max(low, min(high, first // 8))
        if last - first > window:
            low = high = min((length - window) // 8, first // 8)
    return 8 * int(rng.integers(low, high + 1))
