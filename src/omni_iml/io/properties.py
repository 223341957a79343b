"""Who made a document, with what and when, from the XML inside office files; every value a short plain text."""

from __future__ import annotations

import contextlib
import re
from typing import Any
from xml.parsers import expat

MAX_LENGTH = 200
"""Characters of a value that are kept."""

MAX_XML_BYTES = 2**20
"""Longer property files are not read."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")

_ELEMENTS = {
    # OOXML, docProps/core.xml and app.xml
    "http://purl.org/dc/elements/1.1/ creator": "creator",
    "http://schemas.openxmlformats.org/package/2006/metadata/core-properties lastModifiedBy": "modified_by",
    "http://schemas.openxmlformats.org/package/2006/metadata/core-properties revision": "revision",
    "http://purl.org/dc/terms/ created": "created",
    "http://purl.org/dc/terms/ modified": "modified",
    "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties Application": "application",
    "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties AppVersion": "application_version",
    "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties Company": "company",
    # ODF, meta.xml
    "urn:oasis:names:tc:opendocument:xmlns:meta:1.0 generator": "application",
    "urn:oasis:names:tc:opendocument:xmlns:meta:1.0 initial-creator": "creator",
    "urn:oasis:names:tc:opendocument:xmlns:meta:1.0 creation-date": "created",
    "urn:oasis:names:tc:opendocument:xmlns:meta:1.0 editing-cycles": "revision",
    "http://purl.org/dc/elements/1.1/ date": "modified",
}


class _Refused(Exception):  # noqa: N818 - ends the parser, nothing more
    """The XML declares entities, or is deeper than any property file."""


def plain(value: object) -> str:
    """A value from outside as one short line.

    Args:
        value: text, or whatever a header parser returns.

    Returns:
        At most 200 characters, without control characters and marks that turn the direction of writing.
    """
    text = str(value).encode("utf-8", "replace").decode("utf-8")[: 8 * MAX_LENGTH]
    return " ".join(_CONTROL.sub(" ", text).split())[:MAX_LENGTH]


def read_properties(xml: bytes) -> dict[str, Any]:
    """Read the properties of an office document.

    A document type declaration ends the reading before anything in it is looked at: without it XML has no entities that
    could be expanded or fetched.

    Args:
        xml: content of docProps/core.xml, docProps/app.xml or meta.xml.

    Returns:
        Those of "creator", "modified_by", "created", "modified", "application", "application_version", "revision" and
        "company" that are said; what comes before a flaw in the XML.
    """
    found: dict[str, Any] = {}
    if len(xml) > MAX_XML_BYTES:
        return found
    path: list[str] = []
    text: list[str] = []

    def start(name: str, _: object) -> None:
        path.append(name)
        text.clear()
        if len(path) > 32:
            raise _Refused

    def end(name: str) -> None:
        path.pop()
        fact = _ELEMENTS.get(name)
        if fact is not None and (value := plain("".join(text))):
            found.setdefault(fact, value)
        text.clear()

    def characters(data: str) -> None:
        if len(text) < 64:
            text.append(data)

    def refuse(*_: object) -> None:
        raise _Refused

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = refuse
    with contextlib.suppress(expat.ExpatError, _Refused, ValueError):
        parser.Parse(xml, True)
    return found
