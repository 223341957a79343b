"""How a word on a page is set: its face, size, place, slope, ink and sharpness, measured on its pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.edit import NothingToEdit
from omni_iml.data.synthesis.ink import Ink, around, separate, steepest
from omni_iml.data.synthesis.pixels import Pixels
from omni_iml.data.words import WordBox
from omni_iml.types import Box

_BLURS = (0.0, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7)
_STEP = 0.05  # of ink between two columns; smaller ones are noise
_SEARCH = 3  # pixels that a box may be off
_KNOWN_WELL = 0.5  # correlation from which a face counts as the one of the page
_KNOWN_A_LITTLE = 0.3  # the same where the font is known to be the right one
_EXACT = 0.97  # nothing better is looked for
_TRIED, _LOOKED_AT = 5, 24
_REFERENCE = 64.0


@dataclass(frozen=True)
class Lettering:
    """How text is set on a page, so that other text can be set alike.

    Attributes:
        face: name of a face.
        size: of its em in pixels.
        x: column of the first letter's origin.
        y: row of the baseline there.
        stretch: width over the face's own.
        slope: rows that the baseline falls with each column.
        colour: of full ink, float32 ``(3,)``.
        strength: ink on the page over what the face alone gives; above 1 where ink ran.
        blur: sigma of its edges in pixels.
        score: correlation of the page with the text set this way; 0 where the text is not known.
    """

    face: str
    size: float
    x: float
    y: float
    stretch: float
    slope: float
    colour: NDArray[np.float32]
    strength: float = 1.0
    blur: float = 0.0
    score: float = 0.0

    def advance(self, text: str) -> float:
        """How far a text runs on the page, in pixels."""
        return fonts.font(self.face, self.size).getlength(text) * self.stretch if text else 0.0

    def bounds(self, text: str, x: float | None = None) -> Box:
        """The box of a text's ink that begins at column ``x``, or where the word began; with a margin of a pixel."""
        x = self.x if x is None else x
        y = self.y + (x - self.x) * self.slope
        x0, y0, x1, y1 = fonts.font(self.face, self.size).getbbox(text, anchor="ls")
        fall = (x1 - x0) * self.stretch * self.slope
        return (
            int(np.floor(x + x0 * self.stretch)) - 1,
            int(np.floor(y + y0 + min(0.0, fall))) - 1,
            int(np.ceil(x + x1 * self.stretch)) + 1,
            int(np.ceil(y + y1 + max(0.0, fall))) + 1,
        )

    def cover(self, text: str, box: Box, x: float | None = None) -> NDArray[np.float32]:
        """Ink of a text, sharp.

        Args:
            text: what to set.
            box: the part of the page that is wanted.
            x: column that it begins at, on the word's own baseline; where the word began, if it is not given.

        Returns:
            float32 ``(h, w)`` of the box, 0..1.
        """
        x = self.x if x is None else x
        y = self.y + (x - self.x) * self.slope
        x0, y0, x1, y1 = box
        wide, tall = x1 - x0, y1 - y0
        if abs(self.stretch - 1) < 0.004 and abs(self.slope) < 0.002:
            layer = Image.new("L", (wide, tall))
            ImageDraw.Draw(layer).text((x - x0, y - y0), text, 255, fonts.font(self.face, self.size), anchor="ls")
            return np.asarray(layer, np.float32) / np.float32(255)
        # Twice as large, then shrunk, stretched and sloped in one go.
        opened = fonts.font(self.face, 2 * self.size)
        left, top, right, bottom = opened.getbbox(text, anchor="ls")
        pad = 3
        layer = Image.new("L", (int(right - left) + 2 * pad, int(bottom - top) + 2 * pad))
        ImageDraw.Draw(layer).text((pad - left, pad - top), text, 255, opened, anchor="ls")
        drawn = cv2.GaussianBlur(np.asarray(layer, np.uint8), (3, 3), 0.6)
        across = self.stretch / 2
        shift_x = x - x0 + (left - pad + 0.5) * across - 0.5
        shift_y = y - y0 + (top - pad + 0.5) / 2 - 0.5 + (left - pad) * across * self.slope
        matrix = np.array([[across, 0, shift_x], [across * self.slope, 0.5, shift_y]], np.float64)
        moved = cv2.warpAffine(drawn, matrix, (wide, tall), flags=cv2.INTER_LINEAR)
        return np.asarray(moved, np.float32) / np.float32(255)

    def softened(self, cover: NDArray[np.float32]) -> NDArray[np.float32]:
        """Ink as sharp and as strong as the page has it."""
        return np.asarray(np.minimum(_blurred(cover, self.blur) * self.strength, 1), np.float32)

    def in_face(self, face: str) -> Lettering:
        """The same in another face, in the size in which its figures are as tall."""
        own, other = (fonts.font(name, _REFERENCE).getbbox("0", anchor="ls") for name in (self.face, face))
        factor = (own[3] - own[1]) / max(1.0, other[3] - other[1])
        return replace(self, face=face, size=self.size * float(np.clip(factor, 0.7, 1.4)))


def measure(rng: Generator, pixels: Pixels, word: WordBox) -> tuple[Lettering, Ink, Box]:
    """How a word is set, the ink of its surroundings, and the box of these.

    Where font and text are known they are found again on the page; where the text is known, the face is the one whose
    letters fit the ink best; else it is one whose strokes are as heavy.

    Args:
        rng: draws the faces that are tried where the font is not known.
        pixels: the page.
        word: a word on it.

    Raises:
        NothingToEdit: the word cannot be told from its paper, or no face fits.
    """
    box = around((word.x0, word.y0, word.x1, word.y1), 3 + (word.y1 - word.y0) // 5, pixels.shape)
    ink = separate(pixels[box[1] : box[3], box[0] : box[2]])
    if word.text and word.font:
        found = _registered(_placed(word, ink), word.text, ink, box)
        if found.score >= _KNOWN_A_LITTLE:
            return _settled(found, word.text, ink, box), ink, box
    if word.text and not word.font and abs(word.slope) < 0.02:
        best = _best(rng, word, ink, box)
        if best is not None and best.score >= _KNOWN_WELL:
            return _settled(best, word.text, ink, box), ink, box
    return _guessed(rng, word, ink, box), ink, box


def _placed(word: WordBox, ink: Ink) -> Lettering:
    """Where a word stands by its box."""
    x0, y0, x1, _ = fonts.font(word.font, word.size).getbbox(word.text, anchor="ls")
    wide = word.x1 - word.x0
    stretch = wide / max(1.0, x1 - x0)
    if wide < 50 or abs(stretch - 1) < 0.02:  # what a box is rounded by
        stretch = 1.0
    stretch = float(np.clip(stretch, 0.9, 1.1))
    rise = min(0.0, word.slope * wide)
    return Lettering(word.font, word.size, word.x0 - x0 * stretch, word.y0 - y0 - rise, stretch, word.slope, ink.colour)


def _registered(lettering: Lettering, text: str, ink: Ink, box: Box) -> Lettering:
    """The lettering moved to where it correlates best with the ink, with strength and blur as the ink has them."""
    x0, y0, x1, y1 = box
    height, width = y1 - y0, x1 - x0
    search = min(_SEARCH, (height - 4) // 2, (width - 4) // 2)
    if search < 1:
        return lettering
    cover = lettering.cover(text, box)
    inner = np.ascontiguousarray(cover[search:-search, search:-search])
    if inner.std() < 1e-3:
        return lettering
    scores = cv2.matchTemplate(ink.cover, inner, cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(int(np.argmax(scores)), scores.shape)
    dy, dx = _peak(scores[:, column], int(row)) - search, _peak(scores[row], int(column)) - search
    moved = replace(lettering, x=lettering.x + dx, y=lettering.y + dy)
    sharp = moved.cover(text, box)
    return _inked(moved, sharp, ink, float(scores[row, column]))


def _settled(lettering: Lettering, text: str, ink: Ink, box: Box) -> Lettering:
    """The lettering moved by quarters of a pixel to where it correlates best."""
    best, sharp = lettering, lettering.cover(text, box)
    score = _correlation(sharp, ink.cover)
    quarters = round(4 * lettering.x) / 4  # from whole quarters on, where renderers put letters
    for step in (-0.5, -0.25, 0.0, 0.25, 0.5):
        tried = replace(lettering, x=quarters + step)
        cover = tried.cover(text, box)
        if (found := _correlation(cover, ink.cover)) > score:
            best, sharp, score = tried, cover, found
    level = best
    for step in (-0.5, -0.25, 0.25, 0.5) if score < _EXACT else ():
        tried = replace(level, y=level.y + step)
        cover = tried.cover(text, box)
        if (found := _correlation(cover, ink.cover)) > score:
            best, sharp, score = tried, cover, found
    return _inked(best, sharp, ink, score)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(cv2.matchTemplate(a, b, cv2.TM_CCOEFF_NORMED)[0, 0])


def _inked(lettering: Lettering, sharp: NDArray[np.float32], ink: Ink, score: float) -> Lettering:
    """With weight and sharpness as the page has them; both are told without letters lying on each other exactly."""
    near = cv2.dilate(sharp, np.ones((5, 5), np.uint8)) > 0.2
    heavier = float(ink.cover[near].sum()) / max(float(sharp.sum()), 1e-6)
    strength, blur = float(np.clip(heavier, 0.75, 1.25)), _blur_of(sharp, ink.cover * near)
    return replace(lettering, strength=strength, blur=blur, score=score)


def _blur_of(sharp: NDArray[np.float32], cover: NDArray[np.float32]) -> float:
    """The blur that makes sharp letters as soft as those on the page."""
    wanted = steepest(cover, _STEP)
    return min(_BLURS, key=lambda blur: abs(steepest(_blurred(sharp, blur), _STEP) - wanted))


def _blurred(cover: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(cover, (0, 0), sigma), np.float32) if sigma else cover


def _peak(values: NDArray[Any], at: int) -> float:
    """Where a parabola through the largest of evenly spaced values and its neighbours has its top."""
    if not 0 < at < len(values) - 1:
        return float(at)
    left, middle, right = (float(v) for v in values[at - 1 : at + 2])
    bend = left - 2 * middle + right
    return at + (float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < -1e-6 else 0.0)


def _extent(ink: Ink, word: WordBox, box: Box) -> Box:
    """The box of the ink itself inside a word's box, which may be drawn widely."""
    inside = np.zeros(ink.cover.shape, bool)
    inside[max(0, word.y0 - box[1]) : word.y1 - box[1], max(0, word.x0 - box[0]) : word.x1 - box[0]] = True
    inked = (ink.cover > 0.35) & inside
    rows, columns = np.flatnonzero(inked.sum(1) > 1), np.flatnonzero(inked.any(0))
    if rows.size < 4 or columns.size < 2:
        raise NothingToEdit("a word without ink")
    return box[0] + int(columns[0]), box[1] + int(rows[0]), box[0] + int(columns[-1]) + 1, box[1] + int(rows[-1]) + 1


def _best(rng: Generator, word: WordBox, ink: Ink, box: Box) -> Lettering | None:
    """The face, of some that draw the text, whose letters correlate best with the ink."""
    known = fonts.faces("".join(sorted(set(word.text))))
    if not known:
        return None
    left, top, right, bottom = _extent(ink, word, box)
    candidates = []
    for face in fonts.draw_faces(rng, known, _LOOKED_AT):
        x0, y0, x1, y1 = fonts.font(face.name, _REFERENCE).getbbox(word.text, anchor="ls")
        scale = (bottom - top) / max(1.0, y1 - y0)
        stretch = (right - left) / max(1.0, (x1 - x0) * scale)
        if 0.75 < stretch < 1.33:
            size = round(_REFERENCE * scale, 1)
            x, y = left - x0 * scale * stretch, top - y0 * scale
            candidates.append(Lettering(face.name, size, x, y, stretch, 0.0, ink.colour))
    candidates.sort(key=lambda lettering: abs(float(np.log(lettering.stretch))))
    found = [_registered(lettering, word.text, ink, box) for lettering in candidates[:_TRIED]]
    # Ink as heavy as the page's counts beside letters that lie on the page's.
    return max(found, key=lambda fit: fit.score - 0.3 * abs(float(np.log(fit.strength))), default=None)


def _guessed(rng: Generator, word: WordBox, ink: Ink, box: Box) -> Lettering:
    """A face about as heavy as the word, in the size that its height asks for."""
    left, top, right, bottom = _extent(ink, word, box)
    rows = ink.cover[top - box[1] : bottom - box[1], left - box[0] : right - box[0]].sum(1)
    height = bottom - top
    # The baseline is where ink falls off most in the lower half: below it there are only descenders.
    fall = rows[:-1] - rows[1:]
    half = height // 2
    baseline = top + (half + int(np.argmax(fall[half:])) + 1 if len(fall) > half and height > 8 else height)
    if baseline < top + 0.62 * height:
        baseline = bottom
    size = float(np.clip((baseline - top) / 0.71, 6, 130))
    density = float(ink.cover[top - box[1] : bottom - box[1], left - box[0] : right - box[0]].mean())
    if word.font:
        size, name = word.size, word.font
        return Lettering(name, size, float(left), float(baseline), 1.0, word.slope, ink.colour, 1.0, 0.6)
    known = fonts.faces(fonts.PLAIN + "ABCDEFGHIKLMNOPRSTabcdefghiklmnoprstu")
    if not known:
        raise NothingToEdit("no font draws letters")
    face = min(fonts.draw_faces(rng, known, 8), key=lambda f: abs(fonts.weight(f.name) - density))
    guess = Lettering(face.name, round(size, 1), float(left), float(baseline), 1.0, word.slope, ink.colour)
    sample = guess.cover("Hand012", (0, 0, int(5 * size), int(2 * size)), 2.0)
    return replace(guess, blur=_blur_of(sample, ink.cover))
