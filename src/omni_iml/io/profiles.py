"""The name of a colour profile (ICC.1:2022), to say that it was not applied."""

from __future__ import annotations

import struct

_TAGS_AT, _MOST_TAGS, _LONGEST = 128, 100, 60
_STANDARD = "srgb"


def profile_note(profile: bytes) -> tuple[str, ...]:
    """A warning that a picture's colours are not those that a viewer shows.

    Args:
        profile: an ICC profile, or its beginning; may be empty or damaged.

    Returns:
        One sentence; none without a profile or with one that is called sRGB, as most are.
    """
    if len(profile) < _TAGS_AT or profile[36:40] != b"acsp":
        return ()
    name = profile_name(profile)
    if _STANDARD in name.lower():
        return ()
    return (f"its colour profile{f' ({name})' if name else ''} was not applied: a viewer may show other colours",)


def profile_name(profile: bytes) -> str:
    """The description in a colour profile.

    Args:
        profile: an ICC profile, or its beginning.

    Returns:
        At most 60 printable characters; empty where there is none.
    """
    try:
        (count,) = struct.unpack_from(">L", profile, _TAGS_AT)
        for index in range(min(count, _MOST_TAGS)):
            tag, start, length = struct.unpack_from(">4sLL", profile, _TAGS_AT + 4 + 12 * index)
            if tag == b"desc":
                return _text(profile[start : start + length])
    except struct.error:
        pass
    return ""


def _text(tag: bytes) -> str:
    if tag[:4] == b"mluc":  # version 4: records of a language each, in UTF-16
        length, at = struct.unpack_from(">LL", tag, 20)
        text = tag[at : at + length].decode("utf-16-be", "replace")
    else:
        (length,) = struct.unpack_from(">L", tag, 8)
        text = tag[12 : 12 + length].decode("latin-1")
    return "".join(each for each in text if each.isprintable()).strip()[:_LONGEST]
