"""What all kinds of pages share: a language, its faces, a size, and the small things that stand on many pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.fonts import Face
from omni_iml.data.synthesis.pages.languages import Language
from omni_iml.data.synthesis.pages.sheet import Colour, Sheet, Style
from omni_iml.data.synthesis.pixels import Pixels, to_pixels


@dataclass(frozen=True)
class Setting:
    """How a page is set.

    Attributes:
        language: what it says.
        faces: every face that draws the language.
        plain: running text.
        bold: headings.
        width: of the page in pixels.
        height: of the page in pixels.
        paper: its colour.
        accent: colour of rules and headings.
        portrait: a photograph for cards, or none.
    """

    language: Language
    faces: tuple[Face, ...]
    plain: Style
    bold: Style
    width: int
    height: int
    paper: Colour
    accent: Colour
    portrait: Pixels | None = None

    @property
    def em(self) -> float:
        """Size of running text in pixels."""
        return self.plain.size

    def say(self, key: str) -> str:
        """What a field or heading is called."""
        return self.language.labels[key]

    def other(self, rng: Generator, factor: float, *, fixed: bool = False) -> Style:
        """Text in another face, as what is filled in has it; typewriter-like if wanted and there is such a face."""
        known = self.faces
        if fixed:
            known = tuple(face for face in known if fonts.fixed_width(face.name)) or known
        return Style(fonts.draw_face(rng, known).name, round(self.em * factor, 2), self.plain.colour)


Kind = Callable[[Generator, Sheet, Setting], None]


def address(rng: Generator, language: Language) -> str:
    """A street with a number."""
    number = int(rng.integers(1, 180))
    street = language.pick(rng, language.streets)
    return f"{street}{number}号" if language.code == "zh" else f"{street} {number}"


def phone(rng: Generator) -> str:
    """A telephone number as people group it."""
    digits = "".join(str(d) for d in rng.integers(0, 10, 9))
    patterns = (f"0{digits[:2]}-{digits[2:5]} {digits[5:]}", f"({digits[:3]}) {digits[3:6]}-{digits[6:]}", f"0{digits}")
    return patterns[int(rng.integers(3))]


def code(rng: Generator, pattern: str) -> str:
    """A number or reference: ``0`` stands for a digit, ``A`` for a capital letter."""
    return "".join(
        str(rng.integers(10)) if c == "0" else "ABCDEFGHKLMNPRSTUVXYZ"[int(rng.integers(21))] if c == "A" else c
        for c in pattern
    )


def paragraph(
    rng: Generator, sheet: Sheet, setting: Setting, x: float, y: float, width: float, lines: int, leading: float
) -> float:
    """Running text, ragged at the end; returns the row of the baseline after it."""
    language, style = setting.language, setting.plain
    for number in range(lines):
        if sheet.sees(y - 1.5 * style.size, y + style.size):
            room = width * (float(rng.uniform(0.3, 0.9)) if number == lines - 1 else 1.0)
            words = [language.pick(rng, language.words)]
            space = style.width(language.join) if language.join else 0.0
            length = style.width(words[0])
            while True:
                word = language.pick(rng, language.words)
                length += space + style.width(word)
                if length > room:
                    break
                words.append(word)
            column = x
            for word in words:
                sheet.text(column, y, word, style, join="")
                column += style.width(word) + space
        y += leading
    return y


def signature(rng: Generator, sheet: Sheet, x: float, y: float, em: float) -> None:
    """A stroke of the pen that nobody can read."""
    if not sheet.sees(y - 3 * em, y + 2 * em):
        return
    turns = int(rng.integers(8, 15))
    steps = np.linspace(0, 1, 90)
    knots = np.linspace(0, 1, turns)
    across = np.interp(steps, knots, np.linspace(0, 8 * em, turns) + rng.uniform(-0.7, 0.7, turns) * em)
    heights = rng.uniform(-1.4, 0.5, turns) * em * np.linspace(1.2, 0.5, turns)
    along = np.interp(steps, knots, heights)
    kernel = np.hanning(9) / np.hanning(9).sum()
    along[4:-4] = np.convolve(along, kernel, "valid")
    across[4:-4] = np.convolve(across, kernel, "valid")
    blue = int(rng.integers(40, 160))
    ink: Colour = (int(rng.integers(10, 50)), int(rng.integers(15, 60)), blue)
    points = [(x + float(dx), y + float(dy)) for dx, dy in zip(across, along, strict=True)]
    sheet.curve(points, ink, max(1, round(em / 11)))


def stamp(rng: Generator, sheet: Sheet, setting: Setting, x: float, y: float) -> None:
    """A round stamp of an office, laid over what is written: two rings, a star, a line."""
    radius = int(setting.em * rng.uniform(3.0, 4.5))
    if not sheet.sees(y - radius, y + radius):
        return
    side = 2 * radius + 3
    cover = np.zeros((side, side), np.uint8)
    centre = (side // 2, side // 2)
    cv2.circle(cover, centre, radius, 255, max(2, radius // 16), cv2.LINE_AA)
    if rng.random() < 0.6:
        cv2.circle(cover, centre, int(radius * 0.88), 255, 1, cv2.LINE_AA)
    angles = np.pi / 5 * np.arange(10) - np.pi / 2
    star = np.stack([np.cos(angles), np.sin(angles)], 1) * np.where(np.arange(10) % 2, 0.11, 0.28)[:, None] * radius
    cv2.fillPoly(cover, [(star + centre).astype(np.int32)], 255, cv2.LINE_AA)
    ring = int(rng.integers(14, 22))
    for k in range(ring):  # letters around the star, too small to read
        turn = 2 * np.pi * k / ring
        at = np.array(centre) + 0.68 * radius * np.array([np.cos(turn), np.sin(turn)])
        if np.sin(turn) < 0.5:
            size = (max(1, radius // 14), max(2, radius // 9))
            cv2.ellipse(cover, (int(at[0]), int(at[1])), size, float(np.degrees(turn)), 0, 300, 255, 1, cv2.LINE_AA)
    worn = cv2.resize(rng.uniform(0.45, 1.1, (9, 9)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    ink = np.array([(190, 30, 35), (40, 60, 150)][int(rng.random() < 0.25)], np.float32)
    column, row = round(x - sheet.left - radius), round(y - sheet.top - radius)
    x0, y0, x1, y1 = max(column, 0), max(row, 0), min(column + side, sheet.width), min(row + side, sheet.height)
    if x0 < x1 and y0 < y1:
        inside = (slice(y0 - row, y1 - row), slice(x0 - column, x1 - column))
        alpha = (np.clip(worn * 0.8, 0, 1) * cover / 255)[inside][..., None]
        below = sheet.pixels[y0:y1, x0:x1].astype(np.float32)
        # Ink lies on ink: a stamp darkens what is under it.
        sheet.paste(x0, y0, to_pixels(below * (1 - alpha) + np.minimum(below, ink) * alpha))


def barcode(rng: Generator, sheet: Sheet, x: float, y: float, width: float, height: float) -> None:
    """Bars of one to four modules."""
    module = max(1, round(width / 95))
    column = x
    while column < x + width:
        bar, gap = (int(v) * module for v in rng.integers(1, 4, 2))
        sheet.box(column, y, column + bar - 1, y + height, fill=(25, 25, 25))
        column += bar + gap


def portrait(rng: Generator, height: int, width: int) -> Pixels:
    """A soft picture of nobody: head and shoulders before a plain wall, in grain."""
    wall = np.array([rng.integers(150, 235), rng.integers(160, 235), rng.integers(175, 245)], np.float32)
    skin = np.array([205, 160, 130], np.float32) * rng.uniform(0.55, 1.15)
    cloth, hair = rng.uniform(20, 160, 3), np.array([70, 50, 35]) * rng.uniform(0.2, 2.2)
    picture = np.tile(wall, (height, width, 1))
    middle = (int(width * rng.uniform(0.46, 0.54)), int(height * rng.uniform(0.4, 0.46)))
    face = (int(width * 0.22), int(height * 0.24))
    for centre, axes, colour in (
        ((middle[0], int(height * 1.08)), (int(width * 0.46), int(height * 0.38)), cloth),
        ((middle[0], int(height * 0.68)), (int(width * 0.11), int(height * 0.14)), skin * 0.85),
        ((middle[0], middle[1] - face[1] // 4), (int(face[0] * 1.18), int(face[1] * 1.15)), hair),
        (middle, face, skin),
        ((middle[0] - face[0] // 2, middle[1] - face[1] // 8), (face[0] // 6, max(1, face[1] // 12)), hair * 0.5),
        ((middle[0] + face[0] // 2, middle[1] - face[1] // 8), (face[0] // 6, max(1, face[1] // 12)), hair * 0.5),
        ((middle[0], middle[1] + face[1] // 2), (face[0] // 3, max(1, face[1] // 14)), skin * 0.6),
    ):
        cv2.ellipse(picture, centre, axes, 0, 0, 360, [float(c) for c in colour], -1)
    soft = cv2.GaussianBlur(picture, (0, 0), max(0.8, width / 60))
    shade = np.linspace(float(rng.uniform(0.8, 1.0)), float(rng.uniform(0.9, 1.1)), width, dtype=np.float32)
    return to_pixels(soft * shade[None, :, None] + rng.standard_normal((height, width, 1)) * 3)
