from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from omni_iml.data.finding import find_scene_text

SIDE = 320


def sign(
    text: str, angle: float, ink: int = 30, ground: int = 200, size: int = 36
) -> tuple[NDArray[np.uint8], NDArray]:  # type: ignore[type-arg]
    """A sign with text turned by ``angle`` degrees about its middle, and the corners of the text's ink."""
    plain = Image.new("L", (SIDE, SIDE), ground)
    draw = ImageDraw.Draw(plain)
    font = ImageFont.load_default(size)
    draw.text((SIDE / 2, SIDE / 2), text, ink, font, anchor="mm")
    x0, y0, x1, y1 = draw.textbbox((SIDE / 2, SIDE / 2), text, font, anchor="mm")
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), angle, 1.0)
    turned = cv2.warpAffine(np.asarray(plain), matrix, (SIDE, SIDE), borderValue=ground)
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float) @ matrix[:, :2].T + matrix[:, 2]
    noise = np.random.default_rng(1).normal(0, 3, (SIDE, SIDE, 1))
    pixels = np.clip(np.rint(turned[..., None] * [1.0, 0.95, 0.9] + noise), 0, 255).astype(np.uint8)
    return pixels, corners


@pytest.mark.parametrize("angle", [-45, -30, -12, 0, 8, 25, 40])
@pytest.mark.parametrize(("ink", "ground"), [(30, 200), (230, 60)])
def test_turned_text_is_found_where_it_stands(angle: float, ink: int, ground: int) -> None:
    pixels, corners = sign("Bakery 1972", angle, ink, ground)
    words = find_scene_text(pixels)
    assert len(words) == 1
    quad = words[0].quad
    assert quad is not None
    np.testing.assert_allclose(quad, corners, atol=9)
    for x, y in quad:
        assert words[0].x0 <= x <= words[0].x1
        assert words[0].y0 <= y <= words[0].y1


def test_lines_of_one_place_are_found_once_and_stay_apart() -> None:
    pixels = np.full((SIDE, SIDE, 3), 210, np.uint8)
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    for row in range(4):
        draw.text(
            (20, 20 + 70 * row),
            ("Apples", "Quinces", "Turnips", "Bread 34")[row],
            (20, 40, 90),
            ImageFont.load_default(40),
        )
    words = find_scene_text(np.asarray(image))
    assert len(words) == 4
    assert sorted(word.y0 // 70 for word in words) == [0, 1, 2, 3]


def test_the_same_pixels_have_the_same_words() -> None:
    pixels, _ = sign("Bakery 1972", 12)
    assert find_scene_text(pixels) == find_scene_text(pixels.copy())


def gravel() -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).normal(0, 1, (SIDE, SIDE)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def fence() -> NDArray[np.uint8]:
    posts = np.full((SIDE, SIDE), 190, np.uint8)
    posts[80:140, 20:300:20] = 40
    for x in range(20, 300, 20):
        posts[80:140, x : x + 8] = 40
    return posts


def tiles() -> NDArray[np.uint8]:
    bright = np.full((SIDE, SIDE), 60, np.uint8)
    for x in range(20, 290, 30):
        bright[100:124, x : x + 22] = 200
    return bright


@pytest.mark.parametrize("scene", [gravel, fence, tiles])
def test_gravel_fences_and_tiles_are_no_text(scene: object) -> None:
    gray = scene()  # type: ignore[operator]
    assert find_scene_text(np.repeat(gray[..., None], 3, 2)) == ()


@pytest.mark.parametrize("shape", [(64, 64, 3), (70, 640, 3)])
def test_blank_pictures_have_no_words(shape: tuple[int, int, int]) -> None:
    assert find_scene_text(np.full(shape, 90, np.uint8)) == ()
