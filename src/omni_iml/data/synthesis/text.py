"""Text replaced in place: erase a word, set another in its colour and height (documents and scene text).

After DocTamper's practice (Qu et al. 2023: erase, render in a like font, match the colour), with our own choices.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.pixels import Mask, Pixels, to_pixels
from omni_iml.types import Box

_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CJK = "的一是不了人在有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么"


def _word(rng: Generator, length: int, face: str) -> str:
    if fonts.draws(face, _CJK) and rng.random() < 0.7:
        return "".join(_CJK[int(i)] for i in rng.integers(0, len(_CJK), max(1, length // 2)))
    alphabet = _DIGITS if rng.random() < 0.6 or not fonts.draws(face, _LETTERS) else _LETTERS
    word = "".join(alphabet[int(i)] for i in rng.integers(0, len(alphabet), length))
    return word[: length // 2] + "." + word[length // 2 :] if alphabet is _DIGITS and rng.random() < 0.4 else word


def replace_text(rng: Generator, base: Pixels, box: Box) -> tuple[Pixels, Mask]:
    """Erase ``box`` and set random text there in the colour that the ink had; arguments and result of `erase_text`."""
    x0, y0, x1, y1 = box
    height, width = y1 - y0, x1 - x0
    out, mask = erase_text(rng, base, box)
    _, ink = _paper_and_ink(base[y0:y1, x0:x1])
    faces = fonts.all_faces()
    face = faces[int(rng.integers(len(faces)))].name
    size = max(6, int(height * rng.uniform(0.75, 1.05)))
    length = max(1, int(width / (0.55 * size)))
    layer = Image.new("L", (width * 2, height * 2))
    ImageDraw.Draw(layer).text(
        (width, height), _word(rng, length, face), 255, fonts.font(face, 2.0 * size), anchor="mm"
    )
    coverage = np.asarray(layer.resize((width, height), Image.Resampling.LANCZOS), np.float32) / 255
    if rng.random() < 0.5:
        coverage = np.asarray(cv2.GaussianBlur(coverage, (0, 0), float(rng.uniform(0.3, 0.9))), np.float32)
    alpha = (coverage * rng.uniform(0.75, 1.0))[..., None]  # (height, width, 1)
    drawn = out[y0:y1, x0:x1] * (1 - alpha) + ink * alpha
    if rng.random() < 0.4:
        drawn = drawn + rng.standard_normal((height, width, 1)) * rng.uniform(0.5, 4)
    out[y0:y1, x0:x1] = to_pixels(drawn)
    return out, mask


def erase_text(rng: Generator, base: Pixels, box: Box) -> tuple[Pixels, Mask]:
    """Paint ``box`` over with the paper around the ink.

    Args:
        rng: source of all choices.
        base: the picture.
        box: where, of one pixel or more.

    Returns:
        The picture and the mask of the box.

    Raises:
        ValueError: the box is empty or not inside the picture.
    """
    x0, y0, x1, y1 = box
    mask = _box_mask(base, box)
    out = base.copy()
    out[y0:y1, x0:x1] = _erased(rng, base, mask, box, _paper_and_ink(base[y0:y1, x0:x1])[0])
    return out, mask


def _box_mask(base: Pixels, box: Box) -> Mask:
    x0, y0, x1, y1 = box
    height, width = base.shape[:2]
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise ValueError(
            f"text box {box}: is empty or not inside a picture of {width}x{height}; cut it to the picture."
        )
    mask = np.zeros((height, width), np.uint8)
    mask[y0:y1, x0:x1] = 1
    return mask


def _paper_and_ink(patch: Pixels) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean colours of the larger and of the smaller of the two brightness classes (a box holds more paper than ink)."""
    gray = patch.mean(2)
    middle = (float(gray.max()) + float(gray.min())) / 2
    bright = gray > middle
    if bright.all() or not bright.any():
        colour = patch.reshape(-1, 3).mean(0)
        return colour, np.full(3, 30.0 if middle > 128 else 225.0)
    light, dark = patch[bright].mean(0), patch[~bright].mean(0)
    return (light, dark) if bright.mean() >= 0.5 else (dark, light)


def _erased(rng: Generator, base: Pixels, mask: Mask, box: Box, paper: NDArray[Any]) -> Pixels:
    x0, y0, x1, y1 = box
    if rng.random() < 0.5:
        return np.asarray(cv2.inpaint(base, mask, 2, cv2.INPAINT_TELEA), np.uint8)[y0:y1, x0:x1]
    noise = rng.standard_normal((y1 - y0, x1 - x0, 1)) * rng.uniform(0, 3)
    return to_pixels(paper + noise)
