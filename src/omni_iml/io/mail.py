"""The pictures and documents in a mail message: attachments, inline pictures, forwarded messages."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from email import policy
from email.feedparser import BytesFeedParser
from email.message import Message
from typing import IO, Any

from omni_iml.io.containers import sniff_container
from omni_iml.io.members import MAX_DEPTH, Member, Meter, Refused, has_known_suffix
from omni_iml.io.names import UniqueNames, member_name
from omni_iml.io.properties import plain
from omni_iml.io.sniff import sniff
from omni_iml.types import UnreadableImage

MAX_MAIL_BYTES = 36 * 2**20
"""A longer message is refused: taking one apart needs several times its size in memory. Mail servers stop before it."""

MAX_BOUNDARIES = 300
"""The parser compares every line with the boundaries of all the parts around it: so many of them at most."""

_CHUNK, _OVERLAP = 2**16, 400
_BOUNDARY = re.compile(rb"boundary[\s*0-9]{0,16}=", re.IGNORECASE)
_MAILBOX = b"From "
_NEXT_MESSAGE = re.compile(rb"\n\r?\nFrom [^\n]{1,320}\d\d:\d\d")  # RFC 4155: an address and a date
_SAVE = "save its attachments to a folder"
_HEADERS = {"from": "from", "date": "date", "x-mailer": "mailer", "user-agent": "mailer"}


def read_mail(stream: IO[bytes], *, source: str, room: int, meter: Meter) -> Iterator[Member | Refused]:
    """The pictures and containers in a message, in its own order.

    Args:
        stream: the message as it was sent (an .eml file), seekable; left open.
        source: how to name the message in errors.
        room: bytes that a member may have.
        meter: counts for the whole source.

    Yields:
        The members; those of a forwarded message under that message's name ("forwarded.eml!photo.jpg").

    Raises:
        UnreadableImage: the message is too long, one of several in a mailbox, or made so that it cannot be taken apart.
    """
    size = stream.seek(0, io.SEEK_END)
    if size > min(MAX_MAIL_BYTES, room):
        raise UnreadableImage(source, f"the message of {size} bytes is too long", _SAVE)
    try:
        message = _parsed(stream, source)
        facts = _facts(message)
        leaves = list(_leaves(message, "", 1, UniqueNames()))
    except (RecursionError, ValueError, LookupError, AttributeError, TypeError) as error:  # the parser's own slips
        raise UnreadableImage(source, "the message is damaged", _SAVE) from error
    meter.count_members(len(leaves), source)
    for name, leaf in leaves:
        if isinstance(leaf, Refused):
            yield leaf
            continue
        content = leaf.get_payload(decode=True)
        leaf.set_payload("")  # held once
        if not isinstance(content, bytes):
            continue
        meter.count_bytes(len(content), source)
        if has_known_suffix(name) or sniff(content) is not None or sniff_container(content) in ("pdf", "zip"):
            if not content:
                yield Refused(name, "it is empty", "ask for it again")
            elif len(content) > room - size:
                yield Refused(name, f"it has more than {room - size} bytes", "save it and give it on its own")
            else:
                yield Member(name, content, facts)
        del content  # or it is still held when the next one is decoded


def _parsed(stream: IO[bytes], source: str) -> Message:
    """Take a message apart, fed in pieces: it is not held as a whole beside its parts."""
    parser, boundaries, is_mailbox, tail = BytesFeedParser(policy=policy.default), 0, False, b""
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        boundaries += sum(match.end() > len(tail) for match in _BOUNDARY.finditer(tail + chunk))
        if boundaries > MAX_BOUNDARIES:
            raise UnreadableImage(source, "the message has more parts in parts than any real one", _SAVE)
        is_mailbox = is_mailbox or (not tail and chunk.startswith(_MAILBOX))
        if is_mailbox and _NEXT_MESSAGE.search(tail + chunk):
            raise UnreadableImage(source, "it is a mailbox of several messages", "save each as a file of its own")
        parser.feed(chunk)
        tail = chunk[-_OVERLAP:]
    return parser.close()


def _leaves(
    message: Message, prefix: str, depth: int, unique: UniqueNames
) -> Iterator[tuple[str, Message] | tuple[str, Refused]]:
    """Every part that holds content, with its name; forwarded messages are entered."""
    payload = message.get_payload()
    if message.get_content_maintype() == "multipart" and isinstance(payload, list):
        for part in payload:
            if isinstance(part, Message):
                yield from _leaves(part, prefix, depth, unique)
    elif message.get_content_type() == "message/rfc822" and isinstance(payload, list):
        name = prefix + unique.take(_name(message, "message.eml"))
        if depth >= MAX_DEPTH:
            yield name, Refused(name, f"it lies more than {MAX_DEPTH} messages deep", "save it and give it on its own")
            return
        inner = UniqueNames()
        for forwarded in payload:
            if isinstance(forwarded, Message):
                yield from _leaves(forwarded, f"{name}!", depth + 1, inner)
    elif not isinstance(payload, list) and message.get_content_maintype() != "text":
        yield prefix + unique.take(_name(message, _unnamed(message))), message
    elif not isinstance(payload, list) and has_known_suffix(name := _name(message, "")):
        yield prefix + unique.take(name), message


def _name(part: Message, default: str) -> str:
    try:
        name = part.get_filename()
    except Exception:  # the standard library's header parser raises whatever a damaged header makes it stumble over
        name = None
    return member_name(plain(name)) if name else default


def _unnamed(part: Message) -> str:
    subtype = part.get_content_subtype()
    return f"unnamed.{subtype}" if subtype.isalnum() and len(subtype) <= 8 else "unnamed"


def _facts(message: Message) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": "eml"}
    for header, fact in _HEADERS.items():
        try:
            value = message.get(header)
        except Exception:  # see _name
            continue
        if value and (text := plain(value)):
            facts.setdefault(fact, text)
    return facts
