from typing import get_args

import pytest

from omni_iml.report.wording import FITNESS, LIMITS, MODALITIES, VERDICTS, fitness_sentences, printable
from omni_iml.types import Fitness, Grade, Modality, Verdict


def test_every_verdict_and_modality_has_words():
    assert set(VERDICTS) == set(get_args(Verdict))
    assert set(MODALITIES) == set(get_args(Modality))
    assert set(FITNESS) == set(get_args(Grade))


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


@pytest.mark.parametrize("grade", ["limited", "poor"])
def test_a_lowered_grade_is_explained_with_its_reasons(grade):
    sentences = fitness_sentences(Fitness(grade, ("It is small.",)))
    assert sentences[1:] == ("It is small.",)
    assert sentences[0].endswith(".")
    assert sentences[0][0].isupper()


def test_a_good_file_needs_no_words():
    assert fitness_sentences(Fitness("good")) == fitness_sentences(None) == ()
