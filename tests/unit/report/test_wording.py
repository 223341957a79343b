from typing import get_args

import pytest

from omni_iml.report.wording import LIMITS, MODALITIES, VERDICTS, printable
from omni_iml.types import Modality, Verdict


def test_every_verdict_and_modality_has_words():
    assert set(VERDICTS) == set(get_args(Verdict))
    assert set(MODALITIES) == set(get_args(Modality))


def test_no_words_claim_authenticity():
    assert not any("authentic" in words or "genuine" in words for words in (*VERDICTS.values(), LIMITS))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain.jpg", "plain.jpg"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("two\nlines", "two\ufffdlines"),
        ("a\udcff", "a\ufffd"),
        ("\u202egpj.exe", "\ufffdgpj.exe"),
        ("Ünï 图 🖼", "Ünï 图 🖼"),
    ],
)
def test_printable(text, shown):
    assert printable(text) == shown
