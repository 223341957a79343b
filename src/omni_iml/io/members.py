"""What archives and mails have in common: members that are read into memory, and how much of that is allowed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from omni_iml.io.containers import CONTAINER_SUFFIXES
from omni_iml.io.sniff import SUFFIXES
from omni_iml.types import UnreadableImage

MAX_MEMBERS = 10_000
"""Members of one source, those of nested archives included."""

MAX_HELD_BYTES = 64 * 2**20
"""Bytes of members that are held in memory at once, those of nested archives together. Reading takes a second copy."""

MAX_DEPTH = 3
"""Containers inside one another, the outermost counted."""

TOTAL_SLACK_BYTES, TOTAL_RATIO = 2**30, 100
"""All members of a source together inflate to at most so many bytes, and so many times its size."""

_SPLIT = "unpack it yourself, if you trust it, and give the folder"


@dataclass(frozen=True)
class Member:
    """A picture or container inside another container.

    Attributes:
        name: its name, safe and unique in the container; see `omni_iml.io.names`.
        data: its bytes.
        facts: what the container says of itself, the same for all of its members.
    """

    name: str
    data: bytes
    facts: dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """A member that should be a picture or a container and is not read.

    Attributes:
        name: as in `Member`.
        cause: what is wrong with it.
        way_out: what to do.
    """

    name: str
    cause: str
    way_out: str


@dataclass
class Meter:
    """Counts what has been taken out of one source, over all of its levels.

    Attributes:
        source_bytes: size of the outermost file.
        members: members met so far.
        inflated: bytes inflated so far.
    """

    source_bytes: int
    members: int = field(default=0)
    inflated: int = field(default=0)

    def count_members(self, number: int, source: str) -> None:
        """Take note of an archive's members.

        Raises:
            UnreadableImage: there are more than `MAX_MEMBERS` in all.
        """
        self.members += number
        if self.members > MAX_MEMBERS:
            raise UnreadableImage(source, f"it holds more than {MAX_MEMBERS} files", _SPLIT)

    def count_bytes(self, number: int, source: str) -> None:
        """Take note of bytes that were inflated.

        Raises:
            UnreadableImage: they are more in all than the source may give.
        """
        self.inflated += number
        if self.inflated > TOTAL_SLACK_BYTES + TOTAL_RATIO * self.source_bytes:
            raise UnreadableImage(source, f"its files inflate to more than {self.inflated} bytes in all", _SPLIT)


def has_known_suffix(name: str) -> bool:
    """Whether a member's name says that it is a picture or a container that is read."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES | CONTAINER_SUFFIXES
