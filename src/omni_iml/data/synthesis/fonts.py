"""The fonts that text is set in: which there are, what each one draws, which are like another."""

from __future__ import annotations

import functools
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, features

from omni_iml.data.synthesis.charmap import characters

log = logging.getLogger(__name__)

_SYSTEM_FONTS = ("/usr/share/fonts", "/System/Library/Fonts", "/Library/Fonts", "C:/Windows/Fonts")
_SUFFIXES = {".ttf", ".otf", ".ttc"}

BUILT_IN = ""
"""Name of Pillow's own face, which is used where there is no font file."""

_MISSING = "\U0010fffd"  # a private code point that no font draws
_SAMPLE = 16
_REGION = re.compile(r"(?: (?:HK|JP|KR|SC|TC|CN|TW|MBE))+$")

PLAIN = "0123456789.,:/-"
"""What a face must draw to be used at all."""


@dataclass(frozen=True)
class Face:
    """One face of a font file.

    Attributes:
        name: its path, with ``#`` and its number behind where the file holds several; `BUILT_IN` for Pillow's own.
        family: as the file names it.
        style: as the file names it, for example "Bold Italic".
    """

    name: str
    family: str
    style: str

    @functools.cached_property
    def clan(self) -> str:
        """The family without the region whose forms of Chinese characters it prefers: in Latin letters they agree."""
        return _REGION.sub("", self.family)

    @property
    def bold(self) -> bool:
        """Whether its strokes are those of a bold face."""
        return any(word in self.style for word in ("Bold", "Demi", "Black", "Heavy"))

    @property
    def slanted(self) -> bool:
        """Whether it is an italic or oblique face."""
        return any(word in self.style for word in ("Ital", "Obli", "Slant"))


def font_files() -> tuple[str, ...]:
    """Font files to draw with, in a stable order.

    Those of the folder ``OMNI_IML_FONTS``, or the system's where it is not set. Files that do not draw digits at a free
    size (bitmap emoji, damaged files) are left out.

    Raises:
        FileNotFoundError: ``OMNI_IML_FONTS`` is set and is no folder.
    """
    return _font_files(os.environ.get("OMNI_IML_FONTS"))


@functools.lru_cache(maxsize=4)
def _font_files(chosen: str | None) -> tuple[str, ...]:
    if chosen is not None and not Path(chosen).is_dir():
        raise FileNotFoundError(f"OMNI_IML_FONTS={chosen!r}: is no folder; name a folder of font files, or unset it.")
    folders = _SYSTEM_FONTS if chosen is None else (chosen,)
    found = [p for folder in folders for p in Path(folder).rglob("*") if p.suffix.lower() in _SUFFIXES]
    files = tuple(path for path in sorted(str(p) for p in found) if _readable(path))
    if not files:
        log.warning("%s: no font file there; text is set in Pillow's own face.", chosen or ", ".join(_SYSTEM_FONTS))
    return files


def _readable(path: str) -> bool:
    try:
        return ImageFont.truetype(path, 17).getmask("a8").getbbox() is not None
    except OSError as error:
        log.warning("%s: is left out of the fonts, for it cannot be drawn with (%s).", path, error)
        return False


def all_faces() -> tuple[Face, ...]:
    """Every face that draws digits, in a stable order; Pillow's own where there is no font file."""
    return _faces_of(font_files())


@functools.lru_cache(maxsize=4)
def _faces_of(files: tuple[str, ...]) -> tuple[Face, ...]:
    found = tuple(f for path in files for f in _faces_in(path) if draws(f.name, PLAIN) and _is_no_symbol_font(f.name))
    return found or (Face(BUILT_IN, "Pillow", "Regular"),)


def _is_no_symbol_font(name: str) -> bool:
    """Whether full stop and hyphen are small beside a nought: fonts of signs put any picture in their places."""
    opened = _opened(name, 24, shaped=False)
    heights = [box[3] - box[1] if (box := opened.getmask(sign).getbbox()) else 0 for sign in ".-0"]
    return 0 < 2 * max(heights[:2]) < heights[2]


def _faces_in(path: str) -> Iterator[Face]:
    collection = path.lower().endswith(".ttc")
    for index in range(64 if collection else 1):
        try:
            family, style = ImageFont.truetype(path, 17, index=index).getname()
        except OSError:  # past the last face of the collection
            return
        yield Face(f"{path}#{index}" if collection else path, family or Path(path).stem, style or "Regular")


@functools.lru_cache(maxsize=512)
def font(name: str, size: float) -> ImageFont.FreeTypeFont:
    """A face ready to draw with.

    Args:
        name: a face's.
        size: of the em in pixels.
    """
    return _opened(name, size, shaping())


def _opened(name: str, size: float, shaped: bool) -> ImageFont.FreeTypeFont:
    if name == BUILT_IN:
        return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))
    engine = ImageFont.Layout.RAQM if shaped else ImageFont.Layout.BASIC
    path, _, index = name.partition("#")
    return ImageFont.truetype(path, size, index=int(index or 0), layout_engine=engine)


@functools.cache
def shaping() -> bool:
    """Whether Pillow can join and order the letters of Arabic, Devanagari and their like (libraqm)."""
    return bool(features.check("raqm"))


@functools.lru_cache(maxsize=1024)
def _characters(name: str) -> NDArray[np.int64]:
    if name == BUILT_IN:  # Pillow's own face has no file; it draws these
        return np.arange(0x20, 0x7F)
    path, _, index = name.partition("#")
    try:
        return characters(Path(path), int(index or 0))
    except OSError as error:
        log.warning("%s", error)
        return np.zeros(0, np.int64)


def _maps(name: str, text: str) -> bool:
    """Whether a face's table of characters names a glyph for every character."""
    known = _characters(name)
    wanted = np.array([ord(character) for character in text if not character.isspace()], np.int64)
    if not known.size:
        return not wanted.size
    places = np.minimum(np.searchsorted(known, wanted), known.size - 1)
    return bool((known[places] == wanted).all())


@functools.lru_cache(maxsize=512)
def _probe(name: str) -> tuple[ImageFont.FreeTypeFont, bytes]:
    opened = _opened(name, 16, shaped=False)
    return opened, bytes(opened.getmask(_MISSING))


@functools.lru_cache(maxsize=65536)
def _shows(name: str, character: str) -> bool:
    """Whether a character's glyph is neither blank nor the one of missing characters: some tables name these."""
    opened, missing = _probe(name)
    glyph = opened.getmask(character)
    return glyph.getbbox() is not None and bytes(glyph) != missing


def draws(name: str, text: str) -> bool:
    """Whether a face has a glyph for every character: none would be blank or an empty box.

    Args:
        name: a face's.
        text: characters in any order; spaces count as drawn.
    """
    return _maps(name, text) and all(_shows(name, character) for character in text if not character.isspace())


def faces(text: str) -> tuple[Face, ...]:
    """The faces that draw all these characters, in a stable order; there may be none."""
    return _faces_for(font_files(), text)


@functools.lru_cache(maxsize=64)
def _faces_for(files: tuple[str, ...], text: str) -> tuple[Face, ...]:
    # Of a long text a sample is looked at: whole scripts are missing from a face, not single letters of one.
    sample = text[:: max(1, len(text) // _SAMPLE)]
    return tuple(face for face in _faces_of(files) if _maps(face.name, text) and draws(face.name, sample))


def draw_face(rng: Generator, known: tuple[Face, ...], *, bold: bool = False, slanted: bool = False) -> Face:
    """One of these faces: first a family, evenly, then one of its faces of the wanted style, if there is any."""
    families = list(_families(known).values())
    return _styled(families[int(rng.integers(len(families)))], bold, slanted)


def draw_faces(rng: Generator, known: tuple[Face, ...], count: int) -> list[Face]:
    """At most ``count`` different faces of as many families, three in ten of them bold."""
    families = list(_families(known).values())
    order = rng.permutation(len(families))[:count].tolist()
    return [_styled(families[k], heavy, False) for k, heavy in zip(order, rng.random(len(order)) < 0.3, strict=True)]


def _families(known: tuple[Face, ...]) -> dict[str, list[Face]]:
    families: dict[str, list[Face]] = {}
    for face in known:
        families.setdefault(face.clan, []).append(face)
    return families


def partner(face: Face, known: tuple[Face, ...], *, bold: bool = False, slanted: bool = False) -> Face:
    """The face of the same family in another style, or the face itself where there is none."""
    return _styled([face, *(other for other in known if other.family == face.family)], bold, slanted)


def _styled(family: list[Face], bold: bool, slanted: bool) -> Face:
    def unlike(face: Face) -> tuple[bool, bool, int]:
        common = face.style in ("Regular", "Book", "Roman", "Bold", "Italic", "Bold Italic")
        return face.slanted != slanted, face.bold != bold, int(not common)

    return min(family, key=unlike)


@functools.lru_cache(maxsize=1024)
def fixed_width(name: str) -> bool:
    """Whether all letters of a face are equally wide."""
    opened = font(name, 100.0)
    return opened.getlength("i") == opened.getlength("M")


@functools.lru_cache(maxsize=1024)
def weight(name: str) -> float:
    """Share of its box that the text "Hamburg 0123" inks: how heavy a face looks."""
    opened = font(name, 48.0)
    text = "Hno 0123" if draws(name, "Hno") else "0123"
    x0, y0, x1, y1 = (int(v) for v in opened.getbbox(text))
    layer = Image.new("L", (max(1, x1 - x0), max(1, y1 - y0)))
    ImageDraw.Draw(layer).text((-x0, -y0), text, 255, opened)
    histogram = layer.histogram()
    return sum(level * count for level, count in enumerate(histogram)) / 255 / max(1, layer.width * layer.height)


def like(name: str, text: str, count: int) -> tuple[Face, ...]:
    """The ``count`` faces whose weight and width are nearest to a face's among those that draw a text; not the face."""
    found: list[Face] = []
    for face in _by_likeness(font_files(), name):
        if len(found) == count:
            break
        if draws(face.name, text):
            found.append(face)
    return tuple(found)


@functools.lru_cache(maxsize=1024)
def _by_likeness(files: tuple[str, ...], name: str) -> tuple[Face, ...]:
    def unlike(face: Face) -> float:
        return (
            abs(_plain_width(face.name) / max(_plain_width(name), 1.0) - 1)
            + 2 * abs(weight(face.name) - weight(name))
            + 0.5 * (fixed_width(face.name) != fixed_width(name))
        )

    return tuple(sorted((face for face in _faces_of(files) if face.name != name), key=unlike))


@functools.lru_cache(maxsize=1024)
def _plain_width(name: str) -> float:
    return font(name, 48.0).getlength(PLAIN)
