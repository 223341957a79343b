from __future__ import annotations

import io
import time

import numpy as np
import pytest
from history_pictures import EXAMPLES, NAMES, clean, enlarged, jpeg, png, saved
from PIL import Image, ImageDraw, PngImagePlugin

from omni_iml.io import load
from omni_iml.io.fitness import SCREEN_FLAT_SHARE, grade, measure
from omni_iml.types import Fitness


def fitness_of(source: object) -> Fitness:
    fitness = load(source).fitness
    assert fitness is not None
    return fitness


def screen(size: tuple[int, int] = (1080, 1920)) -> np.ndarray:
    """A page with a photograph in it, as a telephone shows it."""
    page = Image.new("RGB", size, (250, 250, 252))
    draw = ImageDraw.Draw(page)
    for line in range(30):
        draw.text((40, 60 + 24 * line), "A line of text on the page " * 4, fill=(20, 20, 20))
    photo = Image.fromarray(clean("pagoda")).resize((size[0], size[0] * 2 // 3))
    page.paste(photo, (0, size[1] - photo.height - 100))
    return np.asarray(page)


@pytest.mark.parametrize("name", NAMES)
def test_a_good_jpeg_is_good(name: str) -> None:
    fitness = fitness_of(jpeg(enlarged(clean(name), 1)[:, :], 92))
    assert fitness.reasons == (() if fitness.grade == "good" else fitness.reasons)
    assert fitness.grade == ("good" if min(clean(name).shape[:2]) >= 256 else "limited")
    assert fitness.signs["compressions"] == 1
    assert fitness.signs["quality"] == 92


def test_every_example_is_fit_to_be_judged() -> None:
    grades = {path.name: fitness_of(path).grade for path in sorted(EXAMPLES.glob("*.jpg"))}
    assert len(grades) == 8
    assert "poor" not in grades.values()


@pytest.mark.parametrize(
    ("signs", "expected", "word"),
    [
        ({}, "good", ""),
        ({"short_side": 63}, "poor", "63 pixels"),
        ({"short_side": 64}, "limited", "64 pixels"),
        ({"short_side": 256}, "good", ""),
        ({"quality": 29}, "poor", "quality 29"),
        ({"quality": 30}, "limited", "quality 30"),
        ({"quality": 70}, "good", ""),
        ({"quality": 95, "earlier_quality": 60}, "limited", "earlier"),
        ({"quality": 95, "earlier_quality": 85}, "good", ""),
        ({"quality": 95, "shifted_grid": 6.0}, "limited", "cut"),
        ({"resampling": 12.0}, "limited", "enlarged"),
        ({"screen": 1.0}, "poor", "screenshot"),
        ({"messenger": 1.0}, "limited", "messengers"),
        ({"messenger": 1.0, "screen": 1.0, "quality": 20}, "poor", "screenshot"),
    ],
)
def test_the_rule(signs: dict[str, float], expected: str, word: str) -> None:
    fitness = grade(signs)
    assert fitness.grade == expected
    assert fitness.signs == signs
    assert word in " ".join(fitness.reasons)
    assert bool(fitness.reasons) == (expected != "good")


def test_a_former_jpeg_in_a_png_is_noticed() -> None:
    pixels = saved(clean("pagoda"), 50)
    signs = fitness_of(png(pixels)).signs
    assert signs["compressions"] == 1
    assert signs["quality"] == pytest.approx(50, abs=1)
    assert fitness_of(png(clean("pagoda"))).signs["compressions"] == 0
    assert fitness_of(pixels).signs == signs


def test_two_compressions_are_counted() -> None:
    signs = fitness_of(jpeg(saved(clean("pagoda"), 60), 90)).signs
    assert signs["compressions"] == 2
    assert signs["earlier_quality"] == pytest.approx(60, abs=2)


def test_a_screenshot_is_poor() -> None:
    fitness = fitness_of(png(screen()))
    assert fitness.signs["flat_share"] > SCREEN_FLAT_SHARE
    assert fitness.grade == "poor"


def test_the_same_page_at_another_size_or_a_photo_of_a_screens_size_is_not_a_screenshot() -> None:
    assert fitness_of(png(screen((1000, 1777)))).signs["screen"] == 0
    photo = np.asarray(Image.fromarray(clean("pagoda")).resize((1920, 1080)))
    assert fitness_of(png(photo)).signs["screen"] == 0


def test_a_file_that_says_so_is_a_screenshot() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "gnome-screenshot")
    buffer = io.BytesIO()
    Image.fromarray(clean("pagoda")).save(buffer, "PNG", pnginfo=info)
    assert fitness_of(buffer.getvalue()).grade == "poor"


def test_messenger_pictures_are_limited_unless_a_camera_is_named() -> None:
    photo = np.asarray(Image.fromarray(clean("pagoda")).resize((1280, 866)))
    assert fitness_of(jpeg(photo, 80)).signs["messenger"] == 1
    assert fitness_of(jpeg(photo, 92)).signs["messenger"] == 0
    assert fitness_of(jpeg(photo[:, :1270], 80)).signs["messenger"] == 0
    exif = Image.Exif()
    exif[271] = "Acme"
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=80, exif=exif)
    assert fitness_of(buffer.getvalue()).signs["messenger"] == 0


@pytest.mark.parametrize("shape", [(1, 1), (7, 500), (16, 16), (17, 900)])
def test_pictures_of_any_size(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for source in (pixels, jpeg(pixels, 80)):
        assert fitness_of(source).grade == "poor"


def test_it_is_quick() -> None:
    image = load(jpeg(np.tile(enlarged(clean("pagoda"), 2), (4, 5, 1))[:3000, :4000], 90))
    start = time.process_time()
    for _ in range(3):
        measure(image)
    assert (time.process_time() - start) / 3 < 0.3  # a tenth of it on an idle core
