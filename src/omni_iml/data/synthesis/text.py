"""Text replaced in place: erase a word, set another in its colour and height (documents and scene text).

After DocTamper's practice (Qu et al. 2023: erase, render in a like font, match the colour), with our own choices.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
Mask = NDArray[np.uint8]

_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CJK = "的一是不了人在有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么"


@functools.cache
def font_files() -> tuple[str, ...]:
    """Font files to draw with: those of ``OMNI_IML_FONTS`` (a folder) or the system's, in a stable order; may be empty."""
    folders = [os.environ["OMNI_IML_FONTS"]] if "OMNI_IML_FONTS" in os.environ else ["/usr/share/fonts"]
    found = [p for folder in folders for p in Path(folder).rglob("*") if p.suffix.lower() in {".ttf", ".otf", ".ttc"}]
    return tuple(sorted(str(p) for p in found))


@functools.lru_cache(maxsize=256)
def _font(index: int, height: int) -> ImageFont.FreeTypeFont:
    files = font_files()
    # Without any font file Pillow's own built-in face is used.
    return ImageFont.truetype(files[index % len(files)], height) if files else ImageFont.load_default(height)  # type: ignore[return-value]


def _word(rng: Generator, length: int, font_index: int) -> str:
    files = font_files()
    if files and "CJK" in files[font_index % len(files)] and rng.random() < 0.7:
        return "".join(_CJK[int(i)] for i in rng.integers(0, len(_CJK), max(1, length // 2)))
    alphabet = _DIGITS if rng.random() < 0.6 else _LETTERS
    word = "".join(alphabet[int(i)] for i in rng.integers(0, len(alphabet), length))
    return word[: length // 2] + "." + word[length // 2 :] if alphabet is _DIGITS and rng.random() < 0.4 else word


def replace_text(rng: Generator, base: Pixels, box: tuple[int, int, int, int]) -> tuple[Pixels, Mask]:
    """Erase ``box`` (x0, y0, x1, y1) and set random text there in the colour that the ink had.

    Returns:
        The picture and the mask of the box.
    """
    x0, y0, x1, y1 = box
    height, width = y1 - y0, x1 - x0
    mask = np.zeros(base.shape[:2], np.uint8)
    mask[y0:y1, x0:x1] = 1
    patch = base[y0:y1, x0:x1]
    gray = patch.mean(2)
    paper, ink = _paper_and_ink(patch, gray)
    out = base.copy()
    out[y0:y1, x0:x1] = _erased(rng, base, mask, box, paper)
    index = int(rng.integers(0, max(1, len(font_files()))))
    size = max(6, int(height * rng.uniform(0.75, 1.05)))
    length = max(1, int(width / (0.55 * size)))
    layer = Image.new("L", (width * 2, height * 2))
    ImageDraw.Draw(layer).text((width, height), _word(rng, length, index), 255, _font(index, 2 * size), anchor="mm")
    coverage = np.asarray(layer.resize((width, height), Image.Resampling.LANCZOS), np.float32)[..., None] / 255
    if rng.random() < 0.5:
        coverage = cv2.GaussianBlur(coverage, (0, 0), float(rng.uniform(0.3, 0.9)))[..., None]
    coverage = coverage * rng.uniform(0.75, 1.0)
    drawn = out[y0:y1, x0:x1] * (1 - coverage) + ink * coverage
    if rng.random() < 0.4:
        drawn = drawn + rng.standard_normal((height, width, 1)) * rng.uniform(0.5, 4)
    out[y0:y1, x0:x1] = np.clip(np.rint(drawn), 0, 255).astype(np.uint8)
    return out, mask


def erase_text(rng: Generator, base: Pixels, box: tuple[int, int, int, int]) -> tuple[Pixels, Mask]:
    """Paint ``box`` over with the paper around the ink."""
    x0, y0, x1, y1 = box
    mask = np.zeros(base.shape[:2], np.uint8)
    mask[y0:y1, x0:x1] = 1
    patch = base[y0:y1, x0:x1]
    out = base.copy()
    out[y0:y1, x0:x1] = _erased(rng, base, mask, box, _paper_and_ink(patch, patch.mean(2))[0])
    return out, mask


def _paper_and_ink(patch: Pixels, gray: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean colours of the larger and of the smaller of the two brightness classes (a box holds more paper than ink)."""
    middle = (float(gray.max()) + float(gray.min())) / 2
    bright = gray > middle
    if bright.all() or not bright.any():
        colour = patch.reshape(-1, 3).mean(0)
        return colour, np.full(3, 30.0 if middle > 128 else 225.0)
    light, dark = patch[bright].mean(0), patch[~bright].mean(0)
    return (light, dark) if bright.mean() >= 0.5 else (dark, light)


def _erased(rng: Generator, base: Pixels, mask: Mask, box: tuple[int, int, int, int], paper: NDArray) -> Pixels:
    x0, y0, x1, y1 = box
    if rng.random() < 0.5:
        return cv2.inpaint(base, mask, 2, cv2.INPAINT_TELEA)[y0:y1, x0:x1]
    noise = rng.standard_normal((y1 - y0, x1 - x0, 1)) * rng.uniform(0, 3)
    return np.clip(paper + noise, 0, 255).astype(np.uint8)
