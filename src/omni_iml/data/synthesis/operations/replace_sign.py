"""Text on signs, plates and packages: other text in its place, as it would look there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.ink import cells
from omni_iml.data.synthesis.operations.words_of_signs import draw_sign
from omni_iml.data.synthesis.pixels import to_pixels
from omni_iml.data.synthesis.scene import Donor, Scene
from omni_iml.data.synthesis.signs import Sign, Values, extent, grain, ground, only_in, put_back, softened, strokes
from omni_iml.types import Box

_CAPITALS, _DIGITS = "ABCDEFGHJKLMNPRSTUVWXYZ", "0123456789"
_CHINESE = "中国大小上下天地人口山水日月年市区县路号街东西南北门店食品新华民生安全出入平"
_ONSETS = ("b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "br", "ch", "fl", "gr", "st")
_VOWELS = ("a", "e", "i", "o", "u", "a", "e", "i", "o", "ea", "ie", "ou")
_ENDS = ("", "", "n", "r", "s", "t", "l", "nd", "rk", "st")


@dataclass(frozen=True)
class ReplaceSign:
    """Lay the sign flat, erase its text, set other text in a face as heavy and as wide, and put it back.

    Colour, blur, noise and perspective are those of the text that was there; sometimes one of them is left as it comes.

    Attributes:
        smallest: height of a text that is worth it, pixels.
        careless: probability, for each of blur and noise, that it is not matched.
        repaint: probability that the whole word's place is painted anew instead of its strokes only.
    """

    practice: ClassVar[str] = "Text replaced in scenes: SRNet (Wu et al. 2019), Tampered-IC13 (Wang et al. 2022)"

    smallest: int = 9
    careless: float = 0.15
    repaint: float = 0.4

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        sign, word = draw_sign(rng, scene, self.smallest)
        box = extent(sign.ink, sign.text)
        text = _text(rng, sign, box)
        cover, face = _set(rng, text, sign, box)
        old = only_in(sign.ink.cover, box, 0.08 * (box[3] - box[1]))
        sigma = 0.0
        if rng.random() >= self.careless:
            cover, sigma = softened(cover, old[box[1] : box[3], box[0] : box[2]])
        # Where text was blurred or ran, even its middle is not of full ink.
        strength = float(np.clip(np.percentile(old[box[1] : box[3], box[0] : box[2]], 92), 0.5, 1.0))
        bare = ground(rng, sign)
        shade = sign.ink.paper.mean(2, keepdims=True) / max(float(sign.ink.paper.mean()), 1.0)
        colour = sign.ink.colour * np.clip(shade, 0.5, 1.5) ** 0.7
        drawn = bare + (colour - bare) * (cover * strength)[..., None]
        noise = float(rng.random() >= self.careless)
        reach = 1.5 * sign.scale
        alpha = np.maximum(strokes(old, 1.5 * reach), strokes(cover, reach))
        if whole := bool(rng.random() < self.repaint):
            alpha = _place(sign, box)
        drawn += noise * grain(rng, sign, 1.0) * np.maximum(strokes(old, reach), strokes(cover, reach))[..., None]
        pixels, mask = put_back(scene.pixels, sign, to_pixels(drawn), alpha)
        did: dict[str, Any] = {"box": [word.x0, word.y0, word.x1, word.y1], "text": text, "face": face}
        return Edit(pixels, mask, did | {"blur_sigma_pixels": sigma / sign.scale, "noise": noise, "whole": whole})


def _place(sign: Sign, box: Box) -> Values:
    """The word's own place, with a soft edge."""
    alpha = np.zeros(sign.ink.cover.shape, np.float32)
    pad = max(1, int(0.12 * (box[3] - box[1])))
    alpha[max(0, box[1] - pad) : box[3] + pad, max(0, box[0] - pad) : box[2] + pad] = 1
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.7 * sign.scale), np.float32)


def _text(rng: Generator, sign: Sign, box: Box) -> str:
    """About as many characters of the kind that was there, as far as their outlines tell.

    Square ones are replaced by Chinese characters, those all of one height by capitals and digits, others by a word.
    """
    x0, y0, x1, y1 = box
    tall = y1 - y0
    inked = sign.ink.cover[y0:y1, x0:x1] > 0.4
    runs = [(a, b) for a, b in cells(sign.ink.cover[y0:y1, x0:x1], 0.4) if b - a > 0.12 * tall]
    heights = np.array([np.ptp(np.flatnonzero(inked[:, a:b].any(1))) for a, b in runs if inked[:, a:b].any()])
    widths = np.array([b - a for a, b in runs])
    level = len(heights) > 1 and float((heights > 0.85 * np.median(heights)).mean()) > 0.7
    level = level and float(np.median(heights)) > 0.8 * tall
    pitch = float(np.median(np.diff([a for a, _ in runs]))) if len(runs) > 2 else 0.7 * tall
    count = int(np.clip(round((x1 - x0) / max(pitch, 0.3 * tall)) + rng.integers(-1, 2), 2, 24))
    # Bold capitals are wide too, but never all of them: an E or a J among them is not; letters that touch are wider.
    square = level and len(widths) > 2 and float(np.quantile(widths, 0.25)) > 0.85 * tall
    square = square and float(widths.max()) < 1.25 * tall
    if square and fonts.faces(_CHINESE):
        return "".join(_CHINESE[int(k)] for k in rng.integers(0, len(_CHINESE), count))
    if level and rng.random() < 0.65:
        known = _CAPITALS + _DIGITS if rng.random() < 0.7 else _DIGITS
        return "".join(known[int(k)] for k in rng.integers(0, len(known), count))
    text = " ".join(_word(rng) for _ in range(1 + count // 9))
    while len(text) < count:
        text += _syllable(rng)
    text = text[:count].strip()
    return text.upper() if level else text.capitalize() if rng.random() < 0.6 else text


def _word(rng: Generator) -> str:
    return "".join(_syllable(rng) for _ in range(int(rng.integers(1, 4))))


def _syllable(rng: Generator) -> str:
    return "".join(parts[int(rng.integers(len(parts)))] for parts in (_ONSETS, _VOWELS, _ENDS))


def _set(rng: Generator, text: str, sign: Sign, box: Box) -> tuple[Values, str]:
    """Ink of the text in the word's box, sharp, and the name of its face's family.

    Raises:
        NothingToEdit: no face draws it.
    """
    known = fonts.faces("".join(sorted(set(text))))
    if not known:
        raise NothingToEdit("no font draws letters.")
    x0, y0, x1, y1 = box
    wide, tall = x1 - x0, y1 - y0
    density = float(sign.ink.cover[y0:y1, x0:x1].mean())
    fits: list[tuple[float, fonts.Face]] = []
    for face in fonts.draw_faces(rng, known, 10):
        left, top, right, bottom = fonts.font(face.name, 48.0).getbbox(text, anchor="ls")
        stretch = wide / max(1.0, (right - left) * tall / max(1.0, bottom - top))
        unlike = abs(float(np.log(stretch))) + 5 * abs(fonts.weight(face.name) - density)
        fits.append((unlike, face))
    _, face = min(fits, key=lambda fit: fit[0])
    # Drawn twice as large, then brought to the height and, as far as letters bear it, the width of what was there.
    opened = fonts.font(face.name, 2.0 * tall)
    left, top, right, bottom = (int(v) for v in opened.getbbox(text, anchor="ls"))
    layer = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(layer).text((-left, -top), text, 255, opened, anchor="ls")
    natural = layer.width * tall / layer.height
    fitted = max(1, min(round(natural * float(np.clip(wide / natural, 0.7, 1.25))), wide + tall // 6))
    small = np.asarray(layer.resize((fitted, tall), Image.Resampling.LANCZOS), np.float32) / np.float32(255)
    cover = np.zeros(sign.ink.cover.shape, np.float32)
    start = x0 + (wide - fitted) // 2 if rng.random() < 0.5 else x0
    end = min(start + fitted, sign.flat.shape[1])
    begin = max(0, start)
    cover[y0:y1, begin:end] = small[:, begin - start : end - start]
    return cover, face.family
