from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.content import digit_places, digits_changed, other_text


def width(text: str) -> float:
    return 10.0 * len(text)


@given(st.text("0123456789.,-/ aZ€", max_size=14), st.integers(0, 2**32 - 1))
def test_digits_change_where_they_shall_and_nowhere_else(text: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = digit_places(text)
    assert all(text[place].isdigit() for place in places)
    chosen = tuple(place for place in places if rng.random() < 0.5)
    new = digits_changed(rng, text, chosen)
    assert len(new) == len(text)
    assert tuple(k for k in range(len(text)) if new[k] != text[k]) == chosen
    if chosen[:1] == (0,):
        assert new[0] != "0"


@pytest.mark.parametrize("date", ["24.11.2019", "11/24/2019", "2019-11-24", "2019年11月24日"])
def test_other_dates_are_dates(date: str) -> None:
    face = fonts.all_faces()[0].name
    for seed in range(40):
        new = other_text(np.random.default_rng(seed), date, face, width(date), width)
        numbers = [int(number) for number in "".join(c if c.isdigit() else " " for c in new).split()]
        year = max(numbers)
        assert new != date
        assert len(new) == len(date)
        assert 1990 <= year <= 2025
        assert all(1 <= number <= 12 for number in numbers if number != year)


@pytest.mark.parametrize("text", ["Total", "TOTAL", "und"])
def test_words_become_other_words_in_their_case(text: str) -> None:
    face = fonts.all_faces()[0].name
    for seed in range(20):
        new = other_text(np.random.default_rng(seed), text, face, width(text), width)
        assert new != text
        assert fonts.draws(face, new)
        assert new.isupper() == text.isupper() or not any(c.isalpha() for c in new)
        assert new[0].isupper() == text[0].isupper()


def test_words_stay_in_their_script() -> None:
    faces = fonts.faces("ИТОГО")
    if not faces:
        pytest.skip("no font draws Cyrillic")
    for seed in range(20):
        new = other_text(np.random.default_rng(seed), "сумма", faces[0].name, width("сумма"), width)
        assert all("Ѐ" <= c <= "ӿ" for c in new if c.isalpha())


def test_words_stay_in_their_language() -> None:
    german = {"zahlung", "betrag", "vertrag", "lieferung", "monat", "konto"}
    face = fonts.all_faces()[0].name
    drawn = {other_text(np.random.default_rng(s), "brief", face, width("betrag"), width) for s in range(60)}
    assert drawn & german
    assert not drawn & {"payment", "letter", "amount", "account"}


def test_the_text_nearest_in_width_is_taken() -> None:
    face = fonts.all_faces()[0].name
    lengths = [len(other_text(np.random.default_rng(s), "payment", face, 70.0, width)) for s in range(30)]
    assert np.mean([abs(length - 7) <= 1 for length in lengths]) > 0.8
