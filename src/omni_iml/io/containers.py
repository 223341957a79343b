"""Tell files that hold pictures beside other things from their first bytes: PDF, ZIP and what is built on it, mail."""

from __future__ import annotations

import re
from typing import Literal

from omni_iml.io.sniff import sniff

Container = Literal["pdf", "zip", "mail"]

CONTAINER_HEAD_BYTES = 4096
"""How much of a file `sniff_container` wants to see."""

CONTAINER_SUFFIXES = frozenset({".pdf", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".zip", ".eml"})
"""Suffixes, in lower case, of the containers that a folder is searched for."""

IN_WORDS: dict[Container, str] = {
    "pdf": "a PDF document",
    "zip": "a ZIP archive, or a document that is one inside (DOCX, XLSX, PPTX, ODF, EPUB)",
    "mail": "a mail message",
}
"""The kinds for people."""

_PDF_WITHIN = 1024  # readers accept as much before the header
_HEADER = re.compile(rb"([!-9;-~]+):")
_MAIL_HEADERS = frozenset(
    {
        b"from", b"to", b"subject", b"date", b"received", b"return-path", b"message-id", b"mime-version",
        b"delivered-to", b"received-spf", b"authentication-results", b"dkim-signature", b"arc-seal",
        b"arc-message-signature", b"arc-authentication-results",
    }
)  # fmt: skip


def sniff_container(head: bytes) -> Container | None:
    """Name the kind of container that the first bytes of a file announce.

    Args:
        head: the first `CONTAINER_HEAD_BYTES` of the file, or all of it.

    Returns:
        "pdf", "zip" or "mail"; None for anything else, pictures among it.
    """
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"%PDF-"):
        return "pdf"
    if _is_mail(head):
        return "mail"
    at = head.find(b"%PDF-", 0, _PDF_WITHIN)
    return "pdf" if at > 0 and sniff(head) is None else None


def _is_mail(head: bytes) -> bool:
    """Whether it begins with header lines, at least two of them those of mails. Servers put kilobytes first."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines[0].startswith(b"From "):  # the line that mailboxes put before a message
        del lines[0]
    known: set[bytes] = set()
    for line in lines:
        if not line.strip() or len(known) >= 2:
            break
        if line.startswith((b" ", b"\t")):
            continue
        match = _HEADER.match(line)
        if match is None:
            return False
        known |= {match[1].lower()} & _MAIL_HEADERS
    return len(known) >= 2
