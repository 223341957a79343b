"""What people read: the same words on the command line, in notebooks and in files."""

from __future__ import annotations

from omni_iml.types import Modality, Verdict

VERDICTS: dict[Verdict, str] = {
    "tampered": "tampered",
    "inconclusive": "inconclusive",
    "no_trace": "no trace found",
}
"""The verdicts in words. The absence of a trace is never called authenticity: it only says that none was found."""

MODALITIES: dict[Modality, str] = {
    "vision": "the pixels alone",
    "vision+frequency": "the pixels and the compression traces",
}
"""What the modal gate chose to look at, in words."""

LIMITS = "The model looks for local edits; it is not made to recognise wholly generated pictures."
"""What the model does not do. Every report says it."""


def printable(text: str) -> str:
    """A file's name as it may be shown: undecodable bytes and control characters replaced.

    Args:
        text: any string, also one with lone surrogates, as names that are not valid UTF-8 come from the system.

    Returns:
        The text with each such character replaced by U+FFFD; it can be encoded, and it cannot steer a terminal.
    """
    return "".join("\ufffd" if _is_unsafe(character) else character for character in text)


def _is_unsafe(character: str) -> bool:
    code = ord(character)
    return code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in _BIDI


_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
"""Characters that reorder text: they can make ``exe.gpj`` look like ``jpg.exe``."""
