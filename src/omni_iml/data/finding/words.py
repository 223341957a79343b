"""Words found on pages that come without boxes: dark ink on lighter paper, letters joined to words by their gaps."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.data.words import WordBox

_SMALLEST, _TALLEST = 5, 110
"""Heights of letters in pixels."""
_CONTRAST = 0.16
"""How much darker than its paper ink is, as a share of the paper's brightness."""
_ASKED = 300


def ink_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Where ink is: darker than the paper around it.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB.

    Returns:
        uint8 ``(H, W)``, 1 where there is ink.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    small = cv2.resize(grey, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    # The brightest of a neighbourhood that is wider than strokes is paper.
    paper = cv2.blur(cv2.dilate(small, np.ones((9, 9), np.uint8)), (9, 9))
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    limit = cv2.addWeighted(paper, 1 - _CONTRAST, paper, 0, -10)
    return (grey < limit).astype(np.uint8)


def find_words(pixels: NDArray[np.uint8]) -> tuple[WordBox, ...]:
    """The words of a page: connected strokes, joined where they are nearer than words are to each other.

    Words of writing without spaces come as whole lines. White text on dark ground is not looked for.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB, a page or a piece of one.

    Returns:
        Boxes in reading order, without texts. None on a picture without dark strokes; on photographs, whatever looks
        like strokes.
    """
    ink = ink_of(np.asarray(pixels, np.uint8))
    if not ink.any():
        return ()
    boxes = _strokes(ink)
    tall = boxes[:, 3]
    if not len(boxes):
        return ()
    usual = float(np.median(tall[tall >= _SMALLEST])) if (tall >= _SMALLEST).any() else 0.0
    if not usual:
        return ()
    reach = _word_gap(boxes) / 2
    canvas = np.zeros(ink.shape, np.uint8)
    for x, y, w, h in boxes[:, :4].tolist():
        # A full stop reaches as far as a letter does, and a dot down to its i.
        aside = round(reach * max(h, 0.55 * usual))
        above = round(0.25 * usual) if h < 0.5 * usual else 0
        cv2.rectangle(canvas, (x - aside, y - above), (x + w - 1 + aside, y + h - 1 + above), 1, -1)
    _, groups = cv2.connectedComponents(canvas, connectivity=4)
    number = groups[boxes[:, 1] + boxes[:, 3] // 2, boxes[:, 0] + boxes[:, 2] // 2]
    found = []
    for group in np.unique(number):
        own = boxes[number == group]
        x0, y0 = own[:, :2].min(0).tolist()
        x1, y1 = (own[:, :2] + own[:, 2:4]).max(0).tolist()
        height, width = y1 - y0, x1 - x0
        filled = float(own[:, 4].sum()) / (height * width)
        letters = _SMALLEST < height <= _TALLEST and own[:, 3].max() >= _SMALLEST
        if letters and width >= 0.3 * height and 0.06 < filled < 0.8:
            found.append(WordBox(x0, y0, x1, y1))
    return tuple(sorted(found, key=lambda word: (word.y0, word.x0)))


def _strokes(ink: NDArray[np.uint8]) -> NDArray[Any]:
    """Left, top, width, height and area of everything that may be a letter or a part of one."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    boxes = stats[1:]  # the first is the ground
    _, y, w, h, area = boxes.T
    height, width = ink.shape
    rule = (w > 8 * np.maximum(h, 4)) | (h > 6 * np.maximum(w, 4)) & (h > 40)
    frame = (h > _TALLEST) | (w > 0.7 * width) & (w > 200)
    frame |= (h > 24) & (area < 0.12 * w * h)
    cut = (y == 0) | (y + h == height)
    return np.asarray(boxes[(area >= 3) & ~rule & ~frame & ~cut])


def _word_gap(boxes: NDArray[Any]) -> float:
    """The gap between letters that separates words, as a share of their height: where two kinds of gaps part best."""
    letters = boxes[boxes[:, 3] >= _SMALLEST]
    asked = letters[:: max(1, len(letters) // _ASKED)]
    ends, middles = (asked[:, 0] + asked[:, 2])[:, None], (asked[:, 1] + asked[:, 3] / 2)[:, None]
    tall = asked[:, 3][:, None]
    beside = (letters[:, 0] >= ends - 1) & (np.abs(letters[:, 1] + letters[:, 3] / 2 - middles) < 0.6 * tall)
    gaps = np.where(beside, letters[:, 0] - ends, np.inf).min(1) / np.maximum(tall[:, 0], 1)
    gaps = np.sort(gaps[(gaps < 1.6) & (gaps > -0.2)])
    if len(gaps) < 12:
        return 0.32
    # Otsu's threshold, on the sorted gaps themselves.
    count = np.arange(1, len(gaps))
    low, total = np.cumsum(gaps)[:-1], gaps.sum()
    between = count * (len(gaps) - count) * (low / count - (total - low) / (len(gaps) - count)) ** 2
    best = int(np.argmax(between))
    return float(np.clip((gaps[best] + gaps[best + 1]) / 2, 0.24, 0.6))
