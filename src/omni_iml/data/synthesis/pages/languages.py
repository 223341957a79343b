"""What a page says in which language: invented people, places and goods, prices and dates as they are written there."""

from __future__ import annotations

import functools
import json
import logging
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from numpy.random import Generator

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.fonts import Face

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Language:
    """A language's vocabulary.

    Attributes:
        code: for example "de".
        share: how often a page is in it.
        labels: what fields and headings are called.
        words: of running text.
        items: goods and services.
        first: given names.
        last: family names.
        streets: of addresses.
        cities: of addresses.
        companies: that issue documents.
        sexes: as forms have them.
        currency: sign or abbreviation.
        decimal: sign before the hundredths; empty where prices are whole numbers.
        date: pattern with ``y``, ``m`` and ``d``.
        join: what stands between words.
        shaped: whether its letters must be joined or reordered to be drawn.
        rtl: whether lines run from right to left.
    """

    code: str
    share: float
    labels: dict[str, str]
    words: tuple[str, ...]
    items: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]
    companies: tuple[str, ...]
    sexes: tuple[str, ...]
    currency: str
    decimal: str
    date: str
    join: str
    shaped: bool = False
    rtl: bool = False

    @functools.cached_property
    def characters(self) -> str:
        """Every character that its pages may need."""
        lists = (self.words, self.items, self.first, self.last, self.streets, self.cities, self.companies, self.sexes)
        said = "".join(text for texts in (*lists, tuple(self.labels.values())) for text in texts)
        own = self.currency + self.date.replace("{", "").replace("}", "") + self.decimal
        plain = fonts.PLAIN + ("%" if self.rtl else "%()#ABCDEFGHKLMNPRSTUVXYZ")
        if self.shaped:
            plain = fonts.PLAIN
        return "".join(sorted(set(said + own + plain) - set(" ")))

    def pick(self, rng: Generator, texts: tuple[str, ...]) -> str:
        """One of these texts."""
        return texts[int(rng.integers(len(texts)))]

    def name(self, rng: Generator) -> str:
        """A person's full name, the family name first where that is the custom."""
        first, last = self.pick(rng, self.first), self.pick(rng, self.last)
        return last + first if self.code in ("zh", "ja", "ko") else f"{first} {last}"

    def money(self, cents: int) -> str:
        """A price as it is written, without the currency; cents of a hundredth, or whole units of the currency."""
        if not self.decimal:
            return f"{cents:,}"
        return f"{cents // 100}{self.decimal}{cents % 100:02}"

    def day(self, rng: Generator, years: tuple[int, int] = (2009, 2025)) -> str:
        """A date of these years, both included."""
        year, month, day = int(rng.integers(years[0], years[1] + 1)), int(rng.integers(1, 13)), int(rng.integers(1, 29))
        return self.date.format(y=year, m=month, d=day)


@functools.cache
def languages() -> tuple[Language, ...]:
    """All languages, in a stable order."""
    known = json.loads(files(__package__).joinpath("languages.json").read_text(encoding="utf-8"))
    packs: dict[str, dict[str, Any]] = {
        code: {key: tuple(value) if isinstance(value, list) else value for key, value in pack.items()}
        for code, pack in known.items()
    }
    return tuple(Language(code, **pack) for code, pack in packs.items())


def drawable() -> tuple[tuple[Language, tuple[Face, ...]], ...]:
    """The languages that some font draws completely, and these fonts; the others are named in the log, once.

    Where not even English can be set, English in Pillow's own face.
    """
    return _drawable(fonts.font_files())


@functools.lru_cache(maxsize=4)
def _drawable(_: tuple[str, ...]) -> tuple[tuple[Language, tuple[Face, ...]], ...]:
    found = []
    for language in languages():
        if language.shaped and not fonts.shaping():
            log.warning("language %s: is left out of pages, for Pillow has no libraqm to join letters.", language.code)
            continue
        faces = fonts.faces(language.characters)
        if faces:
            found.append((language, faces))
        else:
            log.warning("language %s: is left out of pages, for no font file draws all of it.", language.code)
    if not found:
        english = next(language for language in languages() if language.code == "en")
        found.append((english, (Face(fonts.BUILT_IN, "Pillow", "Regular"),)))
    return tuple(found)
