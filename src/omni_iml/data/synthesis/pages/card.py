"""Cards with a photograph, as people carry them; none looks like a card of any state."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.pages.setting import Setting, address, code, portrait, signature
from omni_iml.data.synthesis.pages.sheet import Colour, Sheet, Style
from omni_iml.data.synthesis.pixels import to_pixels


def card(rng: Generator, sheet: Sheet, setting: Setting) -> None:
    """Draw a card: a pattern of fine lines, a photograph, fields, and two lines for machines on some."""
    language, em = setting.language, setting.em
    join = language.join
    width, height = setting.width, setting.height
    _pattern(rng, sheet, setting)
    dark: Colour = (int(setting.accent[0] * 0.7), int(setting.accent[1] * 0.7), int(setting.accent[2] * 0.7))
    title = Style(setting.bold.face, setting.bold.size * 1.25, dark)
    sheet.text(em * 1.2, em * 1.9, setting.say("card"), title, join=join)
    small = Style(setting.plain.face, round(em * 0.62, 2), dark)
    photo_height, photo_width = int(height * 0.52), int(height * 0.4)
    top = int(height * 0.2)
    left = int(em * 1.2)
    photo = setting.portrait
    if photo is None:
        photo = portrait(rng, photo_height, photo_width)
    else:
        photo = np.asarray(cv2.resize(photo, (photo_width, photo_height), interpolation=cv2.INTER_AREA), np.uint8)
    sheet.picture(left, top, photo)
    column = left + photo_width + 1.2 * em
    machine = rng.random() < 0.5
    rows = [
        ("surname", language.pick(rng, language.last)),
        ("name", language.pick(rng, language.first)),
        ("born", language.day(rng, (1945, 2004))),
        ("number", code(rng, "AA0000000")),
        ("address", address(rng, language)),
        ("expires", language.day(rng, (2026, 2034))),
    ][: 5 if machine else 6]
    step = (height * (0.74 if machine else 0.94) - top) / len(rows)
    for number, (key, value) in enumerate(rows):
        y = top + (number + 0.45) * step
        sheet.text(column, y, setting.say(key), small, join=join)
        sheet.text(column, y + min(step * 0.5, 1.05 * em), value, setting.bold if number < 2 else setting.plain)
    if machine:
        style = setting.other(rng, 1.0, fixed=True)
        lines = (code(rng, "AA<AAAA<AAAAAA") + "<" * 13, code(rng, "0000000<0AAA000000000000<<0"))
        style = style.scaled(min(1.0, (width - 2.4 * em) / max(1.0, style.width(lines[1]))))
        for number, line in enumerate(lines):
            sheet.text(1.2 * em, height * (0.85 + 0.1 * number), line, style, join="")
    else:
        signature(rng, sheet, left, height * 0.86, em * 0.7)


def _pattern(rng: Generator, sheet: Sheet, setting: Setting) -> None:
    """Waves of fine coloured lines over a soft gradient, on the part of the card that the window shows."""
    x0, y0 = max(0, -sheet.left), max(0, -sheet.top)
    x1, y1 = min(sheet.width, setting.width - sheet.left), min(sheet.height, setting.height - sheet.top)
    periods, phases = rng.uniform(60, 200, 2), rng.uniform(0, 6, 2)
    tints = rng.uniform(0.8, 1.0, (2, 3))
    if x0 >= x1 or y0 >= y1:
        return
    columns = np.arange(x0, x1, dtype=np.float32)[None, :] + sheet.left
    rows = np.arange(y0, y1, dtype=np.float32)[:, None] + sheet.top
    wave = 8 * np.sin(columns / periods[0] * 6.28 + phases[0]) + 5 * np.sin(columns / periods[1] * 6.28 + phases[1])
    lines = (np.sin((rows + wave) * np.float32(0.9)) > 0.75).astype(np.float32)
    across = columns / setting.width
    tint = tints[0] * (1 - across[..., None]) + tints[1] * across[..., None]  # (1, W, 3)
    ground = np.array(setting.paper, np.float32) * tint
    pixels = to_pixels(ground - lines[..., None] * (255 - np.array(setting.accent, np.float32)) * 0.16)
    corner = 0.7 * setting.em
    inside = np.zeros(lines.shape, np.uint8)
    # Rounded corners: the middle of the shape is everything that lies deeper than the corner's radius.
    dy = np.maximum(np.maximum(corner - rows, rows - (setting.height - corner)), 0)
    dx = np.maximum(np.maximum(corner - columns, columns - (setting.width - corner)), 0)
    inside = (dy * dy + dx * dx <= corner * corner)[..., None]
    below = sheet.pixels[y0:y1, x0:x1]
    sheet.paste(x0, y0, np.where(inside, pixels, below))
