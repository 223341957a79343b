"""What an XMP packet says of the programs that wrote the file.

The packet is searched, not parsed: an XML parser would have to be kept from expanding entities, and half the packets in
circulation are cut off.
"""

from __future__ import annotations

import html
import re
from typing import Any

from omni_iml.text import plain

MOST = 16
"""Entries of the history that are kept."""


def read_xmp(packet: bytes) -> dict[str, Any]:
    """Search an XMP packet.

    Args:
        packet: the packet or its beginning, UTF-8.

    Returns:
        Only the keys that are there: ``creator_tool``; ``history``, the software agents in order, repetitions left out;
        ``derived``: true where the file says that it was made from another; ``photoshop``: true where Photoshop's own
        fields are there; ``digital_source``: the last part of the IPTC digital source type, for example
        "trainedAlgorithmicMedia".
    """
    text = packet.decode("utf-8", "replace")
    facts: dict[str, Any] = {}
    if tools := _values(text, _CREATOR):
        facts["creator_tool"] = tools[0]
    if agents := _values(text, _AGENT):
        facts["history"] = list(dict.fromkeys(agents))[:MOST]
    if "xmpMM:DerivedFrom" in text:
        facts["derived"] = True
    if re.search(r"\bphotoshop:\w", text):
        facts["photoshop"] = True
    if sources := _values(text, _SOURCE):
        facts["digital_source"] = sources[0].rsplit("/", 1)[-1]
    return facts


def _property(name: str) -> re.Pattern[str]:
    """A property as an attribute, as an element, or as an element that points to a resource."""
    value = r"([^<>\"']{1,800})"
    return re.compile(
        rf"""\b{name}\s{{0,8}}=\s{{0,8}}["']{value}["']|<{name}>{value}</|<{name}\s{{1,8}}rdf:resource=["']{value}["']"""
    )


_CREATOR = _property("xmp:CreatorTool")
_AGENT = _property("stEvt:softwareAgent")
_SOURCE = _property(r"(?:Iptc4xmpExt|iptcExt):DigitalSourceType")


def _values(text: str, pattern: re.Pattern[str]) -> list[str]:
    found = []
    for match in pattern.finditer(text):
        value = plain(html.unescape(next(group for group in match.groups() if group is not None)))
        if value:
            found.append(value)
        if len(found) >= 4 * MOST:
            break
    return found
