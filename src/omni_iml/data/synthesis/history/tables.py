"""Quantization tables of cameras, as they stand in files that the cameras wrote.

Read from the camera originals of drewnoakes/metadata-extractor-images ("free to use these media files however you
wish"); editors' saves and tables that libjpeg makes from a quality are left out.
"""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import cast

Tables = list[list[int]]


@functools.cache
def _all() -> dict[str, Tables]:
    return cast(dict[str, Tables], json.loads(files(__package__).joinpath("cameras.json").read_text(encoding="utf-8")))


def cameras() -> tuple[str, ...]:
    """Names of the cameras whose tables are known, in a stable order."""
    return tuple(_all())


def tables_of(camera: str) -> Tables:
    """A camera's luma and chroma tables, 64 steps each in natural order.

    Raises:
        ValueError: no such camera is known.
    """
    try:
        return _all()[camera]
    except KeyError:
        raise ValueError(
            f"table {camera!r}: is no known camera's; known are standard and {', '.join(cameras())}."
        ) from None
