"""How a page became a picture: exported, scanned, printed and scanned, or photographed with a phone.

The document comes first and the edit afterwards: most forged documents are scans that somebody opened in an editor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.synthesis.pixels import Pixels, to_pixels

Way = Literal["export", "scan", "print_scan", "phone"]
WAYS: dict[Way, float] = {"export": 0.25, "scan": 0.3, "print_scan": 0.2, "phone": 0.25}
"""How often a page is captured which way."""


@dataclass(frozen=True)
class Capture:
    """What happens between a page and its picture.

    Attributes:
        way: how the page was captured.
        matrix: float ``(3, 3)``, brings the page's ``(column, row, 1)`` to the picture's.
        bleed: sigma in pixels by which ink runs into paper; 0 for none.
        halftone: period of the printer's dots in pixels; 0 for none.
        texture: spread of the paper's brightness, as a share.
        light: spread of the light over the picture, as a share.
        tint: what the light does to red, green and blue, as factors.
        black: level that ink is lifted to.
        blur: sigma of the optics in pixels; 0 for none.
        noise: spread of the sensor's noise, levels.
        dirt: specks of dust on the picture.
        sharpen: how much the device sharpens afterwards, as a share of the detail.
    """

    way: Way
    matrix: NDArray[np.float64]
    bleed: float = 0.0
    halftone: float = 0.0
    texture: float = 0.0
    light: float = 0.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    black: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    dirt: int = 0
    sharpen: float = 0.0


def draw_capture(rng: Generator, height: int, width: int, way: Way | None = None) -> Capture:
    """A way of capturing a page, for a picture of this size; drawn by `WAYS` where it is not given."""
    if way is None:
        ways = list(WAYS)
        way = ways[int(rng.choice(len(ways), p=list(WAYS.values())))]
    if way == "export":
        return Capture(way, np.eye(3))
    if way == "phone":
        warm = float(rng.uniform(-0.07, 0.07))
        base = float(rng.uniform(0.78, 0.98))
        return Capture(
            way,
            _homography(height, width, float(rng.uniform(-4, 4)), tuple(rng.uniform(-0.07, 0.07, 2))),
            bleed=float(rng.uniform(0.2, 0.5)),
            texture=float(rng.uniform(0.004, 0.015)),
            light=float(rng.uniform(0.04, 0.16)),
            tint=(base * (1 + warm), base, base * (1 - warm)),
            black=float(rng.uniform(5, 45)),
            blur=float(rng.uniform(0.3, 1.0)),
            noise=float(rng.uniform(0.8, 4.0)),
            sharpen=float(rng.choice([0.0, rng.uniform(0.3, 0.9)])),
        )
    printed = way == "print_scan"
    angle = float(np.clip(rng.normal(0, 0.5), -1.6, 1.6)) if rng.random() < 0.7 else 0.0
    yellow = float(rng.uniform(0, 0.05))
    base = float(rng.uniform(0.92, 1.0))
    return Capture(
        way,
        _homography(height, width, angle, (0.0, 0.0)),
        bleed=float(rng.uniform(0.45, 0.9) if printed else rng.uniform(0.2, 0.6)),
        halftone=float(rng.uniform(2.6, 5.0)) if printed and rng.random() < 0.6 else 0.0,
        texture=float(rng.uniform(0.002, 0.018)),
        light=float(rng.uniform(0, 0.02)),
        tint=(base, base * (1 - yellow / 3), base * (1 - yellow)),
        black=float(rng.uniform(0, 60)),
        blur=float(rng.uniform(0.0, 0.7)),
        noise=float(rng.uniform(0.4, 3.0)),
        dirt=int(rng.integers(0, 12)) if rng.random() < 0.6 else 0,
        sharpen=float(rng.choice([0.0, rng.uniform(0.2, 0.8)])),
    )


def needed(capture: Capture, height: int, width: int) -> tuple[int, int, int, int]:
    """Top, left, height and width of what must be drawn of the page, so that the picture is full."""
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], np.float64)
    places = corners @ np.linalg.inv(capture.matrix).T
    places = places[:, :2] / places[:, 2:]  # (4, 2): column, row
    margin = 0 if capture.way == "export" else 2
    left, top = (int(v) - margin for v in np.floor(places.min(0)))
    right, bottom = (int(v) + margin for v in np.ceil(places.max(0)))
    return top, left, bottom - top, right - left


def captured(
    rng: Generator, page: Pixels, capture: Capture, matrix: NDArray[np.float64], height: int, width: int
) -> Pixels:
    """The picture that a device makes of a page.

    Args:
        rng: source of paper, dust and noise.
        page: what was drawn.
        capture: how it is captured.
        matrix: brings the page's pixels to the picture's; the capture's own, moved to where ``page`` begins.
        height: of the picture.
        width: of the picture.
    """
    if capture.way == "export":
        return page[:height, :width]
    if capture.halftone:
        page = _halftoned(page, capture.halftone)
    if capture.bleed:
        page = _bled(page, capture.bleed)
    moved = cv2.warpPerspective(page, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if capture.blur > 0.25:
        moved = cv2.GaussianBlur(moved, (0, 0), capture.blur)
    if capture.dirt:
        _soil(rng, moved, capture.dirt)
    levels = np.arange(256, dtype=np.float32)
    moved = cv2.LUT(moved, to_pixels(levels * (255 - capture.black) / 255 + capture.black))
    light = _light(rng, height, width, capture)
    lit = cv2.multiply(moved, cv2.merge([light * np.float32(factor) for factor in capture.tint]), dtype=cv2.CV_32F)
    grain = _grain(rng, height, width, capture.noise)
    # OpenCV rounds to the nearest level where it writes bytes.
    if not capture.sharpen:
        return np.asarray(cv2.add(lit, grain, dtype=cv2.CV_8U), np.uint8)
    noisy = cv2.add(lit, grain)
    soft = cv2.GaussianBlur(noisy, (5, 5), 1.0)
    sharp = cv2.addWeighted(noisy, 1 + capture.sharpen, soft, -capture.sharpen, 0, dtype=cv2.CV_8U)
    return np.asarray(sharp, np.uint8)


def surface(rng: Generator, height: int, width: int, way: Way) -> Pixels:
    """What lies around a page: nothing on a screen, the lid of a scanner, a table under a phone."""
    if way == "export":
        level = (255, 255, 204, 82)[int(rng.integers(4))]
        return np.full((height, width, 3), level, np.uint8)
    if way != "phone":
        level = int(rng.choice([rng.integers(236, 255), rng.integers(15, 60)]))
        return np.full((height, width, 3), level, np.uint8)
    tones = np.array([(120, 85, 55), (70, 50, 38), (165, 150, 130), (60, 64, 70), (200, 190, 175)], np.float32)
    colour = tones[int(rng.integers(len(tones)))] * rng.uniform(0.75, 1.15)
    # Wood and cloth: rough across, smooth along.
    rough = rng.standard_normal((max(2, height // 3), max(2, width // 70))).astype(np.float32)
    broad = rng.standard_normal((max(2, height // 60), 3)).astype(np.float32)
    grain = sum(cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) for part in (rough, 1.5 * broad))
    return to_pixels(colour * (1 + 0.07 * np.asarray(grain)[..., None]))


def _homography(height: int, width: int, angle: float, tilt: tuple[float, ...]) -> NDArray[np.float64]:
    """About the picture's middle: a rotation in degrees, and how much nearer one side is than the other, as shares."""
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [2 * tilt[0] / width, 2 * tilt[1] / height, 1]])
    matrix: NDArray[np.float64] = np.linalg.inv(middle) @ turn @ middle
    return matrix


def _bled(page: Pixels, sigma: float) -> Pixels:
    """Ink runs: a soft edge, made hard again a little further out."""
    soft = cv2.GaussianBlur(page, (0, 0), sigma)
    levels = np.arange(256, dtype=np.float32) / 255
    curve = to_pixels(255 * (0.55 * levels + 0.45 * levels * levels * (3 - 2 * levels)))
    return np.asarray(cv2.LUT(soft, curve), np.uint8)


def _halftoned(page: Pixels, period: float) -> Pixels:
    """Greys and colours as dots on a screen at 45 degrees; letters and blank paper stay whole."""
    height, width = page.shape[:2]
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    soft = cv2.blur(grey, (7, 7))
    tone = (soft > 50) & (soft < 242) & (cv2.absdiff(grey, soft) < 14)
    if tone.mean() < 0.01:
        return page
    step = np.float32(2 * np.pi / (period * np.sqrt(2)))
    down, across = np.arange(height, dtype=np.float32) * step, np.arange(width, dtype=np.float32) * step
    # cos(x+y) + cos(x-y) = 2 cos x cos y: a screen of dots, from two vectors.
    screen = np.cos(down)[:, None] * np.cos(across)[None, :]
    dots = np.clip(128 + 1.6 * (soft.astype(np.float32) - 128 + 110 * screen), 0, 255)
    share = (cv2.blur(tone.astype(np.float32), (3, 3)) * 0.55)[..., None]
    factor = dots / np.maximum(soft, 1)
    return to_pixels(page * (1 - share + share * np.clip(factor, 0, 255 / np.maximum(soft, 1))[..., None]))


def _light(rng: Generator, height: int, width: int, capture: Capture) -> NDArray[np.float32]:
    """Brightness factors ``(height, width)``: uneven light, and paper that is not equally bright everywhere."""
    coarse = np.clip(rng.standard_normal((3, 3)), -1.6, 0.8).astype(np.float32)
    smooth = cv2.resize(coarse, (24, 24), interpolation=cv2.INTER_CUBIC)
    light = 1 + capture.light * cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)
    if capture.way == "phone" and rng.random() < 0.35:  # the shadow of a hand or of the phone
        angle, place = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(-0.4, 0.4))
        rows, columns = np.mgrid[-0.5:0.5:24j, -0.5:0.5:24j]
        edge = (rows * np.sin(angle) + columns * np.cos(angle) - place) / float(rng.uniform(0.04, 0.2))
        shadow = (1 - float(rng.uniform(0.1, 0.35)) / (1 + np.exp(-edge))).astype(np.float32)
        light *= cv2.resize(shadow, (width, height), interpolation=cv2.INTER_LINEAR)
    if capture.texture:
        mottled = rng.standard_normal((height // 6 + 2, width // 6 + 2)).astype(np.float32)
        light += capture.texture * 0.6 * cv2.resize(mottled, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(light, np.float32)


def _grain(rng: Generator, height: int, width: int, noise: float) -> NDArray[np.float32]:
    """Noise of the sensor ``(height, width, 3)``: fine in brightness, coarse in colour."""
    fine = _bell(rng, (height, width), noise)
    coarse = _bell(rng, (height // 2 + 1, width // 2 + 1, 3), 0.5 * noise)
    colour = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(colour, cv2.merge([fine, fine, fine])), np.float32)


def _bell(rng: Generator, shape: tuple[int, ...], spread: float) -> NDArray[np.float32]:
    """Noise of this standard deviation: sums of four even numbers, near enough to normal and drawn much faster."""
    parts = rng.integers(0, 256, (4, *shape), np.uint8)
    total = parts.sum(0, dtype=np.uint16).astype(np.float32)
    total -= 4 * 127.5
    total *= np.float32(spread / np.sqrt(4 * (256**2 - 1) / 12))
    return np.asarray(total, np.float32)


def _soil(rng: Generator, picture: NDArray[Any], count: int) -> None:
    """Specks of dust and toner, in place; now and then a streak along the scanner's way."""
    height, width = picture.shape[:2]
    for _ in range(count):
        at = (int(rng.integers(0, width)) * 16, int(rng.integers(0, height)) * 16)
        level = int(rng.integers(60, 190))
        cv2.circle(picture, at, int(rng.uniform(8, 26)), (level, level, level), -1, cv2.LINE_AA, 4)
    if rng.random() < 0.12:
        column = int(rng.integers(0, width))
        part = picture[:, column : column + 1 + int(rng.random() < 0.4)].astype(np.float32)
        picture[:, column : column + part.shape[1]] = to_pixels(part * rng.uniform(0.86, 0.97))
