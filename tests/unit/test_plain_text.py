import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_iml.text import LONGEST, plain, printable


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"Canon\x00\x00junk", "Canon"),
        (b"  two \n words\t", "two words"),
        ("caf\u00e9".encode(), "café"),
        ("caf\u00e9".encode("latin-1"), "café"),
        (b"\x00", ""),
        ("a\u202eb", "a\ufffdb"),
        (b"\x1b[31mred", "\ufffd[31mred"),
    ],
)
def test_plain(value, expected):
    assert plain(value) == expected


def test_a_long_text_is_cut_between_characters():
    text = plain(("é" * 1000).encode())
    assert text == "é" * LONGEST


@given(st.binary(max_size=2000) | st.text(max_size=2000))
def test_plain_is_short_and_safe_whatever_comes(value):
    text = plain(value)
    assert len(text) <= LONGEST
    assert printable(text) == text
    text.encode("utf-8")
