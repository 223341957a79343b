"""A page as seen through a window: what lies outside is laid out, but never drawn."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from PIL import Image, ImageDraw

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.pixels import Pixels
from omni_iml.data.words import WordBox

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Style:
    """How text is set.

    Attributes:
        face: name of a face.
        size: of its em in pixels.
        colour: of the ink, 0..255 RGB.
    """

    face: str
    size: float
    colour: Colour = (20, 20, 24)

    def scaled(self, factor: float) -> Style:
        """The same letters in another size."""
        return replace(self, size=round(self.size * factor, 2))

    def width(self, text: str) -> float:
        """How far a text runs, in pixels."""
        return _width(self.face, self.size, text)


@functools.lru_cache(maxsize=4096)
def _width(face: str, size: float, text: str) -> float:
    return fonts.font(face, size).getlength(text)


@dataclass
class Sheet:
    """The window, which is drawn to, and where it lies on the page. All coordinates are the page's, in pixels.

    Attributes:
        height: rows of the window.
        width: columns of the window.
        top: the page's row that the window starts with.
        left: the page's column that the window starts with.
        background: uint8 ``(height, width, 3)``, what is seen where the page is not.
        mirrored: width of the page if its columns count from the right, as where lines run from right to left.
        words: what was drawn, in coordinates of the window.
    """

    height: int
    width: int
    top: int
    left: int
    background: Pixels
    mirrored: float | None = None
    words: list[WordBox] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.image = Image.fromarray(self.background)
        self._draw = ImageDraw.Draw(self.image)

    @property
    def pixels(self) -> Pixels:
        """What was drawn so far."""
        return np.asarray(self.image, np.uint8)

    def sees(self, y0: float, y1: float) -> bool:
        """Whether rows of the page are in the window."""
        return y1 > self.top and y0 < self.top + self.height

    def text(self, x: float, y: float, text: str, style: Style, align: str = "left", join: str = " ") -> float:
        """Set one line of text.

        Args:
            x: where it starts, ends or has its middle.
            y: row of the baseline.
            text: words with ``join`` between them.
            style: how it is set.
            align: "left", "right" or "centre" of ``x``.
            join: what stands between words; each word is known by itself.

        Returns:
            The column after the text, or ``x`` where the window does not show the line.
        """
        if not self.sees(y - 1.5 * style.size, y + style.size):
            return x
        words = text.split(join) if join else [text]
        space = style.width(join) if join else 0.0
        widths = [style.width(word) for word in words]
        length = sum(widths) + space * (len(words) - 1)
        x -= length * {"left": 0.0, "centre": 0.5, "right": 1.0}[align]
        column = x
        if self.mirrored is not None:
            column, words, widths = self.mirrored - x - length, words[::-1], widths[::-1]
        for word, width in zip(words, widths, strict=True):
            if word and column + 2 * width >= self.left and column - width < self.left + self.width:
                self.word(column, y, word, style)
            column += width + space
        return x + length

    def word(self, x: float, y: float, word: str, style: Style) -> None:
        """Set one word from a column on, on a baseline."""
        opened = fonts.font(style.face, style.size)
        # Quarters of a pixel: letters lie between pixels, as they do on real pages.
        left, base = round((x - self.left) * 4) / 4, round(y - self.top)
        x0, y0, x1, y1 = opened.getbbox(word, anchor="ls")
        box = WordBox(
            int(np.floor(left + x0)),
            base + int(y0),
            int(np.ceil(left + x1)),
            base + int(y1),
            word,
            style.face,
            style.size,
        )
        if box.x0 < box.x1 and box.y0 < box.y1 and self._shows(box.x0, box.y0, box.x1, box.y1):
            self._draw.text((left, base), word, style.colour, opened, anchor="ls")
            if any(character.isalnum() for character in word):  # a row of dashes is no word
                self.words.append(box)

    def line(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, thickness: int = 1) -> None:
        """A rule."""
        x0, x1 = self._columns(x0, x1)
        if self.sees(min(y0, y1) - thickness, max(y0, y1) + thickness):
            ends = (round(x0 - self.left), round(y0 - self.top), round(x1 - self.left), round(y1 - self.top))
            self._draw.line(ends, colour, thickness)

    def box(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        fill: Colour | None = None,
        outline: Colour | None = None,
        thickness: int = 1,
        radius: float = 0.0,
    ) -> None:
        """A rectangle, filled or outlined, its corners rounded."""
        x0, x1 = self._columns(x0, x1)
        if self.sees(y0, y1):
            ends = (round(x0 - self.left), round(y0 - self.top), round(x1 - self.left), round(y1 - self.top))
            self._draw.rounded_rectangle(ends, radius, fill, outline, thickness)

    def curve(self, points: list[tuple[float, float]], colour: Colour, thickness: int) -> None:
        """A line through points, as a pen draws it."""
        if self.mirrored is not None:
            points = [(self.mirrored - x, y) for x, y in points]
        moved = [(x - self.left, y - self.top) for x, y in points]
        self._draw.line(moved, colour, thickness, joint="curve")

    def picture(self, x: float, y: float, pixels: Pixels, alpha: float = 1.0) -> None:
        """A picture with its top left corner at a place; with ``alpha`` below 1 the page shines through."""
        x, _ = self._columns(x, x + pixels.shape[1])
        column, row = round(x - self.left), round(y - self.top)
        x0, y0 = max(column, 0), max(row, 0)
        x1, y1 = min(column + pixels.shape[1], self.width), min(row + pixels.shape[0], self.height)
        if x0 < x1 and y0 < y1:
            part = np.ascontiguousarray(pixels[y0 - row : y1 - row, x0 - column : x1 - column])
            if alpha < 1:
                below = np.asarray(self.image.crop((x0, y0, x1, y1)), np.uint8)
                part = np.asarray(cv2.addWeighted(part, alpha, below, 1 - alpha, 0), np.uint8)
            self.image.paste(Image.fromarray(part), (x0, y0))

    def paste(self, column: int, row: int, pixels: Pixels) -> None:
        """Replace pixels of the window, which must hold them all, from a column and a row of it on."""
        self.image.paste(Image.fromarray(pixels), (column, row))

    def _columns(self, x0: float, x1: float) -> tuple[float, float]:
        """From left to right, on the paper."""
        return (x0, x1) if self.mirrored is None else (self.mirrored - x1, self.mirrored - x0)

    def _shows(self, x0: int, y0: int, x1: int, y1: int) -> bool:
        return x0 < self.width and x1 > 0 and y0 < self.height and y1 > 0
