from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from omni_iml.evidence.lettering import TEXT_MEASURES, lettering_of, measure_lettering
from omni_iml.evidence.measuring import Measurement
from omni_iml.types import Box

THRESHOLDS = {measure.name: 1.3 for measure in TEXT_MEASURES}
TEXT = "INVOICE TOTAL 482 EUR"


def page(size: int = 26, bold: int = 0, down: int = 0, spread: int = 0) -> tuple[NDArray[np.float32], list[Box], Box]:
    """Six lines of text; of the third, "482" is set as the arguments say. Returns luma, lines and the box of "482"."""
    canvas = Image.new("L", (560, 330), 240)
    draw = ImageDraw.Draw(canvas)
    lines, spot = [], (0, 0, 0, 0)
    for row in range(6):
        x, y = 20.0, 20 + 50 * row
        for at, letter in enumerate(TEXT):
            special = row == 2 and 14 <= at < 17
            font = ImageFont.load_default(size if special else 26)
            top = y + 26 + (down if special else 0)
            draw.text((x, top), letter, 30, font, anchor="ls", stroke_width=bold if special else 0)
            if special:
                spot = (spot[0] or int(x) - 1, y - 8, int(x + font.getlength(letter)) + 2, y + 42)
            x += font.getlength(letter) + 2 + (spread if special else 0)
        lines.append((15, y - 6, int(x) + 5, y + 40))
    rng = np.random.default_rng(0)
    return np.clip(np.asarray(canvas, np.float32) + rng.normal(0, 2, (330, 560)), 0, 255).astype("f4"), lines, spot


def measured(**how: int) -> dict[str, Measurement]:
    luma, lines, (x0, y0, x1, y1) = page(**how)
    mask = np.zeros(luma.shape, bool)
    mask[y0:y1, x0:x1] = True
    return {one.name: one for one in measure_lettering(luma, lines, [mask], THRESHOLDS)[0]}


def test_text_set_like_the_rest_is_nothing_unusual() -> None:
    found = measured()
    assert {"font_height", "stroke_width", "baseline", "spacing"} == set(found)
    assert not any(one.is_finding for one in found.values())


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("font_height", {"size": 36}),
        ("stroke_width", {"bold": 1}),
        ("baseline", {"down": 5}),
        ("spacing", {"spread": 9}),
    ],
)
def test_each_measurement_finds_what_was_set_otherwise(name: str, how: dict[str, int]) -> None:
    assert measured(**how)[name].is_finding


def test_values_are_pixels() -> None:
    assert measured(down=5)["baseline"].value == pytest.approx(5, abs=1)
    height = measured(size=36)["font_height"]
    assert height.value / height.reference == pytest.approx(36 / 26, rel=0.1)


def test_characters_are_counted_from_left_to_right_and_white_on_black_as_well() -> None:
    luma, lines, _ = page()
    line = lettering_of(luma, lines[0])
    inverted = lettering_of(255 - luma, lines[0])
    assert line is not None
    assert inverted is not None
    assert len(line.left) == len(inverted.left) == len(TEXT.replace(" ", ""))
    assert (np.diff(line.left) > 0).all()


@pytest.mark.parametrize("luma", [np.full((60, 200), 128, np.float32), np.zeros((3, 3), np.float32)])
def test_what_holds_no_text_has_no_lettering(luma: NDArray[np.float32]) -> None:
    assert lettering_of(luma, (0, 0, 200, 60)) is None
    assert measure_lettering(luma, [(0, 0, 200, 60)], [luma > 0], THRESHOLDS) == [()]
