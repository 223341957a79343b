"""A window of a page that never was, captured in one of the ways that documents are."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.capture import captured, draw_capture, needed, surface
from omni_iml.data.synthesis.pages.card import card
from omni_iml.data.synthesis.pages.form import form
from omni_iml.data.synthesis.pages.languages import drawable
from omni_iml.data.synthesis.pages.letter import article, letter
from omni_iml.data.synthesis.pages.receipt import receipt
from omni_iml.data.synthesis.pages.setting import Kind, Setting
from omni_iml.data.synthesis.pages.sheet import Colour, Sheet, Style
from omni_iml.data.synthesis.pages.table import invoice, statement
from omni_iml.data.synthesis.pixels import Pixels
from omni_iml.data.synthesis.scene import Scene
from omni_iml.data.words import seen_through, warped

# How often, and the page's width and height in ems.
KINDS: dict[str, tuple[Kind, float, tuple[float, float], tuple[float, float]]] = {
    "receipt": (receipt, 0.25, (21, 29), (48, 80)),
    "letter": (letter, 0.2, (54, 66), (76, 92)),
    "form": (form, 0.18, (46, 58), (60, 80)),
    "invoice": (invoice, 0.15, (48, 60), (66, 84)),
    "statement": (statement, 0.08, (48, 60), (66, 84)),
    "card": (card, 0.1, (27, 31), (16.5, 18.5)),
    "article": (article, 0.04, (62, 74), (84, 100)),
}
"""The kinds of pages."""

_ENOUGH_WORDS = 5
_TRIES = 4


def draw_page(rng: Generator, height: int, width: int, portrait: Pixels | None = None) -> Scene:
    """A piece of a rendered document, with every word that it shows.

    Only what the window shows is drawn, so that a piece of 640 by 640 pixels takes some tens of milliseconds.

    Args:
        rng: source of all choices: the same state and the same fonts, the same pixels.
        height: rows of the piece.
        width: columns of the piece.
        portrait: photograph for a card with one, uint8 ``(H, W, 3)`` RGB; a soft picture of nobody where there is none.

    Returns:
        The scene. Its words carry text, font, size and slope.
    """
    scene = _page(rng, height, width, portrait)
    for _ in range(_TRIES):  # the empty end of a page is no document to edit
        if len(scene.words) >= _ENOUGH_WORDS:
            break
        scene = _page(rng, height, width, portrait)
    return scene


def _page(rng: Generator, height: int, width: int, portrait: Pixels | None) -> Scene:
    names = list(KINDS)
    shares = np.array([KINDS[name][1] for name in names])
    name = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    kind, _, wide, tall = KINDS[name]
    setting = _setting(rng, name, wide, tall, portrait)
    capture = draw_capture(rng, height, width)
    top, left, sheet_height, sheet_width = needed(capture, height, width)
    matrix = capture.matrix @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
    top, left = top + _corner(rng, setting.height, height), left + _corner(rng, setting.width, width)
    covered = top >= 0 and left >= 0 and top + sheet_height < setting.height and left + sheet_width < setting.width
    sheet = Sheet(
        sheet_height,
        sheet_width,
        top,
        left,
        np.zeros((sheet_height, sheet_width, 3), np.uint8)
        if covered and name != "card"
        else surface(rng, sheet_height, sheet_width, capture.way),
        float(setting.width) if setting.language.rtl else None,
    )
    if name != "card":  # a card draws its own ground
        sheet.box(0, 0, setting.width, setting.height, fill=setting.paper)
    kind(rng, sheet, setting)
    pixels = captured(rng, sheet.pixels, capture, matrix, height, width)
    words = tuple(sheet.words) if capture.way == "export" else warped(sheet.words, matrix)
    return Scene(np.ascontiguousarray(pixels), seen_through(words, 0, 0, height, width))


def _corner(rng: Generator, page: int, window: int) -> int:
    """Where on the page the window begins; it may show a little of what lies around, more of a page that is small."""
    if page <= window:
        return -int(rng.integers(0, window - page + 1))
    edge = int(0.06 * window)
    return int(rng.integers(-edge, page - window + edge + 1))


def _setting(
    rng: Generator, name: str, wide: tuple[float, float], tall: tuple[float, float], portrait: Pixels | None
) -> Setting:
    known = drawable()
    shares = np.array([language.share for language, _ in known])
    language, faces = known[int(rng.choice(len(known), p=shares / shares.sum()))]
    chosen = faces
    if name == "receipt" and rng.random() < 0.55:
        chosen = tuple(face for face in faces if fonts.fixed_width(face.name)) or faces
    plain = fonts.draw_face(rng, chosen)
    bold = fonts.partner(plain, chosen, bold=True) if rng.random() < 0.75 else fonts.draw_face(rng, chosen, bold=True)
    smallest = 14.0 if language.shaped or language.code in ("zh", "ja", "ko") else 12.0
    em = float(np.exp(rng.uniform(np.log(smallest), np.log(30.0))))
    if name == "card":
        em *= 1.15
    ink, paper, accent = _colours(rng, name)
    return Setting(
        language,
        faces,
        Style(plain.name, round(em, 2), ink),
        Style(bold.name, round(em, 2), ink),
        round(em * float(rng.uniform(*wide))),
        round(em * float(rng.uniform(*tall))),
        paper,
        accent,
        portrait,
    )


def _colours(rng: Generator, name: str) -> tuple[Colour, Colour, Colour]:
    """Of ink, paper and rules."""
    grey = int(rng.integers(0, 75 if name == "receipt" else 45))
    ink: Colour = (grey, grey, grey + int(rng.integers(0, 12)))
    if rng.random() < 0.06:
        ink = (20, 30, int(rng.integers(70, 140)))
    level = int(rng.integers(238, 256))
    paper: Colour = (255, 255, 255) if rng.random() < 0.5 else (level, level, max(0, level - int(rng.integers(0, 16))))
    accents: tuple[Colour, ...] = (
        ink,
        ink,
        (120, 120, 125),
        (40, 70, 140),
        (150, 40, 45),
        (30, 110, 85),
        (200, 205, 212),
    )
    return ink, paper, accents[int(rng.integers(len(accents)))]
