"""Telling containers from pictures and from anything else; names, page selections and properties."""

from __future__ import annotations

import pytest
from documents import APP, CORE, archive, mail, page, pdf
from hypothesis import given, settings
from hypothesis import strategies as st
from io_pictures import encode, picture

from omni_iml.io.containers import CONTAINER_HEAD_BYTES, sniff_container
from omni_iml.io.names import UniqueNames, member_name, safe_name
from omni_iml.io.pages import MAX_PAGES, WrongSelection, parse_pages, select
from omni_iml.io.properties import plain, read_properties

SERVERS = b"Received: from a\n\tby b\n" * 40 + b"ARC-Seal: " + b"x" * 3000 + b"\n"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (pdf([page(b"")]), "pdf"),
        (b"\n\njunk\n" + pdf([page(b"")]), "pdf"),
        (archive({"a": b""}), "zip"),
        (archive({}), "zip"),
        (mail(), "mail"),
        (b"From - Wed May  1\nReceived: from x\n\tby y\nDate: z\n\nbody", "mail"),
        (b"\xef\xbb\xbfSubject: a\r\nTo: b\r\n\r\n", "mail"),
        (SERVERS + b"X-Long: " + b"y" * 3000 + b"\nFrom: a\n\n", "mail"),
        (b"From: a\nX: b\n" + b"z" * CONTAINER_HEAD_BYTES, None),
        (b"Dear Sir: hello\nFrom: me\n", None),
        (b"Note: one\nRemark: two\n\nFrom: x\nTo: y\n", None),
        (b"text", None),
        (b"", None),
        (encode(picture(8, 8)) + b"%PDF-1.5", None),
        (encode(picture(8, 8), "PNG")[:900] + b"%PDF-1.5", None),
    ],
)
def test_sniff(data, kind):
    assert sniff_container(data[:CONTAINER_HEAD_BYTES]) == kind


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_member_names_stay_inside(name):
    safe = member_name(name)
    assert safe
    for part in safe.split("/"):
        assert part not in ("", ".", "..")
        assert not set(part) & set('<>:"\\|?*\x00\n')
        assert safe_name(part) == part


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["a.jpg", "A.jpg", "a~2.jpg", "a~2~2.jpg", "b/a.jpg", "x"])))
def test_unique_names_are_unique_without_case(names):
    unique = UniqueNames()
    taken = [unique.take(name).casefold() for name in names]
    assert len(set(taken)) == len(taken)


@pytest.mark.parametrize(
    ("selection", "count", "numbers"),
    [
        ("1-3,7", 9, [1, 2, 3, 7]),
        ("7, 1-2", 9, [7, 1, 2]),
        ("2-", 4, [2, 3, 4]),
        ("-2", 4, [1, 2]),
        ("3,1-4", 9, [3, 1, 2, 4]),
        ("5", 4, []),
        ([2, 2, 9], 3, [2]),
    ],
)
def test_pages(selection, count, numbers):
    assert select(parse_pages(selection), count) == numbers


@pytest.mark.parametrize("selection", ["", "0", "3-1", "a", "1,,2", "1-2-3", "-", "1.5", "0-2", [], [0], "12345678901"])
def test_wrong_selections_are_named(selection):
    with pytest.raises(WrongSelection, match="pages: "):
        parse_pages(selection)


def test_a_selection_is_bounded():
    assert len(select(parse_pages("1-"), 10**9)) == MAX_PAGES + 1
    assert len(select(None, 10**9)) == MAX_PAGES + 1


def test_properties():
    assert read_properties(CORE)["creator"] == "A. Author"
    assert read_properties(APP) == {"application": "Microsoft Office Word", "application_version": "16.0000"}
    assert read_properties(CORE.decode().replace("UTF-8", "UTF-16").encode("utf-16"))["modified_by"] == "B. Editor"
    assert len(read_properties(CORE.replace(b"A. Author", b"x" * 10**5))["creator"]) == 200
    assert read_properties(CORE[:300]).keys() <= {"creator"}


@pytest.mark.parametrize(
    "declaration",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        b'<!DOCTYPE x SYSTEM "http://example.org/x.dtd">',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_no_entity_is_ever_declared(declaration, encoding):
    xml = CORE.replace(b"?>\n", b"?>\n" + declaration, 1).replace(b"A. Author", b"&amp;x")
    xml = xml.decode().replace("UTF-8", encoding).encode(encoding)
    assert read_properties(xml) == {}


@pytest.mark.parametrize("xml", [b"", b"<", b"\x00" * 99, b"<a>" * 100_000, b"<a b='" + b"x" * 2**21])
def test_damaged_properties_are_none(xml):
    assert read_properties(xml) == {}


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(), st.binary()))
def test_plain_is_one_short_line(value):
    text = plain(value)
    assert len(text) <= 200
    assert text == " ".join(text.split())
    text.encode()
