"""Text in scenes, laid flat and put back: a word's corners become an upright patch, edited as on paper.

What comes back covers the strokes that went and those that came, or the whole word; everything else keeps its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.synthesis.edit import NothingToEdit
from omni_iml.data.synthesis.ink import Ink, separate, steepest
from omni_iml.data.synthesis.pixels import Mask, Pixels, to_pixels
from omni_iml.data.words import WordBox
from omni_iml.types import Box

_TALL = 40.0  # pixels that small text is enlarged to, at most threefold
_MARGIN = 0.3  # of the word's height, on all sides
_BLURS = (0.0, 0.5, 0.8, 1.1, 1.5, 2.0, 2.7, 3.5, 4.5)
_STEP = 0.02  # of ink between two columns; smaller ones are noise

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Sign:
    """A word of a scene, laid flat.

    Attributes:
        flat: uint8 ``(h, w, 3)``, the word upright with some ground around it.
        text: the word's own box in it.
        matrix: float64 ``(3, 3)``, from the picture's coordinates to those of ``flat``.
        ink: ``flat`` taken apart.
    """

    flat: Pixels
    text: Box
    matrix: NDArray[np.float64]
    ink: Ink

    @property
    def scale(self) -> float:
        """Pixels of ``flat`` for a pixel of the picture."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:2, :2]))))


def laid_flat(pixels: Pixels, word: WordBox) -> Sign:
    """A word's surroundings with its own corners made a rectangle.

    Args:
        pixels: the picture.
        word: in it.

    Raises:
        NothingToEdit: ink and ground cannot be told apart.
    """
    corners = word.quad or ((word.x0, word.y0), (word.x1, word.y0), (word.x1, word.y1), (word.x0, word.y1))
    quad = np.array(corners, np.float32)
    sides = np.linalg.norm(quad - np.roll(quad, -1, 0), axis=1)
    wide, tall = float(sides[0] + sides[2]) / 2, float(sides[1] + sides[3]) / 2
    scale = float(np.clip(_TALL / tall, 1.0, 3.0))
    margin = max(3.0, _MARGIN * tall) * scale
    x1, y1 = margin + wide * scale, margin + tall * scale
    place = np.array([[margin, margin], [x1, margin], [x1, y1], [margin, y1]], np.float32)
    matrix = np.asarray(cv2.getPerspectiveTransform(quad, place), np.float64)
    size = int(np.ceil(x1 + margin)), int(np.ceil(y1 + margin))
    warped = cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    flat = np.asarray(warped, np.uint8)
    text = int(margin), int(margin), int(np.ceil(x1)), int(np.ceil(y1))
    return Sign(flat, text, matrix, separate(flat))


def put_back(base: Pixels, sign: Sign, flat: Pixels, alpha: Values) -> tuple[Pixels, Mask]:
    """The flat patch where it was in the picture.

    Args:
        base: the picture.
        sign: what was laid flat.
        flat: uint8 ``(h, w, 3)``, edited.
        alpha: float32 ``(h, w)``, 0..1, how much of it is put over the picture.

    Returns:
        The picture, and the mask of what may have changed.
    """
    height, width = base.shape[:2]
    back = np.linalg.inv(sign.matrix)
    tall, wide = alpha.shape
    corners = cv2.perspectiveTransform(np.array([[[0, 0], [wide, 0], [wide, tall], [0, tall]]], np.float64), back)[0]
    x0, y0 = (max(0, int(np.floor(v)) - 1) for v in corners.min(0))
    x1, y1 = (min(side, int(np.ceil(v)) + 2) for v, side in zip(corners.max(0), (width, height), strict=True))
    local = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]], np.float64) @ back
    size = x1 - x0, y1 - y0
    if sign.scale > 1.3:  # else detail finer than the picture's pixels would alias
        flat = np.asarray(cv2.GaussianBlur(flat, (0, 0), 0.35 * sign.scale), np.uint8)
    warped = cv2.warpPerspective(flat, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = np.asarray(cv2.warpPerspective(alpha, local, size, flags=cv2.INTER_LINEAR), np.float32)
    share[share < 0.03] = 0
    below = base[y0:y1, x0:x1]
    out, mask = base.copy(), np.zeros((height, width), np.uint8)
    out[y0:y1, x0:x1] = to_pixels(below + (warped.astype(np.float32) - below) * share[..., None])
    mask[y0:y1, x0:x1] = share > 0
    return out, mask


def extent(ink: Ink, text: Box) -> Box:
    """The box of the ink in a word's box.

    Raises:
        NothingToEdit: there is too little.
    """
    x0, y0, x1, y1 = text
    inked = ink.cover[y0:y1, x0:x1] > 0.4
    rows, columns = np.flatnonzero(inked.mean(1) > 0.02), np.flatnonzero(inked.any(0))
    if rows.size < 6 or columns.size < 6:
        raise NothingToEdit("a word without ink.")
    return x0 + int(columns[0]), y0 + int(rows[0]), x0 + int(columns[-1]) + 1, y0 + int(rows[-1]) + 1


def only_in(ink: Values, box: Box, margin: float) -> Values:
    """The ink of a box and ``margin`` pixels around it; neighbouring lines and frames are left out."""
    x0, y0, x1, y1 = box
    edge = round(margin)
    kept = np.zeros_like(ink)
    place = slice(max(0, y0 - edge), y1 + edge), slice(max(0, x0 - edge), x1 + edge)
    kept[place] = ink[place]
    return kept


def strokes(cover: Values, reach: float) -> Values:
    """Where ink is and ``reach`` pixels around it, with a soft edge: float32, 0..1."""
    size = 2 * int(np.ceil(reach)) + 1
    near = cv2.dilate((cover > 0.12).astype(np.float32), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return np.asarray(cv2.GaussianBlur(near, (0, 0), max(0.5, reach / 3)), np.float32)


def ground(rng: Generator, sign: Sign) -> Values:
    """The sign without its text: float32 ``(h, w, 3)``, painted smooth where the ground is smooth, else inpainted."""
    ink = sign.ink
    gone = (strokes(ink.cover, 2.5 * sign.scale) > 0.3).astype(np.uint8)
    if ink.noise < 9 and rng.random() < 0.7:
        clean = ink.paper
    else:
        method = cv2.INPAINT_TELEA if rng.random() < 0.5 else cv2.INPAINT_NS
        clean = np.asarray(cv2.inpaint(sign.flat, gone, 3, method), np.float32)
    share = cv2.GaussianBlur(gone.astype(np.float32), (0, 0), max(0.6, 0.5 * sign.scale))[..., None]
    return np.asarray(sign.flat + (clean - sign.flat) * share, np.float32)


def grain(rng: Generator, sign: Sign, strength: float) -> Values:
    """Noise as the picture has it where there is no text: float32 ``(h, w, 1)``, as coarse as the picture's pixels."""
    height, width = sign.flat.shape[:2]
    away = strokes(sign.ink.cover, 3.0) < 0.05
    if away.sum() < 30:
        return np.zeros((height, width, 1), np.float32)
    gray = cv2.cvtColor(sign.flat, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = gray - cv2.GaussianBlur(gray, (0, 0), 1.5 * sign.scale)
    level = float(np.median(np.abs(fine[away]))) * 1.48 * strength
    small = max(2, round(width / sign.scale)), max(2, round(height / sign.scale))
    noise = rng.standard_normal(small[::-1]).astype(np.float32)
    return np.asarray(level * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)[..., None]


def softened(sharp: Values, like: Values) -> tuple[Values, float]:
    """Ink as soft as other ink, by how steep the steepest edges are; and the blur's sigma in pixels."""
    wanted = steepest(like, _STEP)
    best, sigma = sharp, 0.0
    for sigma in _BLURS:
        best = np.asarray(cv2.GaussianBlur(sharp, (0, 0), sigma), np.float32) if sigma else sharp
        if steepest(best, _STEP) <= wanted:
            break
    return best, sigma
