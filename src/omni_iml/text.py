"""Text from outside, made safe to show and to keep."""

from __future__ import annotations

LONGEST = 200
"""Characters of a text value that are kept."""


def printable(text: str) -> str:
    """A text as it may be shown: undecodable bytes and control characters replaced.

    Args:
        text: any string, also one with lone surrogates, as names that are not valid UTF-8 come from the system.

    Returns:
        The text with each such character replaced by U+FFFD; it can be encoded, and it cannot steer a terminal.
    """
    return "".join("\ufffd" if _is_unsafe(character) else character for character in text)


def plain(value: bytes | str) -> str:
    """A short, safe text from a field of a file that nobody vouches for.

    Bytes are read as UTF-8, or as Latin-1 where they are not valid UTF-8. What follows the first NUL is left out, runs
    of white space become one blank, and `LONGEST` characters are kept.

    Args:
        value: the field's content.

    Returns:
        The text; empty where nothing is left.
    """
    text = value if isinstance(value, str) else _decoded(value[: 4 * LONGEST])
    words = text[: 4 * LONGEST].partition("\x00")[0].split()
    return printable(" ".join(words))[:LONGEST]


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_at_end = len(data) == 4 * LONGEST and error.reason == "unexpected end of data"
        return data[: error.start].decode("utf-8") if cut_at_end else data.decode("latin-1")


def _is_unsafe(character: str) -> bool:
    code = ord(character)
    return code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in _BIDI


_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
"""Characters that reorder text: they can make ``exe.gpj`` look like ``jpg.exe``."""
