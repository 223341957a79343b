"""What a forger writes instead: text of the same kind that is about as wide."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from numpy.random import Generator

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.pages.languages import languages

_DRAWN = 14
_DATE = re.compile(r"(?P<a>\d{1,2})[./-](?P<b>\d{1,2})[./-](?P<y>\d{4})")
_DATE_YEAR_FIRST = re.compile(r"(?P<y>\d{4})[./年-](?P<a>\d{1,2})[./月-](?P<b>\d{1,2})日?")
_TIME = re.compile(r"(?P<h>\d{1,2}):(?P<m>\d{2})")


def digits_changed(rng: Generator, text: str, places: tuple[int, ...]) -> str:
    """The text with other digits at these places.

    A number does not begin with a nought that it did not begin with, and a date stays one where that is possible.
    """
    written = list(text)
    for _ in range(_DRAWN):
        for place in places:
            leading = place == 0 or not (text[place - 1].isdigit() or text[place - 1] in ".,:/-")
            choices = [d for d in ("123456789" if leading else "0123456789") if d != text[place]]
            written[place] = choices[int(rng.integers(len(choices)))]
        if _plausible("".join(written)):
            break
    return "".join(written)


def _plausible(text: str) -> bool:
    """Whether what looks like a date or a time can be one."""
    for pattern in (_DATE, _DATE_YEAR_FIRST):
        for found in pattern.finditer(text):
            low, high = sorted((int(found["a"]), int(found["b"])))
            if not (1 <= low <= 12 and 1 <= high <= 31 and 1930 <= int(found["y"]) <= 2040):
                return False
    return all(int(found["h"]) < 24 and int(found["m"]) < 60 for found in _TIME.finditer(text))


def digit_places(text: str) -> tuple[int, ...]:
    """Where a text has digits 0 to 9."""
    return tuple(place for place, character in enumerate(text) if character in "0123456789")


def other_text(rng: Generator, text: str, face: str, width: float, advance: Callable[[str], float]) -> str:
    """Another text of the same kind, in width near to what is wanted.

    Numbers become other numbers of the same form, words other words of a language that has these letters, in the same
    case; where the text is not known, a number or a word.

    Args:
        rng: source of all choices.
        text: what is written now; empty where that is not known.
        face: the face that must draw it.
        width: wanted, in pixels.
        advance: width of a text in pixels.
    """
    if places := digit_places(text):
        if found := _DATE.fullmatch(text) or _DATE_YEAR_FIRST.fullmatch(text):
            return _other_date(rng, text, found)
        return digits_changed(rng, text, places)
    if not text and rng.random() < 0.45:
        drawn = [_number(rng) for _ in range(_DRAWN)]
    else:
        vocabulary = _vocabulary(text.lower(), face)
        if not vocabulary:
            return text[::-1] if text[::-1] != text else text + text
        drawn = [_cased(text, vocabulary[int(k)]) for k in rng.integers(0, len(vocabulary), _DRAWN)]
        drawn = [word for word in drawn if word != text] or [drawn[0] + drawn[0]]
    return min(drawn, key=lambda word: abs(advance(word) - width))


def _other_date(rng: Generator, text: str, found: re.Match[str]) -> str:
    """A date in the same form; days up to the twelfth, so that it is one in whatever order it is read."""
    written = list(text)
    for name, (low, high) in (("a", (1, 12)), ("b", (1, 12)), ("y", (1990, 2025))):
        old = found[name]
        choices = [f"{number:0{len(old)}}" for number in range(low, high + 1)]
        choices = [choice for choice in choices if len(choice) == len(old) and choice != old]
        if old[0] != "0" and "年" in text:  # where no noughts are put before numbers
            choices = [choice for choice in choices if choice[0] != "0"]
        written[found.start(name) : found.end(name)] = choices[int(rng.integers(len(choices)))] if choices else old
    return "".join(written)


def _number(rng: Generator) -> str:
    whole, cents = int(10 ** rng.uniform(0, 5)), int(rng.integers(100))
    day, month = int(rng.integers(1, 29)), int(rng.integers(1, 13))
    forms = (
        f"{whole}.{cents:02}",
        f"{whole}",
        f"{whole},{cents:02}",
        f"{day:02}.{month:02}.{rng.integers(2005, 2026)}",
    )
    return forms[int(rng.integers(len(forms)))]


def _cased(text: str, word: str) -> str:
    if len(text) > 1 and text.isupper():
        return word.upper()
    if text.islower():
        return word.lower()
    return word[:1].upper() + word[1:] if text[:1].isupper() else word


@functools.lru_cache(maxsize=2048)
def _vocabulary(text: str, face: str) -> tuple[str, ...]:
    """Words of a language that has this word, else of the first that has its letters, as far as the face draws them."""
    letters = {character for character in text if character.isalpha()}
    written = [k for k, (_, characters) in enumerate(_spoken()) if letters <= characters]
    known = [k for k in written if text in {word.lower() for word in _spoken()[k][0]}]
    for k in (*known, *written):
        if drawn := [word for word in _spoken()[k][0] if fonts.draws(face, word + word.upper())]:
            return tuple(drawn)
    return ()


@functools.cache
def _spoken() -> tuple[tuple[tuple[str, ...], frozenset[str]], ...]:
    """Each language's words, and its letters in lower case."""
    found = []
    for language in languages():
        parts = (language.words, language.items, language.first, language.last, language.cities)
        words = [word for texts in parts for text in texts for word in text.split(language.join or None)]
        words = [word for word in words if any(character.isalpha() for character in word)]
        found.append((tuple(dict.fromkeys(words)), frozenset(language.characters.lower())))
    return tuple(found)
