"""Lines of text in scenes: connected components that look like letters, chained into straight lines.

After the practice of detectors from before networks (letters as connected regions, chains of like neighbours: Epshtein
et al. 2010, Neumann and Matas 2010), with choices of our own, and made for few false lines rather than for every line:
of 118 lines in 48 scenes, judged by eye, 9 are no text and 6 run across text that stands on end; about half of the text
is found.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.data.words import Quad, WordBox, turned

_TURNS = (0.0, -32.0, 32.0)  # degrees
_SLOPE = 0.36  # of a line in the turned picture: 20 degrees
_WINDOWS = (17, 45, 111)  # pixels, of the local mean that ink is told from
_OFFSET = 12  # grey levels from that mean
_SMALLEST = 8  # pixels, of a letter's height
_LARGEST = 0.35  # share of the picture's shorter side
_LETTERS = 4  # in a line
_TALLER, _GAP, _INK = 1.6, 0.9, 45.0  # neighbours: of heights, in heights, in grey levels
_APART = 2.5  # ink and ground: means' distance over the root of summed variances (Fisher)
_STROKES = 0.35  # spread of the letters' stroke widths over their mean

Values = NDArray[np.float64]


@dataclass(frozen=True)
class _Line:
    sure: float
    quad: Values  # (4, 2), in the turned picture, later in the picture itself


def find_scene_text(pixels: NDArray[np.uint8]) -> tuple[WordBox, ...]:
    """The lines of text in a scene.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB.

    Returns:
        Words with ``quad``, inside the picture, surest first, no two of one place. The same for the same pixels.
    """
    height, width = pixels.shape[:2]
    gray = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    lines = []
    for turn in _TURNS:
        back = np.asarray(cv2.invertAffineTransform(_matrix(height, width, turn)), np.float64)
        for line in _lines(_turned(gray, turn)):
            quad = line.quad @ back[:, :2].T + back[:, 2]
            if (quad > -1).all() and (quad < [width + 1, height + 1]).all():
                lines.append(_Line(line.sure, np.clip(quad, 0, [width, height])))
    lines.sort(key=lambda line: (-line.sure, *line.quad.ravel()))
    taken = np.zeros((height, width), np.uint8)
    found = []
    for line in lines:
        place = np.zeros_like(taken)
        cv2.fillConvexPoly(place, np.rint(line.quad).astype(np.int32), 1)
        if cv2.countNonZero(taken & place) <= 0.15 * cv2.countNonZero(place):
            taken |= place
            found.append(turned(_corners(line.quad)))
    return tuple(found)


def _corners(quad: Values) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in np.round(quad, 1))
    return a, b, c, d


def _matrix(height: int, width: int, turn: float) -> Values:
    """Of a rotation about the centre into a canvas that holds all of the picture."""
    matrix: Values = np.array(cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0), np.float64)
    matrix[:, 2] += (np.array(_canvas(height, width, turn)) - [width, height]) / 2
    return matrix


def _canvas(height: int, width: int, turn: float) -> tuple[int, int]:
    sine, cosine = abs(np.sin(np.radians(turn))), abs(np.cos(np.radians(turn)))
    return int(np.ceil(width * cosine + height * sine)), int(np.ceil(width * sine + height * cosine))


def _turned(gray: NDArray[np.uint8], turn: float) -> NDArray[np.uint8]:
    if not turn:
        return gray
    height, width = gray.shape
    matrix, canvas = _matrix(height, width, turn), _canvas(height, width, turn)
    return np.asarray(cv2.warpAffine(gray, matrix, canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _lines(gray: NDArray[np.uint8]) -> list[_Line]:
    lines = []
    for window in _WINDOWS:
        mean = cv2.boxFilter(gray, cv2.CV_32F, (window, window))
        for ink in (gray < mean - _OFFSET, gray > mean + _OFFSET):
            letters = _letters(gray, ink)
            lines += [line for chain in _chains(letters) if (line := _line(letters[chain], gray, ink)) is not None]
    return lines


def _letters(gray: NDArray[np.uint8], ink: NDArray[np.bool_]) -> Values:
    """Components of a letter's size and form: rows ``x0, y0, x1, y1, fill, level``, sorted by ``x0, y0``."""
    height, width = gray.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    x, y, w, h, area = stats.T.astype(np.float64)
    fill = area / (w * h)
    fits = (h >= _SMALLEST) & (h <= _LARGEST * min(height, width)) & (w <= 1.5 * h) & (w >= 0.1 * h)
    fits &= (fill > 0.2) & (fill < 0.95) & (x > 0) & (y > 0) & (x + w < width) & (y + h < height)
    fits[0] = False
    flat = labels.ravel()
    level = np.bincount(flat, gray.ravel(), count) / np.maximum(area, 1)
    letters: Values = np.stack([x, y, x + w, y + h, fill, level], 1)[fits]
    return letters[np.lexsort((letters[:, 1], letters[:, 0]))]


def _chains(letters: Values) -> list[list[int]]:
    """Indices of letters that follow each other: each is the other's nearest of like height, level and place."""
    if not _LETTERS <= len(letters) <= 1500:  # more are gravel or leaves
        return []
    x0, y0, x1, y1, _, level = letters.T
    tall, x, y = y1 - y0, (x0 + x1) / 2, (y0 + y1) / 2
    across, down = x[None] - x[:, None], y[None] - y[:, None]
    taller = np.maximum(tall[None], tall[:, None])
    gap = x0[None] - x1[:, None]
    like = (across > 0.2 * taller) & (gap < _GAP * taller) & (gap > -0.2 * taller)
    like &= np.abs(down) < np.minimum(_SLOPE * across + 0.12 * taller, 0.55 * taller)
    like &= taller < _TALLER * np.minimum(tall[None], tall[:, None])
    like &= np.abs(level[None] - level[:, None]) < _INK
    cost = np.where(like, across + 1.5 * np.abs(down) + taller, np.inf)
    to, to_back = cost.argmin(1), cost.argmin(0)
    chains, follows = [], {}
    for i, j in enumerate(to):
        if np.isfinite(cost[i, j]) and to_back[j] == i:
            follows[i] = int(j)
    starts = sorted(set(follows) - set(follows.values()))
    for start in starts:
        chain = [start]
        while chain[-1] in follows:
            chain.append(follows[chain[-1]])
        if len(chain) >= _LETTERS:
            chains.append(chain)
    return chains


def _line(letters: Values, gray: NDArray[np.uint8], ink: NDArray[np.bool_]) -> _Line | None:
    """The line through letters, or none where they are not in a straight one, or are not written on a ground."""
    x0, y0, x1, y1 = letters[:, :4].T
    tall = float(np.median(y1 - y0))
    slope, base = _fit((x0 + x1) / 2, (y0 + y1) / 2)
    near = np.abs((y0 + y1) / 2 - slope * (x0 + x1) / 2 - base) < 0.28 * tall
    if near.sum() < max(_LETTERS, 0.8 * len(letters)) or abs(slope) > _SLOPE:
        return None
    letters = letters[near]
    x0, y0, x1, y1, fill, _ = letters.T
    shape = (x1 - x0) / (y1 - y0)
    # Grilles, fences, bricks and barcodes repeat themselves, letters do not; and letters are closer than posts.
    if np.median(shape) < 0.3 or shape.std() + fill.std() < 0.06 or np.median(fill) > 0.8:
        return None
    if np.median(x0[1:] - x1[:-1]) > 0.6 * tall:
        return None
    apart, strokes = _written(letters, gray, ink)
    if apart < _APART or strokes > _STROKES:
        return None
    # Tops and bottoms along the line; one odd letter does not move them far.
    tops, bottoms = y0 - slope * (x0 + x1) / 2, y1 - slope * (x0 + x1) / 2
    low = max(tops.min(), np.median(tops) - 0.35 * tall) - 1
    high = min(bottoms.max(), np.median(bottoms) + 0.35 * tall) + 1
    left, right = x0.min() - 1, x1.max() + 1
    lean = np.array([-slope, 1.0]) * (high - low) / (1 + slope * slope)
    start, end = np.array([left, slope * left + low]), np.array([right, slope * right + low])
    return _Line(apart * len(letters), np.stack([start, end, end + lean, start + lean]))


def _written(letters: Values, gray: NDArray[np.uint8], ink: NDArray[np.bool_]) -> tuple[float, float]:
    """How far ink is from ground, and how much the strokes differ: leaves and gravel have neither ground nor stroke."""
    left, top, right, bottom = (int(v) for v in (*letters[:, :2].min(0), *letters[:, 2:4].max(0)))
    levels, here = gray[top:bottom, left:right].astype(np.float64), ink[top:bottom, left:right].astype(np.uint8)
    edge = cv2.dilate(here, np.ones((3, 3), np.uint8)) > 0
    inked, ground = levels[here > 0], levels[~edge]
    if ground.size < 16:
        return 0.0, 1.0
    # 9: the noise that even a perfect print has.
    apart = abs(inked.mean() - ground.mean()) / np.sqrt(inked.var() + ground.var() + 9)
    depth = cv2.distanceTransform(np.pad(here, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    boxes = letters[:, :4].astype(int) - [left, top, left, top]
    strokes = np.array([depth[y0:y1, x0:x1].max() for x0, y0, x1, y1 in boxes])
    return float(apart), float(strokes.std() / strokes.mean())


def _fit(x: Values, y: Values) -> tuple[float, float]:
    """Slope and offset by the medians of Theil and Sen, which a few commas do not turn."""
    i, j = np.triu_indices(len(x), 1)
    slope = float(np.median((y[j] - y[i]) / (x[j] - x[i])))
    return slope, float(np.median(y - slope * x))
