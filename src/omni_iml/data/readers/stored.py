"""Bytes that lie somewhere: in a file, in a database."""

from __future__ import annotations

from typing import Protocol

from omni_iml.io.limits import BYTES_A_PIXEL, SLACK_BYTES
from omni_iml.types import MAX_PIXELS, UnreadableImage


class Stored(Protocol):
    """A `Path`, or what imitates one. ``str()`` names it in messages."""

    def is_file(self) -> bool:
        """Whether it is there."""

    def read_bytes(self) -> bytes:
        """Its content."""


def read_stored(stored: Stored) -> bytes:
    """The bytes of a file of a data set.

    Raises:
        UnreadableImage: it is missing, cannot be read, or is larger than any picture that is read here.
    """
    try:
        data = stored.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableImage(str(stored), "is missing", "fetch it again") from error
    except OSError as error:
        raise UnreadableImage(str(stored), f"cannot be read ({error.strerror or error})", "fetch it again") from error
    if not data:
        raise UnreadableImage(str(stored), "is empty", "fetch it again")
    if len(data) > SLACK_BYTES + BYTES_A_PIXEL * MAX_PIXELS:
        raise UnreadableImage(str(stored), f"has {len(data)} bytes, more than a picture has", "look what it is")
    return data
