import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from omni_iml.report.html import to_html
from omni_iml.types import Fitness


class _Strict(HTMLParser):
    """Checks that every tag that needs closing is closed in order."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_well_formed_and_complete(detection):
    html = to_html(detection)
    parser = _Strict()
    parser.feed(html)
    assert parser.open == []
    for expected in ("tampered", "0.88", "photo.jpg", "Top left", "8.3%", "the file was cut short", "wholly generated"):
        assert expected in html


def test_nothing_is_fetched_from_outside(detection):
    html = to_html(detection)
    assert "http" not in html
    assert "<script" not in html
    assert re.findall(r'src="(.{22})', html) == ["data:image/png;base64,"]


def test_names_are_escaped(detection):
    nasty = '"><script>alert(1)</script>.jpg'
    html = to_html(replace(detection, source=nasty, warnings=(nasty,)))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_embedded_picture_is_small(detection):
    big = replace(
        detection, pixels=np.zeros((1000, 2000, 3), np.uint8), probability=np.zeros((1000, 2000), np.float32),
        width=2000, height=1000,
    )  # fmt: skip
    data = re.search(r"base64,([^\"]+)", to_html(big))
    assert data is not None
    with Image.open(BytesIO(base64.b64decode(data[1]))) as picture:
        assert picture.size == (800, 400)


def test_no_trace_is_never_called_authentic(detection):
    html = to_html(replace(detection, verdict="no_trace", regions=(), warnings=()))
    assert "no trace found" in html
    assert "authentic" not in html
    assert "<table" not in html
    assert "<ul" not in html


@pytest.mark.parametrize(("modality", "words"), [("vision", "the pixels alone"), ("vision+frequency", "compression")])
def test_modality_in_words(detection, modality, words):
    assert words in to_html(replace(detection, modality=modality))


def test_notebooks_show_it(detection):
    assert detection._repr_html_() == to_html(detection)


def test_why_a_poor_file_cannot_be_judged(detection):
    poor = replace(detection, fitness=Fitness("poor", ("It looks like a <screenshot>.",)))
    assert "finding none says nothing. It looks like a &lt;screenshot&gt;." in to_html(poor)
    assert "says nothing" not in to_html(replace(detection, fitness=Fitness("good")))
